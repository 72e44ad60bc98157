/* SPDX-License-Identifier: MIT */
#include "gc/dirty_heap.h"

#include "base/arch_x86_64.h"
#include "heap/heap_map.h"

/* Owned by whoever holds the cycle lock. */
static struct array ranges;                        /* struct dirty_range */
static size_t watched_bytes[ARENA_COUNT_MAX];      /* from the start of each arena */

/* What has been mapped since is apart: all of it counts as written. */
static int
collect_arena(size_t index) {
  uintptr_t addr = heap_map.base_addr + (index << ARENA_BYTES_LOG2);
  const struct cgc_arena *arena = heap_map_arena(addr);
  size_t mapped_bytes = arena->mapped_bytes, before_bytes = watched_bytes[index];
  if (arena->kind & SPAN_KIND_NOSCAN)
    return 0;
  int err = before_bytes ? dirty_collect(addr, addr + before_bytes, &ranges) : 0;
  if (!err && mapped_bytes > before_bytes)
    err = dirty_collect(addr + before_bytes, addr + mapped_bytes, &ranges);
  watched_bytes[index] = err ? before_bytes : mapped_bytes;
  return err;
}

static size_t
count_pages(void) {
  const struct dirty_range *range = ranges.items;
  size_t bytes = 0;
  for (size_t i = 0; i < ranges.count; i++)
    bytes += range[i].end_addr - range[i].start_addr;
  return bytes / ARCH_PAGE_BYTES;
}

int
dirty_heap_collect(struct dirty_pages *result) {
  int err = 0;
  ranges.count = 0;
  for (size_t i = 0; !err && i < atom_load_rlx(&heap_map.extent_bytes) >> ARENA_BYTES_LOG2; i++)
    err = collect_arena(i);
  *result = (struct dirty_pages){ranges.items, ranges.count, count_pages()};
  return err;
}
