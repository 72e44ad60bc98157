/* SPDX-License-Identifier: MIT */
#include "boehm/key_table.h"

#include "base/meta.h"
#include "world/roots.h"

#include <string.h>

enum { CAPACITY_MIN = 64 };

static uintptr_t *
item_at(const struct key_table *table, size_t place) {
  return (uintptr_t *)(table->items + place * table->item_bytes);
}

/* Multiplicative hashing: Knuth, The Art of Computer Programming, volume 3, 6.4. */
static size_t
home_of(const struct key_table *table, uintptr_t key) {
  return (key >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20 & (table->capacity - 1);
}

static size_t
next_place(const struct key_table *table, size_t place) {
  return (place + 1) & (table->capacity - 1);
}

/* Where the key is, or would be. */
static size_t
place_of(const struct key_table *table, uintptr_t key) {
  size_t place = home_of(table, key);
  while (*item_at(table, place) && *item_at(table, place) != key)
    place = next_place(table, place);
  return place;
}

void *
key_table_find(const struct key_table *table, uintptr_t key) {
  if (!table->count)
    return NULL;
  uintptr_t *item = item_at(table, place_of(table, key));
  return *item ? item : NULL;
}

/* A collection finds either the old array or the new one among the roots, for the lock is held. */
static bool
grow(struct key_table *table) {
  struct key_table bigger = *table;
  bigger.capacity = table->capacity ? table->capacity * 2 : CAPACITY_MIN;
  size_t bytes = bigger.capacity * table->item_bytes, old_bytes = table->capacity * table->item_bytes;
  bigger.items = meta_alloc(bytes);
  if (!bigger.items || (table->are_roots && roots_add((uintptr_t)bigger.items, (uintptr_t)bigger.items + bytes)))
    return false;
  for (size_t i = 0; i < table->capacity; i++) {
    uintptr_t *item = item_at(table, i);
    if (*item)
      memcpy(item_at(&bigger, place_of(&bigger, *item)), item, table->item_bytes);
  }
  char *old_items = table->items;
  if (table->are_roots && old_bytes)
    roots_remove((uintptr_t)old_items, (uintptr_t)old_items + old_bytes);
  *table = bigger;
  if (old_items)
    meta_free(old_items, old_bytes);
  return true;
}

void *
key_table_add(struct key_table *table, uintptr_t key) {
  bool is_full = table->count >= table->capacity / 4 * 3;
  if (is_full && !grow(table))
    return NULL;
  uintptr_t *item = item_at(table, place_of(table, key));
  *item = key;
  table->count++;
  return item;
}

/* Those behind it come forward as far as their home lets them, so that no search ends at the gap. */
void
key_table_remove(struct key_table *table, void *removed) {
  size_t gap = (size_t)((char *)removed - table->items) / table->item_bytes, place = gap;
  for (;;) {
    place = next_place(table, place);
    const uintptr_t *item = item_at(table, place);
    if (!*item)
      break;
    size_t from_home = (place - home_of(table, *item)) & (table->capacity - 1);
    size_t from_gap = (place - gap) & (table->capacity - 1);
    if (from_home < from_gap)
      continue;
    memcpy(item_at(table, gap), item, table->item_bytes);
    gap = place;
  }
  memset(item_at(table, gap), 0, table->item_bytes);
  table->count--;
}

void *
key_table_at(const struct key_table *table, size_t *place) {
  for (; *place < table->capacity; ++*place)
    if (*item_at(table, *place))
      return item_at(table, *place);
  return NULL;
}
