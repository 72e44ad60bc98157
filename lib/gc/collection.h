/* SPDX-License-Identifier: MIT */
/* One collection: the phases in order. */
#ifndef CGC_GC_COLLECTION_H
#define CGC_GC_COLLECTION_H

#include "gc/sweep.h"
#include "gc/trace_phase.h"
#include "world/stop.h"

enum { COLLECTION_STOPS_MAX = 9, COLLECTION_ROUNDS_MAX = 16 };

/* One stop of the world.  Times are of CLOCK_MONOTONIC. */
struct collection_stop {
  uint64_t begin_ns;          /* stopping begins */
  uint64_t stopped_ns;        /* all threads have stopped */
  uint64_t collected_ns;      /* written pages are known; 0 if they were not asked for */
  uint64_t roots_ns;          /* roots are listed; likewise */
  uint64_t marked_ns;         /* likewise */
  uint64_t end_ns;            /* the threads are told to go on */
  size_t   dirty_pages;       /* found in it */
};

/* A look at what can be reached, on behalf of a thread whose own stack counts from there: what is below is ours. */
struct collection_look {
  void    (*look_stw)(const struct root_list *roots);   /* called after the mark */
  uintptr_t stack_pointer;
};

/* What happened in a collection. */
struct collection_report {
  const struct collection_look *look;   /* instead of reclaiming anything; or NULL */
  int      err;               /* 0; why it was given up */
  bool     lacks_references;  /* given up, as references count that it did not follow (gc/mark_relative.h) */
  bool     hides_references;  /* given up: what counts is not known (gc/hidden_references.h) */
  bool     is_beside;         /* marked while the program ran */
  bool     keeps_marks;       /* stopped: for the next cycle; set by the caller, cleared where that cannot be */
  bool     may_be_partial;    /* stopped: if the one before has kept them; set by the caller */
  bool     is_partial;        /* did not look at what that has found, but where it had been written to: so many pages */
  size_t   written_pages;
  uint64_t expected_bytes;    /* beside: that the program is likely to take meanwhile; set by the caller */
  uint64_t begin_ns;
  uint64_t armed_ns;          /* beside: pages are watched */
  uint64_t swept_ns;
  uint64_t end_ns;
  uint64_t held_memory_bytes; /* of the system, when it was largest */
  uint64_t root_bytes;
  uint64_t stop_root_bytes;   /* beside: of them, what the last stop looks at, written or not */
  unsigned stop_count;
  struct collection_stop stops[COLLECTION_STOPS_MAX];
  unsigned preclean_rounds;
  size_t   preclean_pages[COLLECTION_ROUNDS_MAX];   /* of each; of the last one here and all after it */
  uint64_t cpu_ns;            /* of processor time, if there is a trace */
  struct stop_result  stop;   /* the last one */
  struct trace_result trace;
  struct sweep_result sweep;
};

/* Atomic: a mark beside the program cannot end as long as that writes to so much memory, most of which will be new: who
 * allocates is to slow down.  Not for long. */
extern atom_int collection_is_catching_up;

/* Stops the world, as one of the stops of the report; 0 or an errno code as of stop_world_begin. */
int  collection_stop_world(struct collection_report *report);
void collection_start_world(struct collection_report *report);

/* All of it in one stop.  The caller's stack counts from stack_pointer, or not at all (0). */
void collection_run_stopped(struct collection_report *report, uintptr_t stack_pointer);

/* Beside the program, on the collector's thread, which was made in the first stop of the report.  Only if
 * dirty_is_available. */
void collection_run_beside(struct collection_report *report);

#endif
