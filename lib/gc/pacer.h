/* SPDX-License-Identifier: MIT */
/*
 * When the next cycle starts: arithmetic only, no locks, no system calls.
 *
 * As Go's pacer: the heap may grow by `percent` of what the last
 * cycle found alive (with the roots, which cost marking as well), less what the allocator itself takes, so
 * that the process stays within the goal.  Three differences.  Free lowers what counts as the heap: after so
 * many bytes as are missing to the goal have been handed out, what is allocated is counted.  A cycle that finds
 * next to nothing doubles the percent in force until one finds something; but not in a heap of
 * less than 128 MiB.  And a rise of what is alive amid much garbage is followed a cycle later, if it lasts.
 *
 * A cycle beside the program starts earlier than at its goal, by what the last one let the program take meanwhile, and
 * a quarter of that.  What it finds alive is taken to be more than there is by as much, if it has found as much
 * garbage, for what dies after it has been marked is found in the next cycle only: that is part of the growth.  Cycles
 * may follow each other at once then.
 *
 * A limit of memory lowers the goal, but leaves a sixteenth of the heap between two cycles: near the limit, and beyond
 * it, cycles cost no more than some 16 times what the program allocates.
 *
 * Where blocks need a second cycle to be reclaimed (option confirm) each cycle gets its share of the
 * growth, so that the heap stays within the same goal.
 *
 * A program that frees what it drops is not to pay for any of this: while cycles find next to nothing the growth is not
 * divided (nor doubled then), and the next one starts little earlier than at its goal.
 */
#ifndef CGC_GC_PACER_H
#define CGC_GC_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct pacer {
  uint64_t percent;
  uint64_t min_heap_bytes;
  uint64_t cycles_to_reclaim;   /* option confirm */

  bool     is_fruitless;        /* no cycle yet, or it found next to nothing: the heap grows by what is needed */
  uint64_t multiplier;          /* of the percent, 1 or 2 */
  uint64_t goal_bytes;          /* allocated bytes at which a cycle starts */
  uint64_t limit_goal_bytes;    /* allocated bytes that the limit of memory leaves room for */
  bool     is_limited;          /* the goal is lower than it would be, for that */
  uint64_t lead_bytes;          /* less than the goal: what the heap will grow by while a cycle goes on */
  uint64_t distance_bytes;      /* to hand out before what is allocated is counted */
  uint64_t live_bytes;          /* that the last cycle found, but for what it took to have died meanwhile */
  uint64_t grown_from_bytes;    /* allocated bytes after the last cycle */
  uint64_t room_bytes;          /* from there to the goal, when it was set */
};

/* What a cycle found. */
struct pacer_input {
  uint64_t live_bytes;
  uint64_t held_bytes;          /* garbage that is still there: for a second cycle, or until the client has seen it */
  uint64_t reclaimed_bytes;
  uint64_t root_bytes;
  uint64_t held_memory_bytes;   /* before the cycle: what the heap and its metadata took of the system */
  uint64_t limit_bytes;         /* of the same; 0 or UINT64_MAX: none */
  uint64_t grown_bytes;         /* by which the heap grew while it went on, beside the program */
};

void pacer_init(struct pacer *pacer, uint64_t percent, uint64_t min_heap_bytes, uint64_t cycles_to_reclaim);
void pacer_end_cycle(struct pacer *pacer, const struct pacer_input *found);

/* A partial cycle has found that: what it takes for alive has to be found so by a whole one before the heap grows by more
 * for it, so the goal stays. */
void pacer_end_partial_cycle(struct pacer *pacer, const struct pacer_input *found);

/* Whether enough is left to the goal for another partial cycle: else it is time for a whole one. */
bool pacer_has_room(const struct pacer *pacer);

/* Changes the percent for the goal in force too. */
void pacer_set_percent(struct pacer *pacer, uint64_t percent);

/* A cycle was given up: how long to wait before the next attempt. */
void pacer_give_up(struct pacer *pacer, uint64_t used_bytes);

/* After a count: whether to start a cycle, the goal being reached or near.  If not, sets when to
 * count again. */
bool pacer_is_due(struct pacer *pacer, uint64_t allocated_bytes);

#endif
