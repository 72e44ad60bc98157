/* SPDX-License-Identifier: MIT */
/* The sweep of all spans, each as heap/span_sweep.h says. */
#ifndef CGC_GC_SWEEP_H
#define CGC_GC_SWEEP_H

#include "heap/span_sweep.h"

#include <stdbool.h>

/* Sweeps all spans, and clears all marks or keeps those of allocated blocks.  World stopped. */
void sweep_heap_stw(bool keeps_marks, struct sweep_result *result);

/* After span_sweep_begin_stw, beside the program: sweeps those that nobody has swept yet; the result is of all. */
void sweep_heap(struct sweep_result *result);

/* Clears marks only: what was kept, or after a cycle that was given up.  No marker runs. */
void sweep_clear_marks(void);

/* Bytes in allocated blocks.  Others may run: then about. */
uint64_t sweep_count_allocated_bytes(void);

/* The same out of a sample of the spans, of other ones with the next turn. */
uint64_t sweep_estimate_allocated_bytes(size_t turn);

#endif
