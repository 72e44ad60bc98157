/* SPDX-License-Identifier: MIT */
#include "gc/dirty_heap.h"

#include "base/arch_x86_64.h"
#include "heap/heap_map.h"
#include "heap/page_heap.h"

#include <errno.h>
#include <string.h>

/* The end is given back in steps, for each of which the address space is locked. */
#define UNWATCH_BYTES (CGC_CONFIG_HOSTILE ? 64 * KIB : 8 * MIB)

/* To look at less than this takes no longer than to start a thread. */
#define CREW_BYTES_MIN (CGC_CONFIG_HOSTILE ? 64 * KIB : 256 * MIB)

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
watch_new(size_t index, size_t mapped_bytes, struct array *ranges) {
  uintptr_t start_addr = arena_addr(index) + watched_bytes[index], end_addr = arena_addr(index) + mapped_bytes;
  size_t count = ranges->count;
  int err = dirty_watch(start_addr, end_addr);
  if (err)
    return err;
  watched_bytes[index] = mapped_bytes;
  err = dirty_collect(start_addr, end_addr, ranges);
  ranges->count = count;
  struct dirty_range *all = err ? NULL : array_add(ranges, sizeof *all);
  if (all)
    *all = (struct dirty_range){start_addr, end_addr};
  return all ? 0 : err ? err : ENOMEM;
}

static int
collect_arena(size_t index, struct array *ranges) {
  const struct cgc_arena *arena = heap_map_arena(arena_addr(index));
  size_t mapped_bytes = arena->mapped_bytes;
  int err = 0;
  if (arena->kind & SPAN_KIND_NOSCAN)
    return 0;
  if (watched_bytes[index])
    err = dirty_collect(arena_addr(index), arena_addr(index) + watched_bytes[index], ranges);
  return !err && mapped_bytes > watched_bytes[index] ? watch_new(index, mapped_bytes, ranges) : err;
}

/* ---- all arenas, in parallel ---- */

static struct array parts[CREW_MAX];   /* struct dirty_range, of one thread each */

struct collect_job {
  size_t    arena_count;
  atom_word next_arena;
  atom_int  err;
};

static void
collect_work(unsigned index, void *arg) {
  struct collect_job *job = arg;
  size_t arena;
  parts[index].count = 0;
  while (!atom_int_load_rlx(&job->err) && (arena = atom_add_full(&job->next_arena, 1)) < job->arena_count) {
    int err = collect_arena(arena, &parts[index]);
    if (err)
      atom_int_store_rlx(&job->err, (unsigned)err);
  }
}

static size_t
count_pages(const struct array *ranges) {
  const struct dirty_range *range = ranges->items;
  size_t bytes = 0;
  for (size_t i = 0; i < ranges->count; i++)
    bytes += range[i].end_addr - range[i].start_addr;
  return bytes / ARCH_PAGE_BYTES;
}

int
dirty_heap_collect(enum dirty_haste haste, struct dirty_pages *result) {
  struct collect_job job = {.arena_count = arena_count()};
  bool is_large = page_heap_mapped_bytes() >= CREW_BYTES_MIN;
  *result = (struct dirty_pages){.part_count = 1};
  if (haste == DIRTY_BY_CREW && is_large)
    result->part_count = crew_run(crew_size_for(page_heap_mapped_bytes()), collect_work, &job);
  else
    collect_work(0, &job);
  for (unsigned i = 0; i < result->part_count; i++) {
    result->parts[i].ranges = parts[i].items;
    result->parts[i].count = parts[i].count;
    result->page_count += count_pages(&parts[i]);
  }
  return (int)job.err;
}

int
dirty_heap_begin(void) {
  struct dirty_pages all;
  memset(watched_bytes, 0, arena_count() * sizeof *watched_bytes);   /* a forked child finds those of its parent */
  int err = dirty_begin();
  if (!err && (err = dirty_heap_collect(DIRTY_ALONE, &all)) != 0)
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
