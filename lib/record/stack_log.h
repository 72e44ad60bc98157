/* SPDX-License-Identifier: MIT */
/*
 * A thread's log: the stacks of its last allocations, each as what is new in it against the one before.
 *
 * Most blocks are freed soon, and their slots' records written anew.  So a stack is only written down at first, and its
 * record marked; when the log is full its oldest part is settled: the stacks whose records still have their marks are
 * stored in the depot.  A check settles all logs first.
 *
 * Invariants
 *   [log.mark]   the mark of an entry is its own as long as the entry is in the log: a record that has it is of that
 *                entry's allocation
 *   [log.whole]  the first entry of a segment has all frames of its stack: a segment can be settled without those
 *                before it, and again, if a child was forked in the midst of that
 */
#ifndef CGC_RECORD_STACK_LOG_H
#define CGC_RECORD_STACK_LOG_H

#include "record/record.h"
#include "record/stack_trail.h"

/*
 * A mark:   1 | segment | unit of 8 bytes in it
 */
enum {
  LOG_UNIT_BYTES = 8,
  LOG_SEGMENT_UNITS_LOG2 = CGC_CONFIG_HOSTILE ? 9 : 13,
  LOG_SEGMENT_UNITS = 1 << LOG_SEGMENT_UNITS_LOG2,
};

struct log_entry {
  struct record *record;
  uint16_t shared_frames;   /* outermost ones that are those of the entry before */
  uint16_t own_frames;
  uint8_t  function;
  bool     is_cut;
  uint32_t sites[];         /* of own frames, the innermost first */
};

struct log_segment {
  struct log_segment *next;
  uint32_t first_mark;
  uint32_t used_units;
  uint64_t units[LOG_SEGMENT_UNITS];
};

/* Owned by one thread. */
struct stack_log {
  struct log_segment *current;   /* that is written to; they form a ring, the oldest is the next one */
  uint64_t lost_count;           /* stacks that could not be stored for want of memory */

  /* While a segment is settled: the stack of one entry after the other, at the end of the arrays, the outermost last. */
  unsigned count;
  unsigned stored_count;    /* so many of the outermost frames have the next two */
  uint32_t sites[STACK_FRAMES_MAX];
  uint64_t hashes[STACK_FRAMES_MAX];   /* of the frame and all outer ones */
  uint32_t owners[STACK_FRAMES_MAX];   /* a stack of the depot that has the frame and all outer ones as its outermost */
};

CGC_INLINE struct log_entry *
stack_log_entry(struct log_segment *segment, uint32_t unit) {
  return (void *)&segment->units[unit];
}

CGC_INLINE uint32_t
stack_log_units(unsigned own_frames) {
  return (uint32_t)((sizeof(struct log_entry) + own_frames * sizeof(uint32_t) + LOG_UNIT_BYTES - 1) / LOG_UNIT_BYTES);
}

/* Makes an empty segment the current one.  False if there is no memory. */
bool stack_log_move_on(struct stack_log *log);

/* Room for the sites of the next stack's new frames, the innermost first; NULL if there is no memory. */
CGC_INLINE uint32_t *
stack_log_room(struct stack_log *log, unsigned frames) {
  struct log_segment *segment = log->current;
  if (CGC_UNLIKELY(!segment || segment->used_units + stack_log_units(frames) > LOG_SEGMENT_UNITS)) {
    if (!stack_log_move_on(log))
      return NULL;
    segment = log->current;
  }
  return stack_log_entry(segment, segment->used_units)->sites;
}

/* Writes down the trail's stack, of whose outermost frames so many are those of the stack before; the sites of the others
 * are in the room.  Returns the mark for the record. */
CGC_INLINE uint32_t
stack_log_add(struct stack_log *log, struct record *record, const struct stack_trail *trail, unsigned shared,
              unsigned function) {
  struct log_segment *segment = log->current;
  uint32_t at = segment->used_units;
  struct log_entry *entry = stack_log_entry(segment, at);
  unsigned own = trail->count - shared;
  while (CGC_UNLIKELY(!at && shared))
    entry->sites[own++] = site_number(trail->frames[--shared].site);
  *entry = (struct log_entry){record, (uint16_t)shared, (uint16_t)own, (uint8_t)function, trail->is_cut};
  atom_barrier_compiler();   /* a forked child finds it complete */
  segment->used_units = at + stack_log_units(own);
  return segment->first_mark + at;
}

/* Gives all records of the log the numbers of their stacks.  Its thread does not run, or calls this. */
void stack_log_settle(struct stack_log *log);

#endif
