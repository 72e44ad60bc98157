/* SPDX-License-Identifier: MIT */
#include "gc/pacer.h"

#include "base/hull.h"

enum {
  MULTIPLIER_MAX = 2,
  FOUND_FRACTION_MIN = 64,
  NEAR_FRACTION = 16,
  OVERHEAD_FRACTION_MAX = 2,
  FLOATING_FRACTION_MAX = 2,
  FRUITLESS_LEAD_FRACTION_MAX = 6,
  STEP_FRACTION = 32,
  LIMITED_STEP_FRACTION = 16,
  LIMIT_MARGIN_FRACTION = 32,
  CONFIRMING_FRACTION = 4,
  ROOM_FRACTION_MIN = 2,
};

void
pacer_init(struct pacer *pacer, uint64_t percent, uint64_t min_heap_bytes, uint64_t cycles_to_reclaim) {
  *pacer = (struct pacer){
    .percent = percent,
    .min_heap_bytes = min_heap_bytes,
    .cycles_to_reclaim = cycles_to_reclaim,
    .is_fruitless = true,   /* until a cycle finds something */
    .multiplier = 1,
    .goal_bytes = min_heap_bytes,
    .limit_goal_bytes = UINT64_MAX,
    .distance_bytes = min_heap_bytes,
  };
}

/* Cycles of smaller heaps cost some milliseconds: not worth letting such a heap grow eightfold. */
#define SMALL_HEAP_BYTES (128 * MIB)

/* What the heap took beyond its blocks when it was largest: free slots and pages, metadata. */
static uint64_t
beyond_bytes(const struct pacer_input *found) {
  uint64_t allocated = found->live_bytes + found->held_bytes + found->reclaimed_bytes;
  return found->held_memory_bytes > allocated ? found->held_memory_bytes - allocated : 0;
}

/* Slots are some 6 % larger than what was asked for; that, too, is overhead. */
static uint64_t
overhead_bytes(const struct pacer_input *found) {
  return beyond_bytes(found) + found->live_bytes / 8;
}

/* Where most of what is new has died, a rise is taken to be a passing one, as a stale word on a stack makes it:
 * the goal is above it, but grows by what lived before. */
static uint64_t
lasting_bytes(const struct pacer *pacer, const struct pacer_input *found) {
  uint64_t before = pacer->grown_from_bytes, live = found->live_bytes;
  bool is_passing = live > before && found->reclaimed_bytes > live - before;
  return is_passing ? before : live;
}

/* What lived when it was marked and has died since: as much as the program took meanwhile, if what it takes it
 * drops. */
static uint64_t
floating_bytes(const struct pacer_input *found) {
  uint64_t dropped_bytes = min_u64(found->grown_bytes, found->reclaimed_bytes + found->held_bytes);
  return min_u64(dropped_bytes, found->live_bytes / FLOATING_FRACTION_MAX);
}

static uint64_t
growth_bytes(const struct pacer *pacer, const struct pacer_input *found) {
  uint64_t live_bytes = found->live_bytes;
  uint64_t growth = (lasting_bytes(pacer, found) + found->root_bytes) / 100 * pacer->percent * pacer->multiplier;
  growth -= min_u64(growth / OVERHEAD_FRACTION_MAX, overhead_bytes(found));
  if (live_bytes + growth < pacer->min_heap_bytes)
    growth = pacer->min_heap_bytes - live_bytes;
  uint64_t shares = pacer->cycles_to_reclaim;
  return growth / (pacer->is_fruitless ? min_u64(pacer->multiplier, shares) : shares);
}

/* The last cycle looked at what was allocated since the one before; did it pay? */
static bool
found_something(const struct pacer *pacer, const struct pacer_input *found) {
  uint64_t before = found->live_bytes + found->held_bytes + found->reclaimed_bytes;
  uint64_t grown = before > pacer->grown_from_bytes ? before - pacer->grown_from_bytes : 0;
  return found->held_bytes + found->reclaimed_bytes > grown / FOUND_FRACTION_MIN;
}

/* A program that builds what it keeps has few cycles anyway, for each finds the heap much larger; and garbage may follow,
 * for which there should be no more room than for others. */
static bool
is_building(const struct pacer *pacer, const struct pacer_input *found) {
  return found->live_bytes > pacer->grown_from_bytes + pacer->grown_from_bytes / 2;
}

/* The allocated bytes at which the heap, with what it takes beyond its blocks, is at the limit of memory. */
static uint64_t
goal_at_limit(const struct pacer_input *found) {
  uint64_t limit = found->limit_bytes - found->limit_bytes / LIMIT_MARGIN_FRACTION, beyond = beyond_bytes(found);
  return limit > beyond ? limit - beyond : 0;
}

