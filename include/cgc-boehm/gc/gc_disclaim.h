/* SPDX-License-Identifier: MIT */
/**
 * Functions called as blocks are reclaimed: cheaper than finalizers.
 */
#ifndef GC_DISCLAIM_H
#define GC_DISCLAIM_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called for a block about to be reclaimed, with the lock held.
 *
 * Returns  0: it is reclaimed; else it stays until the next collection.
 */
typedef int (GC_CALLBACK *GC_disclaim_proc)(void * /* block */);

/**
 * Sets the function for all blocks of a kind.  GC_free does not call it.
 *
 * keeps    1: what an unreachable block points to is still there when the function is called; 0: it may not be.
 */
GC_API void GC_CALL GC_register_disclaim_proc(int /* kind */, GC_disclaim_proc, int /* keeps */) GC_ATTR_NONNULL(2);

/** A finalizer and what it is given beside the block. */
struct GC_finalizer_closure {
  GC_finalization_proc proc;
  void *cd;
};

/**
 * Must be called before GC_finalized_malloc.
 */
GC_API void GC_CALL GC_init_finalized_malloc(void);

/**
 * As GC_malloc, with a finalizer that is called as the block is reclaimed, with the lock held.  What the block points
 * to, the closure too, is still there then.  The finalizer must not make the block reachable.
 *
 * GC_base of the block is the word before it.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_finalized_malloc(size_t /* bytes */, const struct GC_finalizer_closure *) GC_ATTR_NONNULL(2);

#ifdef __cplusplus
}
#endif

#endif
