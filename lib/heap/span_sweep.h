/* SPDX-License-Identifier: MIT */
/*
 * Sweeping a span: what was not marked is reclaimed, or condemned until the next cycle confirms it, and the marks are
 * cleared.  It writes to metadata alone; reclaimed slots are freed as another thread would free them.
 *
 * After a mark beside the program all used spans have yet to be swept.  The collector goes through them, and whoever is
 * about to allocate from one, to take its remote bits or to free it sweeps it first: so slots of a span that is not
 * swept can be freed meanwhile, but not allocated, and whoever sweeps may believe what it reads.  The word of a window
 * is the exception: threads allocate from it all the time, and nothing in it is judged.
 */
#ifndef CGC_HEAP_SPAN_SWEEP_H
#define CGC_HEAP_SPAN_SWEEP_H

#include "heap/span.h"

struct sweep_result {
  uint64_t live_bytes;        /* of marked blocks, and those a thread may just be allocating */
  uint64_t reclaimed_blocks;
  uint64_t reclaimed_bytes;
  uint64_t held_blocks;       /* condemned, kept until the next cycle */
  uint64_t held_bytes;
};

void sweep_result_add(struct sweep_result *sum, const struct sweep_result *part);

/* Sweeps a used span that nobody else looks at.  keeps_marks: those of allocated blocks stay, for a partial cycle. */
void span_sweep(struct cgc_span *span, bool keeps_marks, struct sweep_result *result);

/* ---- after a mark beside the program ---- */

/* Now all used spans must be swept.  World stopped. */
void span_sweep_begin_stw(void);

/* What spans must be swept in; changes with the world stopped only. */
extern atom_int span_sweep_turn;

/* Sweeps the span unless that is done; waits if it is being done.  The span is used, and the caller its owner, or the
 * program that frees a large one. */
void span_sweep_wait(struct cgc_span *span);

CGC_INLINE void
span_ensure_swept(struct cgc_span *span) {
  if (CGC_UNLIKELY(atom_int_load_acq(&span->swept_in) != atom_int_load_rlx(&span_sweep_turn)))
    span_sweep_wait(span);
}

/* Sweeps it if it is used and nobody else does, and waits if somebody does. */
void span_sweep_try(struct cgc_span *span);
void span_sweep_await(const struct cgc_span *span);

/* For a span that is being made. */
CGC_INLINE void
span_sweep_set_done(struct cgc_span *span) {
  atom_int_store_rel(&span->swept_in, atom_int_load_rlx(&span_sweep_turn));
}

/* What has been found since the sweep began. */
void span_sweep_read(struct sweep_result *result);

/* In a forked child: all spans count as swept. */
void span_sweep_adopt_fork(void);

#endif
