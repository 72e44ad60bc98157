/* SPDX-License-Identifier: MIT */
/*
 * The sweep: what was not marked is reclaimed, or condemned until the next cycle confirms it.
 * It writes to metadata alone; reclaimed slots are freed as another thread would free them.
 */
#ifndef CGC_GC_SWEEP_H
#define CGC_GC_SWEEP_H

#include "heap/span.h"

struct sweep_result {
  uint64_t live_bytes;        /* of marked blocks, and those a thread may just be allocating */
  uint64_t reclaimed_blocks;
  uint64_t reclaimed_bytes;
  uint64_t held_blocks;       /* condemned, kept until the next cycle */
  uint64_t held_bytes;
};

/* Sweeps all spans and clears all marks.  World stopped. */
void sweep_heap_stw(struct sweep_result *result);

/* Clears marks only, after a cycle that was given up. */
void sweep_clear_marks_stw(void);

/* Bytes in allocated blocks.  Others may run: then about. */
uint64_t sweep_count_allocated_bytes(void);

/* The same out of a sample of the spans, of other ones with the next turn. */
uint64_t sweep_estimate_allocated_bytes(size_t turn);

#endif
