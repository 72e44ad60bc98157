/* SPDX-License-Identifier: MIT */
/*
 * The phase of marking: markers share the roots, then each other's queues, until none has work.
 */
#ifndef CGC_GC_TRACE_PHASE_H
#define CGC_GC_TRACE_PHASE_H

#include "world/roots.h"

struct trace_result {
  unsigned markers;
  uint64_t scanned_bytes;
};

/* Marks all that the roots reach.  World stopped.  0, ENOMEM, or why a root could
 * not be read. */
int trace_heap_stw(const struct root_list *roots, struct trace_result *result);

/* Scans the roots and every marked block again: aborts if anything was missed, unless is_world_still says that
 * the world has changed meanwhile. */
void trace_verify_stw(const struct root_list *roots, bool (*is_world_still)(void));

#endif
