/* SPDX-License-Identifier: MIT */
/* Allocation: what the functions of the interface have in common. */
#ifndef CGC_LIB_BOEHM_ALLOC_H
#define CGC_LIB_BOEHM_ALLOC_H

#include "gc/alloc.h"

enum {
  GRANULE_BYTES = 16,             /* sizes and alignments are multiples of it */
  BLOCK_SCANNED = SPAN_KIND_COLLECTED,
  BLOCK_POINTER_FREE = SPAN_KIND_COLLECTED | SPAN_KIND_NOSCAN,
};

/* 1 if pointers into blocks count, and so those just past their end: blocks do not fill their slots.  Constant once
 * blocks are allocated. */
extern unsigned alloc_slop_bytes;

/* What to ask the heap for, which leaves a byte of each slot free (heap/size_class.h). */
CGC_INLINE size_t
alloc_request_bytes(size_t bytes) {
  size_t wanted = bytes + alloc_slop_bytes - 1;
  return CGC_UNLIKELY(bytes == 0 || wanted < GRANULE_BYTES - 1) ? GRANULE_BYTES - 1 : wanted;
}

/* Zeroes a block's whole slot, for a scan looks at all of it. */
void alloc_clear(void *block, size_t slot_bytes);

/* A block, zeroed unless it is pointer-free; NULL without memory, once everything has been tried but GC_oom_fn. */
void *boehm_alloc(size_t bytes, bool is_pointer_free);

/* The same with a large block at first told to be kept by pointers to its first page only. */
void *boehm_alloc_by_start(size_t bytes, bool is_pointer_free);

/* The block, or if there is none what GC_oom_fn makes of it. */
void *alloc_or_oom(void *block, size_t bytes);

/* The span of a block that starts there, or NULL. */
struct cgc_span *alloc_span_of(const void *block);

#endif
