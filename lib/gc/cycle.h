/* SPDX-License-Identifier: MIT */
/* When collections run, and which kind. */
#ifndef CGC_GC_CYCLE_H
#define CGC_GC_CYCLE_H

#include "gc/collection.h"
#include "gc/pacer.h"

enum cycle_cause {
  CYCLE_CAUSE_HEAP,       /* the heap reached its goal */
  CYCLE_CAUSE_FORCED,     /* cgc_collect */
  CYCLE_CAUSE_PERIODIC,   /* two minutes without one while memory grew */
  CYCLE_CAUSE_STRESS,
  CYCLE_CAUSE_NO_MEMORY,  /* the system has no more */
  CYCLE_CAUSE_LOOK,       /* cycle_look */
};

/* What happened in a cycle. */
struct cycle_report {
  uint64_t number;            /* from 1, counting those given up too */
  enum cycle_cause cause;
  uint64_t goal_before_bytes; /* that led to this cycle */
  uint64_t goal_after_bytes;
  uint64_t interval_ns;       /* since the end of the one before */
  uint64_t waited_ns;         /* by threads of the program meanwhile, that were slowed down */
  uint64_t assisted_ns;       /* of that, what they marked */
  struct pacer pacer;         /* after it, from what was found: */
  struct pacer_input found;
  struct collection_report collection;
};

/* Runs a cycle; one that the heap's size has caused goes on beside the program when this returns.  Not between
 * thread_cache_enter and _leave.  Returns 0, or why nothing was reclaimed:
 * ETIMEDOUT (a thread did not stop), EAGAIN (a thread that cannot be stopped ran, each time, or a library was loaded
 * whose references it did not follow), ENOMEM, EPERM (vfork child, another mode than collect, or the client forbids it),
 * or the errno code of a system call that is refused. */
int cycle_collect(enum cycle_cause cause);

/* Runs a cycle in one stop that reclaims nothing, and looks instead.  Returns as cycle_collect, but EPERM in another mode
 * than leak.  One at a time. */
int cycle_look(const struct collection_look *look);

/* Called at the end of each cycle, with the world running, by the thread that ran it. */
extern void (*cycle_listener)(const struct cycle_report *report);

/* Before the first cycle. */
void cycle_init(void);

/* No cycle begins any more, and none runs when this returns true.  False in a vfork child, where nothing is done, and
 * if one runs beside the program. */
bool cycle_end_all(void);

/* Notes that a thread took that many bytes to allocate from; whether it is time to count.  Any thread. */
bool cycle_note_handed(size_t bytes);

/* Called when a thread has been slowed down, in a slow path; for part of that it may have marked. */
extern void (*cycle_wait_listener)(uint64_t ns);
void cycle_note_waited(uint64_t ns, uint64_t assisted_ns);

/* Lets a thread that has taken that much wait so long; for a large block no longer than until the cycle has ended.
 * Returns how long. */
uint64_t cycle_sleep(size_t bytes, uint64_t ns);

/* How long a thread that has taken that much has to wait for a cycle that goes on beside the program, which takes more
 * than was foreseen. */
uint64_t cycle_wait_ns(size_t bytes);

/* Counts and decides.  If it is time, says why. */
bool cycle_is_due(enum cycle_cause *cause);

void cycle_set_percent(uint64_t percent);
uint64_t cycle_percent(void);
uint64_t cycle_goal_bytes(void);

/* Waits for the end of a cycle, and for that of the thread that has run it; no other begins until the second is called
 * with what the first has returned: not for the same thread either, which gets EPERM.  Not inside a slow path. */
uint64_t cycle_hold_off(void);
void     cycle_let_go_on(uint64_t held);

/* Gives the calling thread a table of descriptors of its own (platform_forget_descriptors), in a stop.  0 or an errno
 * code.  Not inside a slow path. */
int cycle_take_descriptors(void);

/* In a forked child. */
void cycle_adopt_fork(void);

#endif
