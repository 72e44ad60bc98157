/* SPDX-License-Identifier: MIT */
/*
 * Allocation: the fast path inline, and out of line what happens when it has no slot: refill, start
 * a cycle, grow, give up.  Here alone the heap and the collector meet.
 */
#ifndef CGC_GC_ALLOC_H
#define CGC_GC_ALLOC_H

#include "heap/thread_cache.h"

/* A block with a span of its own, aligned to align_pages pages, or NULL.  *is_zero, unless NULL, tells
 * whether its memory is known to be zero. */
void *alloc_large(size_t bytes, unsigned kind, size_t align_pages, bool *is_zero);

/* The fast path: a block out of a window, or NULL.  There is no window for large blocks. */
CGC_INLINE void *
alloc_fast(size_t bytes, unsigned kind) {
  return thread_cache_try_pop(thread_cache_self, span_class_of(size_class_of(bytes), kind));
}

/* A block of any size, taken inside the library (thread_cache_enter). */
void *alloc_slow(size_t bytes, unsigned kind);

/* Within a slow path, by the thread whose cache it is: a block of a small size class, whose window has no slot; NULL if
 * there is no memory. */
void *alloc_from_next_window(struct thread_cache *cache, unsigned span_class);

/* The same, whether the window has one or not. */
CGC_INLINE void *
alloc_inside(struct thread_cache *cache, unsigned span_class) {
  void *block = thread_cache_try_pop(cache, span_class);
  return CGC_LIKELY(block != NULL) ? block : alloc_from_next_window(cache, span_class);
}

/* A block of bytes of any size; NULL if there is no memory or it is over PTRDIFF_MAX. */
CGC_INLINE void *
alloc_block(size_t bytes, unsigned kind) {
  void *block = alloc_fast(bytes, kind);
  return CGC_LIKELY(block != NULL) ? block : alloc_slow(bytes, kind);
}

/* The same, zeroed. */
void *alloc_zeroed(size_t bytes, unsigned kind);

/* The same, aligned to a power of two. */
void *alloc_aligned(size_t bytes, size_t alignment, unsigned kind);

/* For caches that several threads share: what a slow path does before it takes a slot; and, inside of one, a fresh span
 * of a small size class, or NULL.  It must be in a cache when the thread leaves. */
void             alloc_collect_if_due(void);
struct cgc_span *alloc_fresh_span(struct thread_cache *self, unsigned span_class);

enum free_verdict {
  FREE_VERDICT_FREED,
  FREE_VERDICT_DOUBLE,      /* the slot is free already */
  FREE_VERDICT_INTERIOR,    /* not the start of a block */
  FREE_VERDICT_NO_BLOCK,    /* in the heap's range, but nothing is allocated there */
  FREE_VERDICT_FOREIGN,     /* not in the heap's range */
};

/* The fast path: frees a slot of this thread's own. */
CGC_INLINE enum free_result
free_fast(void *block) {
  struct cgc_span *span = heap_map_span((uintptr_t)block);
  if (CGC_UNLIKELY(!span))
    return FREE_NO_SPAN;
  return thread_cache_free_own(thread_cache_self, span, (uintptr_t)block);
}

/* What the fast path has not done, or not to the end. */
enum free_verdict free_slow(void *block, enum free_result result);

CGC_INLINE enum free_verdict
free_block(void *block) {
  enum free_result result = free_fast(block);
  return CGC_LIKELY(result == FREE_DONE) ? FREE_VERDICT_FREED : free_slow(block, result);
}

/* Whether a slot wastes too little to move the block for that size. */
CGC_INLINE bool
alloc_slot_suits(const struct cgc_span *span, size_t bytes) {
  size_t slot_bytes = span->slot_bytes;
  return bytes <= slot_bytes && bytes >= slot_bytes / 2;
}

/* The fast path of realloc: true if the block is this thread's and stays where it is.  0 bytes suit no
 * slot; a large block has none, and no owner. */
CGC_INLINE bool
alloc_stays(const void *block, size_t bytes) {
  const struct cgc_span *span = heap_map_span((uintptr_t)block);
  return span && alloc_slot_suits(span, bytes) && thread_cache_owns(thread_cache_self, span, (uintptr_t)block);
}

/* The used span whose block starts at block, or NULL and why in *verdict. */
struct cgc_span *alloc_find_block(const void *block, enum free_verdict *verdict);

/* Resizes a block of ours in place if that wastes little.  False: move it. */
bool alloc_resize_in_place(struct cgc_span *span, size_t bytes);

#endif
