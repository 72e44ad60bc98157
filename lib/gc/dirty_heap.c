/* SPDX-License-Identifier: MIT */
#include "gc/dirty_heap.h"

#include "base/arch_x86_64.h"
#include "heap/heap_map.h"

#include <errno.h>
#include <string.h>

/* The end is given back in steps, for each of which the address space is locked. */
#define UNWATCH_BYTES (CGC_CONFIG_HOSTILE ? 64 * KIB : 8 * MIB)

static struct array ranges;                        /* struct dirty_range */
static size_t watched_bytes[ARENA_COUNT_MAX];      /* from the start of each arena */

static uintptr_t
arena_addr(size_t index) {
  return heap_map.base_addr + (index << ARENA_BYTES_LOG2);
}

static size_t
arena_count(void) {
  return atom_load_rlx(&heap_map.extent_bytes) >> ARENA_BYTES_LOG2;
}

/* What has been mapped since is watched from now on, and collected, as that is what arms it; all of it counts as
 * written. */
static int
watch_new(size_t index, size_t mapped_bytes) {
  uintptr_t start_addr = arena_addr(index) + watched_bytes[index], end_addr = arena_addr(index) + mapped_bytes;
  size_t count = ranges.count;
  int err = dirty_watch(start_addr, end_addr);
  if (err)
    return err;
  watched_bytes[index] = mapped_bytes;
  err = dirty_collect(start_addr, end_addr, &ranges);
  ranges.count = count;
  struct dirty_range *all = err ? NULL : array_add(&ranges, sizeof *all);
  if (all)
    *all = (struct dirty_range){start_addr, end_addr};
  return all ? 0 : err ? err : ENOMEM;
}

static int
collect_arena(size_t index) {
  const struct cgc_arena *arena = heap_map_arena(arena_addr(index));
  size_t mapped_bytes = arena->mapped_bytes;
  int err = 0;
  if (arena->kind & SPAN_KIND_NOSCAN)
    return 0;
  if (watched_bytes[index])
    err = dirty_collect(arena_addr(index), arena_addr(index) + watched_bytes[index], &ranges);
  return !err && mapped_bytes > watched_bytes[index] ? watch_new(index, mapped_bytes) : err;
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
  for (size_t i = 0; !err && i < arena_count(); i++)
    err = collect_arena(i);
  *result = (struct dirty_pages){ranges.items, ranges.count, count_pages()};
  return err;
}

int
dirty_heap_begin(void) {
  struct dirty_pages all;
  memset(watched_bytes, 0, arena_count() * sizeof *watched_bytes);   /* a forked child finds those of its parent */
  int err = dirty_begin();
  if (!err && (err = dirty_heap_collect(&all)) != 0)
    dirty_heap_end();
  return err;
}

void
dirty_heap_end(void) {
  for (size_t i = 0; i < arena_count(); i++) {
    for (size_t at = 0; at < watched_bytes[i]; at += UNWATCH_BYTES)
      dirty_unwatch(arena_addr(i) + at, arena_addr(i) + min_u64(at + UNWATCH_BYTES, watched_bytes[i]));
    watched_bytes[i] = 0;
  }
  dirty_end();
}
