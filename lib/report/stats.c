/* SPDX-License-Identifier: MIT */
#include "report/stats.h"

#include "base/meta.h"
#include "gc/memory_limit.h"
#include "heap/page_heap.h"

#include <string.h>

/* Atomic: added to by the thread that ran a cycle, read by any. */
static struct {
  atom_word cycles, cycles_given_up;
  atom_word stop_total_ns, stop_longest_ns;
  atom_word live_bytes, held_blocks, held_bytes;
  atom_word reclaimed_blocks, reclaimed_bytes;
  atom_word stop_times[CGC_TIME_BUCKETS], wait_times[CGC_TIME_BUCKETS];
} totals;

static void
count_time(atom_word *buckets, uint64_t ns) {
  unsigned bucket = 0;
  for (uint64_t us = ns / 1000; us > 0 && bucket < CGC_TIME_BUCKETS - 1; us /= 2)
    bucket++;
  atom_add_full(&buckets[bucket], 1);
}

void
stats_add_wait(uint64_t ns) {
  count_time(totals.wait_times, ns);
}

static void
raise_to(atom_word *at, uintptr_t value) {
  uintptr_t now;
  while ((now = atom_load_rlx(at)) < value && !atom_cas_full(at, now, value))
    ;
}

void
stats_add_cycle(const struct cycle_report *report) {
  const struct collection_report *collection = &report->collection;
  for (unsigned i = 0; i < collection->stop_count; i++) {
    uint64_t stop_ns = collection->stops[i].end_ns - collection->stops[i].begin_ns;
    count_time(totals.stop_times, stop_ns);
    atom_add_full(&totals.stop_total_ns, stop_ns);
    raise_to(&totals.stop_longest_ns, stop_ns);
  }
  if (collection->err) {
    atom_add_full(&totals.cycles_given_up, 1);
    return;
  }
  atom_add_full(&totals.cycles, 1);
  atom_store_rlx(&totals.live_bytes, collection->sweep.live_bytes);
  atom_store_rlx(&totals.held_blocks, collection->sweep.held_blocks);
  atom_store_rlx(&totals.held_bytes, collection->sweep.held_bytes);
  atom_add_full(&totals.reclaimed_blocks, collection->sweep.reclaimed_blocks);
  atom_add_full(&totals.reclaimed_bytes, collection->sweep.reclaimed_bytes);
}

static void
fill_version_2(struct cgc_stats *stats) {
  stats->memory_limit_bytes = memory_limit_setting();
  for (unsigned i = 0; i < CGC_TIME_BUCKETS; i++) {
    stats->stop_times[i] = atom_load_rlx(&totals.stop_times[i]);
    stats->wait_times[i] = atom_load_rlx(&totals.wait_times[i]);
  }
}

/* A caller built for an earlier version has room for its fields only. */
void
stats_fill(struct cgc_stats *stats) {
  struct cgc_stats filled = {
    .version = stats->version,
    .cycles = atom_load_rlx(&totals.cycles),
    .cycles_given_up = atom_load_rlx(&totals.cycles_given_up),
    .stop_total_ns = atom_load_rlx(&totals.stop_total_ns),
    .stop_longest_ns = atom_load_rlx(&totals.stop_longest_ns),
    .allocated_bytes = sweep_count_allocated_bytes(),
    .goal_bytes = cycle_goal_bytes(),
    .used_bytes = page_heap_used_bytes(),
    .retained_bytes = page_heap_retained_bytes(),
    .metadata_bytes = meta_bytes(),
    .live_bytes = atom_load_rlx(&totals.live_bytes),
    .held_blocks = atom_load_rlx(&totals.held_blocks),
    .held_bytes = atom_load_rlx(&totals.held_bytes),
    .reclaimed_blocks = atom_load_rlx(&totals.reclaimed_blocks),
    .reclaimed_bytes = atom_load_rlx(&totals.reclaimed_bytes),
  };
  if (stats->version >= 2)
    fill_version_2(&filled);
  memcpy(stats, &filled, stats->version >= 2 ? sizeof filled : offsetof(struct cgc_stats, memory_limit_bytes));
}
