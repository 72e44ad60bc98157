/* SPDX-License-Identifier: MIT */
/**
 * Collections: asking for them, and forbidding them.
 *
 * "Not synchronized" means: called by several threads at a time, or while another thread allocates, only within
 * GC_call_with_alloc_lock.
 */
#ifndef CGC_BOEHM_COLLECT_H
#define CGC_BOEHM_COLLECT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- now ---- */

/**
 * Asked often during a collection, with the lock held and perhaps the world stopped; a result other than 0 gives the
 * collection up.  It must not touch the heap.
 */
typedef int (GC_CALLBACK *GC_stop_func)(void);

/**
 * Runs a full collection and waits for its end.  GC_gcollect asks the default stop function.
 */
GC_API void GC_CALL GC_gcollect(void);

/**
 * As GC_gcollect, without stop function; and free memory is given back to the system.
 */
GC_API void GC_CALL GC_gcollect_and_unmap(void);

/**
 * As GC_gcollect, with another stop function.
 *
 * Returns  1, or 0 if the collection was given up or collections are forbidden.
 */
GC_API int GC_CALL GC_try_to_collect(GC_stop_func) GC_ATTR_NONNULL(1);

/**
 * The default stop function.  Both take the lock.
 */
GC_API void GC_CALL GC_set_stop_func(GC_stop_func) GC_ATTR_NONNULL(1);
GC_API GC_stop_func GC_CALL GC_get_stop_func(void);

/**
 * Does a part of a collection, if one is due.  May be called in a loop while the program has nothing to do.
 *
 * Returns  0 if nothing is left to do.
 */
GC_API int GC_CALL GC_collect_a_little(void);

/**
 * Whether GC_gcollect gives free memory back, as GC_gcollect_and_unmap does.  0 or 1.  Not synchronized.
 */
GC_API void GC_CALL GC_set_force_unmap_on_gcollect(int /* whether */);
GC_API int GC_CALL GC_get_force_unmap_on_gcollect(void);

/* ---- never ---- */

/**
 * From GC_disable to GC_enable nothing is collected, by GC_gcollect neither.  Such pairs may be nested.
 */
GC_API void GC_CALL GC_disable(void);
GC_API void GC_CALL GC_enable(void);

/**
 * Returns  Not 0 if collections are forbidden.
 */
GC_API int GC_CALL GC_is_disabled(void);

/* How many GC_disable are open.  Written by old programs; GC_DONT_GC makes GC_INIT write it. */
#ifdef GC_DONT_GC
GC_API int GC_dont_gc;
#else
GC_API GC_ATTR_DEPRECATED int GC_dont_gc;
#endif

/**
 * Whether collections start at explicit calls only.  0 or 1.  Both take the lock.
 */
GC_API void GC_CALL GC_set_disable_automatic_collection(int /* whether */);
GC_API int GC_CALL GC_get_disable_automatic_collection(void);

/**
 * Whether GC_INIT leaves out a first collection, for programs that register roots afterwards.  0 or 1.
 */
GC_API GC_ATTR_DEPRECATED int GC_dont_precollect;
GC_API void GC_CALL GC_set_dont_precollect(int /* whether */);
GC_API int GC_CALL GC_get_dont_precollect(void);

/**
 * Whether unreachable blocks are reported rather than reclaimed: see leak_detector.h.  To be set before GC_INIT.
 */
GC_API GC_ATTR_DEPRECATED int GC_find_leak;
GC_API void GC_CALL GC_set_find_leak(int /* whether */);
GC_API int GC_CALL GC_get_find_leak(void);

#ifdef __cplusplus
}
#endif

#endif
