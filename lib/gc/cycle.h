/* SPDX-License-Identifier: MIT */
/* One collection: the phases in order. */
#ifndef CGC_GC_CYCLE_H
#define CGC_GC_CYCLE_H

#include "gc/pacer.h"
#include "gc/sweep.h"
#include "gc/trace_phase.h"
#include "world/stop.h"

enum cycle_cause {
  CYCLE_CAUSE_HEAP,       /* the heap reached its goal */
  CYCLE_CAUSE_FORCED,     /* cgc_collect */
  CYCLE_CAUSE_PERIODIC,   /* two minutes without one while memory grew */
  CYCLE_CAUSE_STRESS,
  CYCLE_CAUSE_NO_MEMORY,  /* the system has no more */
};

/* What happened in a cycle.  Times are of CLOCK_MONOTONIC. */
struct cycle_report {
  uint64_t number;            /* from 1, counting those given up too */
  enum cycle_cause cause;
  int      err;               /* 0; why it was given up */
  uint64_t begin_ns;          /* stopping begins */
  uint64_t stopped_ns;        /* all threads have stopped */
  uint64_t roots_ns;          /* roots are listed */
  uint64_t marked_ns;
  uint64_t swept_ns;
  uint64_t end_ns;            /* the world runs again */
  uint64_t goal_before_bytes; /* that led to this cycle */
  uint64_t goal_after_bytes;
  uint64_t held_memory_bytes; /* of the system, when the cycle began */
  uint64_t root_bytes;
  struct stop_result  stop;
  struct trace_result trace;
  struct sweep_result sweep;
};

/* Runs a cycle.  Not between thread_cache_enter and _leave.  Returns 0, or why nothing was reclaimed:
 * ETIMEDOUT (a thread did not stop), EAGAIN (a thread that cannot be stopped ran), ENOMEM, EPERM (vfork
 * child, or option mode=off), or the errno code of a system call that is refused. */
int cycle_collect(enum cycle_cause cause);

/* Called after each cycle, with the world running, by the thread that ran it. */
extern void (*cycle_listener)(const struct cycle_report *report);

/* Before the first cycle. */
void cycle_init(void);

/* No cycle runs when this returns, and none begins any more.  False, and nothing done, in a vfork child. */
bool cycle_end_all(void);

/* Notes that a thread took that many bytes to allocate from; whether it is time to count.  Any thread. */
bool cycle_note_handed(size_t bytes);

/* Counts and decides.  If it is time, says why. */
bool cycle_is_due(enum cycle_cause *cause);

void cycle_set_percent(uint64_t percent);
uint64_t cycle_percent(void);
uint64_t cycle_goal_bytes(void);

/* In a forked child. */
void cycle_adopt_fork(void);

#endif
