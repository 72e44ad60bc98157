/* SPDX-License-Identifier: MIT */
#include "gc/partial.h"

#include "base/hull.h"
#include "base/options.h"
#include "world/dirty.h"

enum {
  STOPPED_CYCLES_MIN = CGC_CONFIG_HOSTILE ? 1 : 2,   /* in a row: else the next one may be beside the program again */
  FOUND_FRACTION_MIN = 8,
  SKIPPED_MAX = CGC_CONFIG_HOSTILE ? 1 : 63,
};

/* Owned by whoever holds the cycle lock. */
static unsigned stopped_cycles;   /* whole ones, since the last beside the program */
static unsigned skipped;          /* so many whole ones to come keep no marks */
static unsigned skipped_next;     /* and so many the next time */
static bool is_first;             /* of the partial ones after a whole one */
static bool is_wanted;

/* Otherwise it would be in vain, as far as is known. */
static bool
is_worth_it(void) {
  return option(OPTION_PARTIAL) == 2 || (stopped_cycles >= STOPPED_CYCLES_MIN && !skipped);
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

/* A program that frees what it drops has nothing to gain. */
static bool
has_found_much(const struct pacer_input *found) {
  return option(OPTION_PARTIAL) == 2 ||
         found->reclaimed_bytes + found->held_bytes > found->live_bytes / FOUND_FRACTION_MIN;
}

/* Near the limit of memory what floats is too much. */
void
partial_note_whole(const struct pacer *pacer, const struct pacer_input *found) {
  stopped_cycles += stopped_cycles < STOPPED_CYCLES_MIN;
  skipped -= skipped > 0;
  is_first = true;
  is_wanted = !pacer->is_limited && has_found_much(found);
}

void
partial_note_partial(const struct pacer *pacer) {
  is_wanted = pacer_has_room(pacer);
  if (is_wanted)
    skipped_next = 0;
  else if (is_first)
    skipped = skipped_next = (unsigned)min_u64(skipped_next * 2 + 1, SKIPPED_MAX);
  is_first = false;
}
