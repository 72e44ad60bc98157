/* SPDX-License-Identifier: MIT */
/*
 * From an address to its span: arenas of 64 MiB, and one pointer per page of 8 KiB.
 * Arenas are made in order of their addresses, so all below extent_bytes has a page map.
 */
#ifndef CGC_HEAP_HEAP_MAP_H
#define CGC_HEAP_HEAP_MAP_H

#include "base/hull.h"
#include "heap/span.h"

#define ARENA_BYTES_LOG2 26
#define ARENA_BYTES      ((size_t)1 << ARENA_BYTES_LOG2)
#define ARENA_PAGES      (ARENA_BYTES >> SPAN_PAGE_BYTES_LOG2)
#define ARENA_COUNT_MAX  (HULL_HEAP_BYTES >> ARENA_BYTES_LOG2)

struct heap_map {
  /* Constant after heap_map_init. */
  uintptr_t base_addr;          /* of the heap */
  struct cgc_span **pages;      /* [(addr - base_addr) >> SPAN_PAGE_BYTES_LOG2]; written under the page heap's lock */

  /* Lock: page heap.  Read by anyone: an address handed out lies below it. */
  atom_word extent_bytes;
};

/* Beside malloc's other hot data; the struct fills half a cache line. */
extern struct heap_map heap_map;

void heap_map_init(void);

struct cgc_arena {
  /* Lock: page heap. */
  uint64_t touched[ARENA_PAGES / 64];    /* pages that may hold other than zeroes, one bit each */
  size_t   mapped_bytes;                 /* from its start */
  size_t   unused_pages;                 /* of them, never used for blocks: 0 or 1 */
  unsigned kind;                         /* SPAN_KIND_NOSCAN or 0 */

  /* Lock: page heap; anyone may read it. */
  uint8_t  made_in[ARENA_PAGES];         /* the round in which a span was made of each page, or 0: before them */
};

/* The next arena in address order, with its page map.  Returns its address, or 0. */
uintptr_t heap_map_add_arena_locked(unsigned kind);

struct cgc_arena *heap_map_arena(uintptr_t addr);

/* How many there are, and where one of them begins. */
CGC_INLINE size_t
heap_map_arena_count(void) {
  return atom_load_rlx(&heap_map.extent_bytes) >> ARENA_BYTES_LOG2;
}

CGC_INLINE uintptr_t
heap_map_arena_addr(size_t index) {
  return heap_map.base_addr + (index << ARENA_BYTES_LOG2);
}

/* The end of the page map, which starts at hull.base_addr. */
CGC_INLINE uintptr_t
heap_map_pages_end_addr(void) {
  return (uintptr_t)(heap_map.pages + (atom_load_rlx(&heap_map.extent_bytes) >> SPAN_PAGE_BYTES_LOG2));
}

/* Records that pages at the end of what is mapped of their arenas have been mapped. */
void heap_map_set_mapped(uintptr_t addr, size_t pages);

/* The used or free span at addr, or NULL; addr may be anything. */
CGC_INLINE struct cgc_span *
heap_map_span(uintptr_t addr) {
  uintptr_t offset = addr - heap_map.base_addr;
  if (offset >= atom_load_rlx(&heap_map.extent_bytes))
    return NULL;
  return heap_map.pages[offset >> SPAN_PAGE_BYTES_LOG2];
}

/* The used span with a slot that addr lies in, which is free or not; NULL if there is none. */
CGC_INLINE struct cgc_span *
heap_map_find_slot(uintptr_t addr, size_t *slot) {
  struct cgc_span *span = heap_map_span(addr);
  if (!span || !span_is_used(span))
    return NULL;
  *slot = span_slot_of(span, addr);
  return *slot < span->slot_count ? span : NULL;
}

/* Fetches what heap_map_span reads of an address in the heap. */
CGC_INLINE void
heap_map_prefetch(uintptr_t addr) {
  uintptr_t offset = addr - heap_map.base_addr;
  if (offset < atom_load_rlx(&heap_map.extent_bytes))
    __builtin_prefetch(&heap_map.pages[offset >> SPAN_PAGE_BYTES_LOG2]);
}

CGC_INLINE struct cgc_span **
heap_map_entry(uintptr_t addr) {
  return &heap_map.pages[(addr - heap_map.base_addr) >> SPAN_PAGE_BYTES_LOG2];
}

/* Rounds of a mark beside the program: what becomes a span in one is told from what was one before.  is_first: of a
 * mark. All rounds after the 254th have one number. */
void heap_map_begin_round_locked(bool is_first);
unsigned heap_map_round(void);
void heap_map_note_made_locked(uintptr_t addr, size_t pages);

/* Whether the page at addr, in the heap, has become a span's in that round or since; true if it is not known. */
bool heap_map_made_since(uintptr_t addr, unsigned round);

/* Moves *start_addr to where memory may be, and tells where that ends: up to end_addr, by and large, as others may change
 * it.  False if there is none.  All of it lies in one arena. */
bool heap_map_next_touched(uintptr_t *start_addr, uintptr_t *run_end_addr, uintptr_t end_addr);

/* Touched bits of [addr, addr + pages): count, then set or clear them. */
uint32_t heap_map_count_touched(uintptr_t addr, size_t pages);
void heap_map_set_touched(uintptr_t addr, size_t pages, bool is_touched);

#endif