static void
apply_limit(struct pacer *pacer, const struct pacer_input *found) {
  pacer->is_limited = false;
  pacer->limit_goal_bytes = UINT64_MAX;
  if (!found->limit_bytes || found->limit_bytes == UINT64_MAX)
    return;
  pacer->limit_goal_bytes = goal_at_limit(found);
  uint64_t kept_bytes = found->live_bytes + found->held_bytes;
  uint64_t goal = max_u64(pacer->limit_goal_bytes, kept_bytes + kept_bytes / LIMITED_STEP_FRACTION);
  pacer->is_limited = goal < pacer->goal_bytes;
  if (pacer->is_limited)
    pacer->goal_bytes = goal;
}

/* Where the heap is at its goal already, a step further. */
static void
set_distance(struct pacer *pacer, uint64_t allocated_bytes) {
  uint64_t trigger_bytes = pacer->goal_bytes - min_u64(pacer->lead_bytes, pacer->goal_bytes);
  uint64_t step_bytes = allocated_bytes / STEP_FRACTION;
  pacer->distance_bytes = trigger_bytes > allocated_bytes + step_bytes ? trigger_bytes - allocated_bytes : step_bytes;
}

/* How long before the goal the next cycle starts.  Where there is no garbage it is no loss to be late. */
static uint64_t
lead_bytes(const struct pacer *pacer, const struct pacer_input *found) {
  uint64_t bytes = found->grown_bytes + found->grown_bytes / 4;
  return pacer->is_fruitless ? min_u64(bytes, pacer->goal_bytes / FRUITLESS_LEAD_FRACTION_MAX) : bytes;
}

/* What waits for confirmation is part of the growth that the next cycle may find: a cycle that has found much, in a heap
 * that had grown for one that found nothing, is confirmed soon. */
static uint64_t
room_bytes(const struct pacer *pacer, uint64_t held_bytes, uint64_t growth) {
  uint64_t whole_growth = growth * pacer->cycles_to_reclaim;
  return min_u64(held_bytes + growth, max_u64(whole_growth, held_bytes + growth / CONFIRMING_FRACTION));
}

static uint64_t
room_left(const struct pacer *pacer) {
  return pacer->goal_bytes - min_u64(pacer->goal_bytes, pacer->grown_from_bytes);
}

void
pacer_end_cycle(struct pacer *pacer, const struct pacer_input *found) {
  pacer->is_fruitless = !found_something(pacer, found);
  if (!pacer->is_fruitless || found->live_bytes < SMALL_HEAP_BYTES || is_building(pacer, found))
    pacer->multiplier = 1;
  else if (pacer->multiplier < MULTIPLIER_MAX)
    pacer->multiplier *= 2;
  struct pacer_input lasting = *found;
  lasting.live_bytes -= floating_bytes(found);
  uint64_t growth = growth_bytes(pacer, &lasting);
  pacer->goal_bytes = lasting.live_bytes + room_bytes(pacer, lasting.held_bytes, growth);
  apply_limit(pacer, found);
  pacer->lead_bytes = lead_bytes(pacer, found);
  pacer->live_bytes = lasting.live_bytes;
  pacer->grown_from_bytes = found->live_bytes + found->held_bytes;
  pacer->room_bytes = room_left(pacer);
  set_distance(pacer, pacer->grown_from_bytes);
}

void
pacer_end_partial_cycle(struct pacer *pacer, const struct pacer_input *found) {
  pacer->lead_bytes = 0;
  pacer->live_bytes = found->live_bytes;
  pacer->grown_from_bytes = found->live_bytes + found->held_bytes;
  set_distance(pacer, pacer->grown_from_bytes);
}

bool
pacer_has_room(const struct pacer *pacer) {
  return room_left(pacer) >= pacer->room_bytes / ROOM_FRACTION_MIN;
}

void
pacer_set_percent(struct pacer *pacer, uint64_t percent) {
  struct pacer_input found = {.live_bytes = pacer->grown_from_bytes};
  pacer->percent = percent;
  pacer->goal_bytes = pacer->grown_from_bytes + growth_bytes(pacer, &found);
  pacer->distance_bytes = 0;   /* count at once */
}

void
pacer_give_up(struct pacer *pacer, uint64_t used_bytes) {
  pacer->distance_bytes = max_u64(pacer->min_heap_bytes, used_bytes / 8);
}

/* Near enough counts as reached: or what is missing would be counted again and again. */
bool
pacer_is_due(struct pacer *pacer, uint64_t allocated_bytes) {
  uint64_t trigger_bytes = pacer->goal_bytes - min_u64(pacer->lead_bytes, pacer->goal_bytes);
  if (allocated_bytes + pacer->goal_bytes / NEAR_FRACTION >= trigger_bytes)
    return true;
  set_distance(pacer, allocated_bytes);
  return false;
}
