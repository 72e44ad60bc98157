/* SPDX-License-Identifier: MIT */
#include "gc/shadow.h"

#include "base/hull.h"
#include "base/lock.h"
#include "base/meta.h"
#include "heap/page_heap.h"

#include <string.h>

enum {
  SHADOWS_MAX = CGC_CONFIG_HOSTILE ? 16 : 4096,
  TABLE_COUNT = 2 * SHADOWS_MAX,
  HEAP_FRACTION = 64,         /* they take no more than that part of the heap */
  CHUNK_SHADOWS = 16,
};

/* Open addressing: a page that is not where its hash says is in one of the places after that. */
static struct shadow *table;

/* Lock: shadow_lock, but for reads of the count. */
static struct lock shadow_lock = LOCK_INITIALIZER(LOCK_RANK_PAGE_HEAP);
static atom_word shadow_count;
static uintptr_t *copies[SHADOWS_MAX / CHUNK_SHADOWS];   /* kept for later marks */

static size_t
hash_of(uintptr_t page_addr) {
  return (page_addr / ARCH_PAGE_BYTES * 0x9e3779b97f4a7c15 >> 32) % TABLE_COUNT;
}

void
shadow_begin(void) {
  if (table && atom_load_rlx(&shadow_count))
    memset(table, 0, TABLE_COUNT * sizeof *table);
  atom_store_rlx(&shadow_count, 0);
}

/* The page's shadow, or the place for it.  There is always a place. */
static struct shadow *
find(uintptr_t page_addr) {
  for (size_t at = hash_of(page_addr);; at = (at + 1) % TABLE_COUNT) {
    uintptr_t found = atom_load_acq(&table[at].page_addr);   /* pairs with add_locked */
    if (!found || found == page_addr)
      return &table[at];
  }
}

static uintptr_t *
copy_at(size_t index) {
  uintptr_t **chunk = &copies[index / CHUNK_SHADOWS];
  if (!*chunk)
    *chunk = meta_alloc(CHUNK_SHADOWS * ARCH_PAGE_BYTES);
  return *chunk ? *chunk + index % CHUNK_SHADOWS * (ARCH_PAGE_BYTES / sizeof **chunk) : NULL;
}

static struct shadow *
add_locked(uintptr_t page_addr) {
  size_t count = atom_load_rlx(&shadow_count);
  if (count == SHADOWS_MAX || (count + 1) * ARCH_PAGE_BYTES > page_heap_used_bytes() / HEAP_FRACTION)
    return NULL;
  struct shadow *shadow = find(page_addr);
  shadow->words = copy_at(count);
  if (!shadow->words)
    return NULL;
  shadow->settled_lines = 0;
  atom_store_rlx(&shadow_count, count + 1);
  atom_store_rel(&shadow->page_addr, page_addr);
  return shadow;
}

static bool
has_table_locked(void) {
  if (!table)
    table = meta_alloc(TABLE_COUNT * sizeof *table);
  return table != NULL;
}

struct shadow *
shadow_of(uintptr_t page_addr) {
  struct shadow *shadow = atom_load_rlx(&shadow_count) ? find(page_addr) : NULL;
  if (shadow && atom_load_rlx(&shadow->page_addr) == page_addr)
    return shadow;
  lock_acquire(&shadow_lock);
  shadow = has_table_locked() ? add_locked(page_addr) : NULL;
  lock_release(&shadow_lock);
  return shadow;
}
