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
  uint64_t revived_bytes;   /* marked on the client's behalf alone, when all was marked that the roots reach */
};

/* Marks all that the roots reach.  goes_on: trace_written_stw may follow in the next cycle.  World stopped.  Adds to the
 * result.  0, ENOMEM, or why a root could not be read. */
int trace_heap_stw(const struct root_list *roots, bool goes_on, struct trace_result *result);

/* Marks what the roots and marked blocks on those pages reach by way of blocks that are not marked: the rest of a heap
 * of which all that marked blocks on other pages point to is marked.  Likewise. */
int trace_written_stw(const struct root_list *roots, const struct dirty_pages *pages, struct trace_result *result);

/* When that is done: what the client marks, and then what it decides by the marks (gc/client.h).  Likewise. */
int trace_client_stw(struct trace_result *result);

/* ---- beside the program: between these two frees of pages are put off ---- */

int  trace_begin_beside(void);   /* 0 or ENOMEM */
void trace_end_beside(void);

/* Marks what the roots of that kind point to, less those that are watched.  0, or why one could not be read. */
int trace_roots_beside(const struct root_list *roots, enum root_kind kind, struct trace_result *result);

/* Marks all that marked blocks reach, having looked once more at those in these pages (or NULL), as they may have been
 * written to.  By one marker until trace_call_help, then by the crew.  0 or ENOMEM. */
int trace_beside(const struct dirty_pages *pages, struct trace_result *result);

/* The program takes more than one marker keeps up with.  Any thread, at any time. */
void trace_call_help(void);

/* Marks all that the roots and those pages reach: what is left of a mark beside the program.  World stopped.  Adds to
 * the result.  Not finished by deadline_ns, the same pages and all that is grey are left to trace_beside.  0, or why a
 * root could not be read. */
int trace_finish_stw(const struct root_list *roots, const struct dirty_pages *pages, uint64_t deadline_ns,
                     bool *is_finished, struct trace_result *result);

/* Scans the roots and every marked block again: aborts if anything was missed, unless is_world_still says that
 * the world has changed meanwhile.  knows_seen: not all was scanned in this stop. */
void trace_verify_stw(const struct root_list *roots, bool knows_seen, bool (*is_world_still)(void));

#endif
