/* SPDX-License-Identifier: MIT */
#include "report/stats.h"

#include "base/meta.h"
#include "heap/page_heap.h"

/* Atomic: added to by the thread that ran a cycle, read by any. */
static struct {
  atom_word cycles, cycles_given_up;
  atom_word stop_total_ns, stop_longest_ns;
  atom_word live_bytes, held_blocks, held_bytes;
  atom_word reclaimed_blocks, reclaimed_bytes;
} totals;

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

void
stats_fill(struct cgc_stats *stats) {
  *stats = (struct cgc_stats){
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
}
