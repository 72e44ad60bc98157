/* SPDX-License-Identifier: MIT */
#include "heap/heap_map.h"

#include "base/fatal.h"
#include "base/meta.h"

#include <string.h>

struct heap_map heap_map CGC_ALIGNED(64);

/* Lock: page heap. */
static struct cgc_arena *arenas[ARENA_COUNT_MAX];

void
heap_map_init(void) {
  heap_map.base_addr = hull.heap_addr;
  heap_map.pages = (struct cgc_span **)hull.base_addr;
}

static bool
heap_map_cover(size_t index) {
  size_t slice_bytes = ARENA_PAGES * sizeof(struct cgc_span *);
  return meta_map_table(hull.base_addr + index * slice_bytes, slice_bytes) == 0;
}

uintptr_t
heap_map_add_arena_locked(unsigned kind) {
  size_t extent_bytes = atom_load_rlx(&heap_map.extent_bytes);
  size_t index = extent_bytes >> ARENA_BYTES_LOG2;
  if (index == ARENA_COUNT_MAX)
    return 0;
  if (!arenas[index])
    arenas[index] = meta_alloc(sizeof *arenas[index]);
  if (!arenas[index] || !heap_map_cover(index))
    return 0;
  arenas[index]->kind = kind;
  atom_store_rel(&heap_map.extent_bytes, extent_bytes + ARENA_BYTES);
  return heap_map.base_addr + extent_bytes;
}

struct cgc_arena *
heap_map_arena(uintptr_t addr) {
  return arenas[(addr - heap_map.base_addr) >> ARENA_BYTES_LOG2];
}

void
heap_map_set_mapped(uintptr_t addr, size_t pages) {
  uintptr_t end = addr + (pages << SPAN_PAGE_BYTES_LOG2);
  while (addr < end) {
    uintptr_t arena_addr = round_down(addr - heap_map.base_addr, ARENA_BYTES) + heap_map.base_addr;
    uintptr_t piece_end = min_u64(end, arena_addr + ARENA_BYTES);
    heap_map_arena(addr)->mapped_bytes = piece_end - arena_addr;
    addr = piece_end;
  }
}

/* ---- rounds ---- */

/* Lock: page heap; anyone may read it. */
static atom_int current_round;

void
heap_map_begin_round_locked(bool is_first) {
  unsigned round = is_first ? 0 : heap_map_round();
  atom_int_store_rlx(&current_round, round < UINT8_MAX ? round + 1 : round);
  for (size_t i = 0; is_first && i < atom_load_rlx(&heap_map.extent_bytes) >> ARENA_BYTES_LOG2; i++)
    memset(arenas[i]->made_in, 0, sizeof arenas[i]->made_in);
}

unsigned
heap_map_round(void) {
  return atom_int_load_rlx(&current_round);
}

void
heap_map_note_made_locked(uintptr_t addr, size_t pages) {
  while (pages > 0) {
    size_t page = (addr - heap_map.base_addr) % ARENA_BYTES >> SPAN_PAGE_BYTES_LOG2;
    size_t count = min_u64(pages, ARENA_PAGES - page);
    memset(heap_map_arena(addr)->made_in + page, (int)heap_map_round(), count);
    addr += count << SPAN_PAGE_BYTES_LOG2;
    pages -= count;
  }
}

bool
heap_map_made_since(uintptr_t addr, unsigned round) {
  uintptr_t offset = addr - heap_map.base_addr;
  if (offset >= atom_load_rlx(&heap_map.extent_bytes))
    return true;
  return arenas[offset >> ARENA_BYTES_LOG2]->made_in[offset % ARENA_BYTES >> SPAN_PAGE_BYTES_LOG2] >= round;
}

/* ---- touched pages: word by word, across arenas ---- */

/* A piece of a run of pages that lies in one word of one arena. */
struct touched_piece {
  uint64_t *word;
  uint64_t  mask;
  size_t    pages;
};

static struct touched_piece
touched_piece_at(uintptr_t addr, size_t pages) {
  size_t page = (addr - heap_map.base_addr) % ARENA_BYTES >> SPAN_PAGE_BYTES_LOG2;
  size_t room = 64 - page % 64;
  size_t count = pages < room ? pages : room;
  uint64_t ones = count == 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
  return (struct touched_piece){&heap_map_arena(addr)->touched[page / 64], ones << page % 64, count};
}

uint32_t
heap_map_count_touched(uintptr_t addr, size_t pages) {
  uint32_t touched = 0;
  while (pages > 0) {
    struct touched_piece piece = touched_piece_at(addr, pages);
    touched += count_bits(*piece.word & piece.mask);
    addr += piece.pages << SPAN_PAGE_BYTES_LOG2;
    pages -= piece.pages;
  }
  return touched;
}

/* Of so many pages it is told in one word whether they hold memory. */
#define GROUP_BYTES (64 * SPAN_PAGE_BYTES)

static bool
is_group_touched(uintptr_t addr) {
  size_t page = (addr - heap_map.base_addr) % ARENA_BYTES >> SPAN_PAGE_BYTES_LOG2;
  return atom_load_rlx((const atom_word *)&heap_map_arena(addr)->touched[page / 64]) != 0;
}

/* The first group from addr on that is touched or is not, or end_addr. */
static uintptr_t
find_group(uintptr_t addr, uintptr_t end_addr, bool is_touched) {
  while (addr < end_addr && is_group_touched(addr) != is_touched)
    addr = round_down(addr, GROUP_BYTES) + GROUP_BYTES;
  return min_u64(addr, end_addr);
}

bool
heap_map_next_touched(uintptr_t *start_addr, uintptr_t *run_end_addr, uintptr_t end_addr) {
  *start_addr = find_group(*start_addr, end_addr, true);
  *run_end_addr = find_group(*start_addr, end_addr, false);
  return *start_addr < end_addr;
}

void
heap_map_set_touched(uintptr_t addr, size_t pages, bool is_touched) {
  while (pages > 0) {
    struct touched_piece piece = touched_piece_at(addr, pages);
    *piece.word = is_touched ? *piece.word | piece.mask : *piece.word & ~piece.mask;
    addr += piece.pages << SPAN_PAGE_BYTES_LOG2;
    pages -= piece.pages;
  }
}
