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

struct log_segment;

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

/* Room for the sites of the next stack's new frames, the innermost first; NULL if there is no memory. */
uint32_t *stack_log_room(struct stack_log *log, unsigned frames);

/* Writes down the trail's stack, of whose outermost frames so many are those of the stack before; the sites of the others
 * are in the room.  Returns the mark for the record. */
uint32_t stack_log_add(struct stack_log *log, struct record *record, const struct stack_trail *trail, unsigned shared,
                       unsigned function);

/* Gives all records of the log the numbers of their stacks.  Its thread does not run, or calls this. */
void stack_log_settle(struct stack_log *log);

#endif
