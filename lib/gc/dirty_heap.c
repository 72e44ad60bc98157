/* SPDX-License-Identifier: MIT */
#include "gc/dirty_heap.h"

#include "base/arch_x86_64.h"
#include "gc/dirty_roots.h"
#include "gc/open_pages.h"
#include "heap/heap_map.h"
#include "heap/page_heap.h"

#include <errno.h>
#include <string.h>

/* The end is given back in steps, for each of which the address space is locked. */
#define UNWATCH_BYTES (CGC_CONFIG_HOSTILE ? 64 * KIB : 8 * MIB)

/* To look at less than this takes no longer than to start a thread. */
#define CREW_BYTES_MIN (CGC_CONFIG_HOSTILE ? 64 * KIB : 256 * MIB)

static size_t watched_bytes[ARENA_COUNT_MAX];      /* from the start of each arena */

static struct array parts[CREW_MAX];   /* struct dirty_range, of one thread each */

struct collect_job {
  size_t    arena_count;
  size_t    pages_max;
  atom_word next_arena;
  atom_word page_count;
  atom_int  err;
};

/* ---- one arena ---- */

/* But for where no memory is: the kernel would list that as written each time.  Like what is open it is not armed then,
 * and so counts as written when there is memory at last. */
static int
collect_touched(uintptr_t start_addr, uintptr_t end_addr, size_t *pages_max, struct array *ranges) {
  uintptr_t run_end_addr;
  int err = 0;
  for (; !err && heap_map_next_touched(&start_addr, &run_end_addr, end_addr); start_addr = run_end_addr)
    err = dirty_collect(start_addr, run_end_addr, pages_max, ranges);
  return err;
}

/* What has been watched of an arena, but for what is open. */
static int
collect_watched(uintptr_t start_addr, uintptr_t end_addr, size_t *pages_max, struct array *ranges) {
  uintptr_t run_end_addr;
  int err = 0;
  for (; !err && open_pages_next_closed(&start_addr, &run_end_addr, end_addr); start_addr = run_end_addr)
    err = collect_touched(start_addr, run_end_addr, pages_max, ranges);
  return err;
}

/* What has been mapped since is watched from now on, and collected, as that is what arms it; all of it counts as
 * written. */
static int
watch_new(size_t index, uintptr_t start_addr, uintptr_t end_addr, struct array *ranges) {
  size_t count = ranges->count, all_pages = SIZE_MAX;
  int err = dirty_watch(start_addr, end_addr);
  if (err)
    return err;
  watched_bytes[index] = end_addr - heap_map_arena_addr(index);
  err = collect_watched(start_addr, end_addr, &all_pages, ranges);
  ranges->count = count;
  struct dirty_range *all = err ? NULL : array_add(ranges, sizeof *all);
  if (all)
    *all = (struct dirty_range){start_addr, end_addr};
  return all ? 0 : err ? err : ENOMEM;
}

/* Takes the pages it finds from *pages_max; with none left, some may be for the next time. */
static int
collect_arena(size_t index, size_t *pages_max, struct array *ranges) {
  const struct cgc_arena *arena = heap_map_arena(heap_map_arena_addr(index));
  uintptr_t start_addr = heap_map_arena_addr(index), new_addr = start_addr + watched_bytes[index];
  uintptr_t end_addr = start_addr + arena->mapped_bytes;
  size_t new_pages = (end_addr - new_addr) / ARCH_PAGE_BYTES;
  if (arena->kind & SPAN_KIND_NOSCAN)
    return 0;
  int err = collect_watched(start_addr, new_addr, pages_max, ranges);
  if (err || !new_pages)
    return err;
  if (new_pages <= *pages_max)
    err = watch_new(index, new_addr, end_addr, ranges);
  *pages_max -= min_u64(new_pages, *pages_max);
  return err;
}

/* ---- all arenas, in parallel ---- */

/* With none left, some may not have been collected. */
static size_t
pages_left(const struct collect_job *job) {
  return job->pages_max - min_u64(atom_load_rlx(&job->page_count), job->pages_max);
}

static void
collect_work(unsigned index, void *arg) {
  struct collect_job *job = arg;
  size_t arena, left;
  parts[index].count = 0;
  while (!atom_int_load_rlx(&job->err) && (left = pages_left(job)) &&
         (arena = atom_add_full(&job->next_arena, 1)) < job->arena_count) {
    size_t left_after = left;
    int err = collect_arena(arena, &left_after, &parts[index]);
    atom_add_full(&job->page_count, left - left_after);
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

static void
add_part(struct dirty_pages *result, unsigned index) {
  result->parts[index].ranges = parts[index].items;
  result->parts[index].count = parts[index].count;
  result->page_count += count_pages(&parts[index]);
}

static int
collect_by(unsigned crew_size, size_t pages_max, struct dirty_pages *result) {
  struct collect_job job = {.arena_count = heap_map_arena_count(), .pages_max = pages_max};
  page_heap_begin_round(false);
  *result = (struct dirty_pages){.part_count = crew_run(crew_size, collect_work, &job)};
  size_t left = pages_left(&job);
  int err = job.err ? (int)job.err : dirty_roots_collect(&left, &parts[0]);
  for (unsigned i = 0; i < result->part_count; i++)
    add_part(result, i);
  result->is_complete = left > 0;
  return err;
}

void
dirty_heap_arm_roots(struct dirty_pages *result) {
  parts[0].count = 0;
  dirty_roots_arm(&parts[0]);
  *result = (struct dirty_pages){.part_count = 1, .is_complete = true};
  add_part(result, 0);
}

int
dirty_heap_collect(bool keeps_open, struct dirty_pages *result) {
  if (keeps_open)
    open_pages_close_filled();
  else
    open_pages_close_all();
  return collect_by(1, SIZE_MAX, result);
}

int
dirty_heap_collect_by_crew(size_t pages_max, struct dirty_pages *result) {
  open_pages_close_all();
  size_t mapped_bytes = page_heap_mapped_bytes();
  return collect_by(mapped_bytes >= CREW_BYTES_MIN ? crew_size_for(mapped_bytes) : 1, pages_max, result);
}

int
dirty_heap_begin(uint64_t expected_bytes) {
  struct dirty_pages all;
  memset(watched_bytes, 0, heap_map_arena_count() * sizeof *watched_bytes);   /* a child finds those of its parent */
  open_pages_choose(expected_bytes);
  int err = dirty_begin();
  if (!err && (err = collect_by(1, SIZE_MAX, &all)) != 0)
    dirty_heap_end();
  return err;
}

void
dirty_heap_end(void) {
  dirty_roots_forget();
  for (size_t i = 0; i < heap_map_arena_count(); i++) {
    for (size_t at = 0; at < watched_bytes[i]; at += UNWATCH_BYTES)
      dirty_unwatch(heap_map_arena_addr(i) + at, heap_map_arena_addr(i) + min_u64(at + UNWATCH_BYTES, watched_bytes[i]));
    watched_bytes[i] = 0;
  }
  dirty_end();
}
