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

/* What to ask the heap for.  It leaves a byte of each small slot free by itself (heap/size_class.h), but not of larger
 * ones. */
CGC_INLINE size_t
alloc_request_bytes(size_t bytes) {
  size_t wanted = bytes + alloc_slop_bytes;
  if (CGC_UNLIKELY(wanted < GRANULE_BYTES))
    return wanted < bytes ? bytes : GRANULE_BYTES - 1;   /* more than there can be, or hardly any */
  return wanted - (wanted <= SIZE_CLASS_PADDED_BYTES + 1);
}

/* Zeroes a block's whole slot, for a scan looks at all of it. */
void alloc_clear(void *block, size_t slot_bytes);

/* A block of its own span, zeroed unless it is pointer-free; NULL without memory. */
void *alloc_large_clear(size_t bytes, bool is_pointer_free);

/* A block, zeroed unless it is pointer-free; NULL without memory, once everything has been tried but GC_oom_fn. */
void *boehm_alloc(size_t bytes, bool is_pointer_free);

/* The same with a large block at first told to be kept by pointers to its first page only. */
void *boehm_alloc_by_start(size_t bytes, bool is_pointer_free);

/* The block, or if there is none what GC_oom_fn makes of it. */
void *alloc_or_oom(void *block, size_t bytes);

/* The span of a block that starts there, or NULL. */
struct cgc_span *alloc_span_of(const void *block);

#endif
