/* SPDX-License-Identifier: MIT */
#include "gc/partial.h"

#include "base/hull.h"
#include "base/options.h"
#include "world/dirty.h"

enum {
  STOPPED_CYCLES_MIN = CGC_CONFIG_HOSTILE ? 1 : 2,   /* in a row: else the next one may be beside the program again */
  FOUND_FRACTION_MIN = 8,
  WRITTEN_FRACTION_MAX = 2,
  SKIPPED_MAX = CGC_CONFIG_HOSTILE ? 1 : 63,
};

/* Owned by whoever holds the cycle lock. */
static unsigned stopped_cycles;   /* whole ones, since the last beside the program */
static unsigned skipped;          /* so many whole ones to come keep no marks */
static unsigned skipped_next;     /* and so many the next time */
static bool finds_much;           /* the last whole one has: else the program frees what it drops */
static bool is_first;             /* of the partial ones after a whole one */
static bool is_wanted;

static bool
is_forced(void) {
  return option(OPTION_PARTIAL) == 2;
}

/* Otherwise it would be in vain, as far as is known: pages that are watched cost a fault each when they are written
 * to. */
static bool
is_worth_it(void) {
  return is_forced() || (finds_much && stopped_cycles >= STOPPED_CYCLES_MIN && !skipped);
}

bool
partial_keeps_marks(void) {
  return option(OPTION_PARTIAL) && dirty_is_available() && is_worth_it();
}

bool
partial_is_wanted(void) {
  return is_wanted;
}

void
partial_note_beside(void) {
  stopped_cycles = 0;
  is_wanted = false;
}

/* Near the limit of memory what floats is too much. */
void
partial_note_whole(const struct pacer *pacer, const struct pacer_input *found) {
  stopped_cycles += stopped_cycles < STOPPED_CYCLES_MIN;
  skipped -= skipped > 0;
  uint64_t most_bytes = min_u64(found->live_bytes, pacer->room_bytes);   /* that the next one will find */
  finds_much = found->reclaimed_bytes + found->held_bytes > most_bytes / FOUND_FRACTION_MIN;
  is_first = true;
  is_wanted = !pacer->is_limited;
}

static void
skip_some(void) {
  skipped = skipped_next = (unsigned)min_u64(skipped_next * 2 + 1, SKIPPED_MAX);
}

/* The first one finds written what had not been watched. */
void
partial_note_partial(const struct pacer *pacer, const struct pacer_input *found, uint64_t written_bytes) {
  bool is_much_written = !is_first && !is_forced() && written_bytes > found->live_bytes / WRITTEN_FRACTION_MAX;
  bool has_room = pacer_has_room(pacer);
  is_wanted = has_room && !is_much_written;
  if (is_wanted)
    skipped_next = 0;
  else if (is_first || is_much_written)
    skip_some();
  is_first = false;
}
