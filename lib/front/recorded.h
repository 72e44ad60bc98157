/* SPDX-License-Identifier: MIT */
/*
 * Allocations that are recorded, in mode=leak.
 *
 * They have a kind that malloc's fast path does not use: so its windows are always empty there, it comes to its slow path
 * each time, and asks here, and pays nothing for that in other modes.  That the collector may free that kind early is of
 * no account where it frees nothing.
 */
#ifndef CGC_FRONT_RECORDED_H
#define CGC_FRONT_RECORDED_H

#include "gc/alloc.h"
#include "record/recorder.h"

#define RECORDED_KIND SPAN_KIND_COLLECTED

enum recorded_state { RECORDED_UNKNOWN, RECORDED_OFF, RECORDED_ON };

/* Unknown until the library has started, in the first allocation. */
extern atom_int recorded_state;

/* Starts the library if need be; whether allocations are recorded. */
bool recorded_ask(void);

CGC_INLINE bool
recorded_is_wanted(void) {
  return CGC_UNLIKELY(atom_int_load_rlx(&recorded_state) != RECORDED_OFF) && recorded_ask();
}

/* Known not to be recorded: for fast paths, which start nothing. */
CGC_INLINE bool
recorded_is_off(void) {
  return CGC_LIKELY(atom_int_load_rlx(&recorded_state) == RECORDED_OFF);
}

/* The kind of a block that the library itself puts into the heap, and does not record. */
CGC_INLINE unsigned
recorded_kind_of_own(void) {
  return recorded_is_wanted() ? RECORDED_KIND : 0;
}

/* NULL if there is no memory. */
CGC_INLINE void *
recorded_malloc(size_t bytes, enum record_function function) {
  return recorder_alloc(bytes, RECORDED_KIND, false, function);
}

CGC_INLINE void *
recorded_calloc(size_t bytes, enum record_function function) {
  return recorder_alloc(bytes, RECORDED_KIND, true, function);
}

#endif
