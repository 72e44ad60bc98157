/* SPDX-License-Identifier: MIT */
/*
 * Hash tables of items whose first word is the key, in metadata memory.  Keys are no roots themselves if they are
 * hidden (hide_addr); everything else in the items is, if the table says so.
 *
 * Guarded by the allocation lock; in a stop by nothing.
 */
#ifndef CGC_LIB_BOEHM_KEY_TABLE_H
#define CGC_LIB_BOEHM_KEY_TABLE_H

#include "base/compiler.h"

#include <stdbool.h>

struct key_table {
  size_t item_bytes;   /* constant, a multiple of 8 */
  bool   are_roots;    /* constant */
  size_t capacity;     /* a power of two, or 0 */
  size_t count;
  char  *items;
};

#define KEY_TABLE(item, roots) {.item_bytes = sizeof(item), .are_roots = (roots)}

/* A word that no scan takes for the address. */
CGC_INLINE uintptr_t
hide_addr(const void *addr) {
  return ~(uintptr_t)addr;
}

CGC_INLINE void *
reveal_addr(uintptr_t hidden) {
  return (void *)~hidden;
}

/* The item of that key, which is not 0, or NULL. */
void *key_table_find(const struct key_table *table, uintptr_t key);

/* A new one, zero but for the key, or NULL if there is no memory.  It must not be there yet.  Items move. */
void *key_table_add(struct key_table *table, uintptr_t key);

/* Removes an item.  Others move, so that its place may hold one that came after it. */
void key_table_remove(struct key_table *table, void *item);

/* The first item at that place or behind it, which is updated; NULL at the end.  Start at 0; after a removal look at
 * the same place again, else add 1. */
void *key_table_at(const struct key_table *table, size_t *place);

#endif
