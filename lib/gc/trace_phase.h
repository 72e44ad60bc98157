/* SPDX-License-Identifier: MIT */
/*
 * The phase of marking: markers share the roots, then each other's queues, until none has work.
 */
#ifndef CGC_GC_TRACE_PHASE_H
#define CGC_GC_TRACE_PHASE_H

#include "gc/dirty_heap.h"
#include "world/roots.h"

struct trace_result {
  unsigned markers;
  uint64_t scanned_bytes;
};

/* Marks all that the roots reach.  World stopped.  Adds to the result.  0, ENOMEM, or why a root could
 * not be read. */
int trace_heap_stw(const struct root_list *roots, struct trace_result *result);

/* ---- beside the program, by one marker: between these two frees of pages are put off ---- */

int  trace_begin_beside(struct trace_result *result);   /* 0 or ENOMEM */
void trace_end_beside(void);

/* Marks what the roots of that kind point to.  0, or why one could not be read. */
int trace_roots_beside(const struct root_list *roots, enum root_kind kind);

/* Marks what marked blocks in those pages point to, as they may have been written to. */
void trace_pages_beside(const struct dirty_pages *pages);

/* Marks all that marked blocks reach. */
void trace_drain_beside(struct trace_result *result);

/* Marks all that the roots and those pages reach: what is left of a mark beside the program.  World stopped.  Adds to the
 * result.  0, or why a root could not be read. */
int trace_finish_stw(const struct root_list *roots, const struct dirty_pages *pages, struct trace_result *result);

/* Scans the roots and every marked block again: aborts if anything was missed, unless is_world_still says that
 * the world has changed meanwhile. */
void trace_verify_stw(const struct root_list *roots, bool was_beside, bool (*is_world_still)(void));

#endif
