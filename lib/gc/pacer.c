/* SPDX-License-Identifier: MIT */
#include "gc/pacer.h"

#include "base/compiler.h"

enum { MULTIPLIER_MAX = 8, FOUND_FRACTION_MIN = 64 };

void
pacer_init(struct pacer *pacer, uint64_t percent, uint64_t min_heap_bytes, uint64_t cycles_to_reclaim) {
  *pacer = (struct pacer){
    .percent = percent,
    .min_heap_bytes = min_heap_bytes,
    .cycles_to_reclaim = cycles_to_reclaim,
    .multiplier = 1,
    .goal_bytes = min_heap_bytes,
    .check_bytes = min_heap_bytes,
  };
}

static uint64_t
growth_bytes(const struct pacer *pacer, uint64_t live_bytes, uint64_t root_bytes) {
  uint64_t growth = (live_bytes + root_bytes) / 100 * pacer->percent * pacer->multiplier;
  if (live_bytes + growth < pacer->min_heap_bytes)
    growth = pacer->min_heap_bytes - live_bytes;
  return growth / pacer->cycles_to_reclaim;
}

/* The last cycle looked at what was allocated since the one before; did it pay? */
static bool
found_something(const struct pacer *pacer, const struct pacer_input *found) {
  uint64_t before = found->live_bytes + found->held_bytes + found->reclaimed_bytes;
  uint64_t grown = before > pacer->grown_from_bytes ? before - pacer->grown_from_bytes : 0;
  return found->held_bytes + found->reclaimed_bytes > grown / FOUND_FRACTION_MIN;
}

void
pacer_end_cycle(struct pacer *pacer, const struct pacer_input *found) {
  if (found_something(pacer, found))
    pacer->multiplier = 1;
  else if (pacer->multiplier < MULTIPLIER_MAX)
    pacer->multiplier *= 2;
  uint64_t growth = growth_bytes(pacer, found->live_bytes, found->root_bytes);
  pacer->grown_from_bytes = found->live_bytes + found->held_bytes;
  pacer->goal_bytes = pacer->grown_from_bytes + growth;
  pacer->check_bytes = found->used_bytes + growth;
}

void
pacer_set_percent(struct pacer *pacer, uint64_t percent, uint64_t used_bytes) {
  pacer->percent = percent;
  pacer->goal_bytes = pacer->grown_from_bytes + growth_bytes(pacer, pacer->grown_from_bytes, 0);
  pacer->check_bytes = used_bytes;   /* count soon */
}

bool
pacer_is_due(struct pacer *pacer, uint64_t allocated_bytes, uint64_t used_bytes) {
  if (allocated_bytes >= pacer->goal_bytes)
    return true;
  pacer->check_bytes = used_bytes + (pacer->goal_bytes - allocated_bytes);
  return false;
}
