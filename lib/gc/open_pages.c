/* SPDX-License-Identifier: MIT */
#include "gc/open_pages.h"

#include "heap/heap_map.h"

/* Pages are chosen so many at a time: to watch the heap in many short pieces would take longer than is gained. */
#define STRETCH_PAGES 8
#define STRETCH_BYTES (STRETCH_PAGES * SPAN_PAGE_BYTES)
#define ARENA_STRETCHES (ARENA_BYTES / STRETCH_BYTES)

enum {
  OPEN_PAGES_MIN = 6,         /* of a stretch, to be worth it */
  FILLED_PAGES_MIN = 5,       /* then it is closed */
  FREE_FRACTION = 16,         /* a span with fewer free slots counts as filled */
  EXPECTED_FRACTION_MIN = 2,
};

/* Of the collector's thread.  One bit a stretch. */
static uint64_t open_stretches[ARENA_COUNT_MAX][ARENA_STRETCHES / 64];
static bool has_open;

/* Bytes that can be allocated in the span; 0 if that is not worth it.  The owner may be at work: an estimate. */
static size_t
free_bytes_of(const struct cgc_span *span) {
  if (!span || !span->slot_bytes || span->window_word != SPAN_NO_WINDOW)
    return 0;
  unsigned slots = span_free_slots(span);
  return slots > span->slot_count / FREE_FRACTION ? (size_t)slots * span->slot_bytes : 0;
}

/* How many of the pages of a stretch can be allocated from. */
static unsigned
count_unfilled(uintptr_t addr, size_t *free_bytes) {
  unsigned pages = 0;
  const struct cgc_span *before = NULL;
  size_t bytes = 0;
  for (unsigned i = 0; i < STRETCH_PAGES; i++, addr += SPAN_PAGE_BYTES) {
    const struct cgc_span *span = heap_map_span(addr);
    if (span != before) {
      bytes = free_bytes_of(span);
      *free_bytes += bytes;
      before = span;
    }
    pages += bytes > 0;
  }
  return pages;
}

static uintptr_t
stretch_addr(size_t arena, size_t stretch) {
  return heap_map_arena_addr(arena) + stretch * STRETCH_BYTES;
}

static uint64_t
choose_in(size_t arena) {
  uint64_t free_bytes = 0;
  size_t mapped_bytes = heap_map_arena(heap_map_arena_addr(arena))->mapped_bytes;
  for (size_t i = 0; i < mapped_bytes / STRETCH_BYTES; i++) {
    size_t bytes = 0;
    if (count_unfilled(stretch_addr(arena, i), &bytes) < OPEN_PAGES_MIN)
      continue;
    open_stretches[arena][i / 64] |= (uint64_t)1 << i % 64;
    free_bytes += bytes;
  }
  return free_bytes;
}

void
open_pages_choose(uint64_t expected_bytes) {
  uint64_t free_bytes = 0;
  open_pages_close_all();
  if (!expected_bytes)
    return;
  for (size_t i = 0; i < heap_map_arena_count(); i++)
    if (!(heap_map_arena(heap_map_arena_addr(i))->kind & SPAN_KIND_NOSCAN))
      free_bytes += choose_in(i);
  has_open = true;
  if (expected_bytes < free_bytes / EXPECTED_FRACTION_MIN)
    open_pages_close_all();
}

void
open_pages_close_filled(void) {
  for (size_t i = 0; has_open && i < heap_map_arena_count(); i++)
    for (size_t word = 0; word < ARENA_STRETCHES / 64; word++)
      for (uint64_t open = open_stretches[i][word]; open; open &= open - 1) {
        size_t stretch = word * 64 + (unsigned)__builtin_ctzll(open), bytes = 0;
        if (count_unfilled(stretch_addr(i, stretch), &bytes) <= STRETCH_PAGES - FILLED_PAGES_MIN)
          open_stretches[i][word] &= ~(open & -open);
      }
}

void
open_pages_close_all(void) {
  for (size_t i = 0; has_open && i < heap_map_arena_count(); i++)
    for (size_t word = 0; word < ARENA_STRETCHES / 64; word++)
      open_stretches[i][word] = 0;
  has_open = false;
}

bool
open_pages_has_any(void) {
  return has_open;
}

static bool
is_open(uintptr_t addr) {
  uintptr_t offset = addr - heap_map.base_addr;
  size_t stretch = offset % ARENA_BYTES / STRETCH_BYTES;
  return open_stretches[offset >> ARENA_BYTES_LOG2][stretch / 64] >> stretch % 64 & 1;
}

bool
open_pages_next_closed(uintptr_t *start_addr, uintptr_t *run_end_addr, uintptr_t end_addr) {
  *run_end_addr = end_addr;
  if (!has_open)
    return *start_addr < end_addr;
  while (*start_addr < end_addr && is_open(*start_addr))
    *start_addr = round_down(*start_addr, STRETCH_BYTES) + STRETCH_BYTES;
  uintptr_t at = *start_addr;
  while (at < end_addr && !is_open(at))
    at = round_down(at, STRETCH_BYTES) + STRETCH_BYTES;
  *run_end_addr = min_u64(at, end_addr);
  return *start_addr < end_addr;
}
