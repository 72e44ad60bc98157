/* SPDX-License-Identifier: MIT */
/**
 * Collections: asking for them, forbidding them, how often they come, and being told of them.
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

/* ---- how often, and how large the heap becomes ---- */

/**
 * The larger, the more often the heap is collected, and the smaller it stays: between two collections at least
 * the size of what is scanned, divided by this, is allocated.  Not 0.  Not synchronized.
 */
GC_API GC_ATTR_DEPRECATED GC_word GC_free_space_divisor;
GC_API void GC_CALL GC_set_free_space_divisor(GC_word);
GC_API GC_word GC_CALL GC_get_free_space_divisor(void);

/**
 * At least so many bytes are allocated between two collections.  Not 0; by default 1.  Not synchronized.
 */
GC_API void GC_CALL GC_set_min_bytes_allocd(size_t /* bytes */);
GC_API size_t GC_CALL GC_get_min_bytes_allocd(void);

/**
 * A collection comes if fewer bytes than this were allocated for each finalizer registered since the last one.  0: the
 * number of finalizers does not matter.  Not synchronized.
 */
GC_API void GC_CALL GC_set_allocd_bytes_per_finalizer(GC_word /* bytes */);
GC_API GC_word GC_CALL GC_get_allocd_bytes_per_finalizer(void);

/**
 * Bytes that count as allocated, but which no collection can free, such as those of GC_malloc_uncollectable, which this
 * number includes.  Not synchronized.
 */
GC_API GC_ATTR_DEPRECATED GC_word GC_non_gc_bytes;
GC_API void GC_CALL GC_set_non_gc_bytes(GC_word /* bytes */);
GC_API GC_word GC_CALL GC_get_non_gc_bytes(void);

/**
 * Makes the heap larger by bytes.
 *
 * Returns  1, or 0 if there is no memory.
 */
GC_API int GC_CALL GC_expand_hp(size_t /* bytes */);

/**
 * Limits the heap to bytes; 0 is no limit.  Not synchronized.
 */
GC_API void GC_CALL GC_set_max_heap_size(GC_word /* bytes */);

/**
 * Whether the heap grows only by GC_expand_hp, or if nothing else helps.  0 or 1.  Not synchronized.
 */
GC_API GC_ATTR_DEPRECATED int GC_dont_expand;
GC_API void GC_CALL GC_set_dont_expand(int /* whether */);
GC_API int GC_CALL GC_get_dont_expand(void);

/**
 * How many collections are tried when the heap cannot grow, before there is no memory.  Not synchronized.
 */
GC_API GC_ATTR_DEPRECATED GC_word GC_max_retries;
GC_API void GC_CALL GC_set_max_retries(GC_word /* times */);
GC_API GC_word GC_CALL GC_get_max_retries(void);

/* Whether the whole heap is used before it is collected. */
GC_API GC_ATTR_DEPRECATED int GC_use_entire_heap;

/**
 * Whether code may be run in blocks.  To be called before GC_INIT.
 */
GC_API void GC_CALL GC_set_pages_executable(int /* whether */);
GC_API int GC_CALL GC_get_pages_executable(void);

/* ---- collecting beside the program ---- */

/**
 * Has collections done in parts.  To be called early; it includes GC_init.
 */
GC_API void GC_CALL GC_enable_incremental(void);
GC_API int GC_CALL GC_is_incremental_mode(void);

/**
 * Begins a collection in parts.  Takes the lock.
 */
GC_API void GC_CALL GC_start_incremental_collection(void);

/**
 * Returns  What memory is write-protected meanwhile, such that system calls that write to it may fail: 0 or more of
 *          GC_PROTECTS_, or-ed.
 */
GC_API int GC_CALL GC_incremental_protection_needs(void);
#define GC_PROTECTS_NONE         0
#define GC_PROTECTS_POINTER_HEAP 1
#define GC_PROTECTS_PTRFREE_HEAP 2
#define GC_PROTECTS_STATIC_DATA  4
#define GC_PROTECTS_STACK        8

/**
 * Whether the program itself tells of all its writes, by GC_end_stubborn_change.  To be called before
 * GC_enable_incremental.  Not synchronized.
 */
GC_API void GC_CALL GC_set_manual_vdb_allowed(int /* whether */);
GC_API int GC_CALL GC_get_manual_vdb_allowed(void);

/**
 * The longest a part should take, in milliseconds and a fraction in nanoseconds; GC_TIME_UNLIMITED is no limit.
 * GC_set_time_limit leaves the fraction as it is.  Not synchronized.
 */
struct GC_timeval_s {
  unsigned long tv_ms;
  unsigned long tv_nsec;   /* less than 1000000 */
};
#define GC_TIME_UNLIMITED 999999
GC_API GC_ATTR_DEPRECATED unsigned long GC_time_limit;
GC_API void GC_CALL GC_set_time_limit(unsigned long /* milliseconds */);
GC_API unsigned long GC_CALL GC_get_time_limit(void);
GC_API void GC_CALL GC_set_time_limit_tv(struct GC_timeval_s);
GC_API struct GC_timeval_s GC_CALL GC_get_time_limit_tv(void);

/**
 * How many collections of young blocks come between two of all.  Not synchronized.
 */
GC_API GC_ATTR_DEPRECATED int GC_full_freq;
GC_API void GC_CALL GC_set_full_freq(int);
GC_API int GC_CALL GC_get_full_freq(void);

/**
 * How much a part does, in pages.  Not 0.  Not synchronized.
 */
GC_API void GC_CALL GC_set_rate(int /* pages */);
GC_API int GC_CALL GC_get_rate(void);

/**
 * How many times a final stop of the world may be given up for taking too long.  Not synchronized.
 */
GC_API void GC_CALL GC_set_max_prior_attempts(int /* times */);
GC_API int GC_CALL GC_get_max_prior_attempts(void);

/* ---- marking with several threads ---- */

/**
 * Starts the threads that help marking, if there are to be any: after fork in a child, or in a program of one thread.
 * Takes the lock.
 */
GC_API void GC_CALL GC_start_mark_threads(void);

#ifdef GC_THREADS
/**
 * How many threads should mark, with that which collects; 0: as the collector thinks fit.  To be called before GC_INIT.
 */
GC_API void GC_CALL GC_set_markers_count(unsigned);

/**
 * How many threads help marking, beside that which collects.
 */
GC_API GC_ATTR_DEPRECATED int GC_parallel;
GC_API int GC_CALL GC_get_parallel(void);
#endif

/* ---- being told ---- */

typedef enum {
  GC_EVENT_START,   /* of a collection */
  GC_EVENT_MARK_START,
  GC_EVENT_MARK_END,
  GC_EVENT_RECLAIM_START,
  GC_EVENT_RECLAIM_END,
  GC_EVENT_END,     /* of a collection */
  GC_EVENT_PRE_STOP_WORLD,
  GC_EVENT_POST_STOP_WORLD,
  GC_EVENT_PRE_START_WORLD,
  GC_EVENT_POST_START_WORLD,
  GC_EVENT_THREAD_SUSPENDED,
  GC_EVENT_THREAD_UNSUSPENDED
} GC_EventType;

/**
 * Called at each step of a collection, with the lock held and perhaps the world stopped.  NULL is none.  The setter and
 * the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_on_collection_event_proc)(GC_EventType);
GC_API void GC_CALL GC_set_on_collection_event(GC_on_collection_event_proc);
GC_API GC_on_collection_event_proc GC_CALL GC_get_on_collection_event(void);

#ifdef GC_THREADS
/**
 * Called for each thread (a pthread_t) that is stopped or goes on, with the lock held.  NULL is none.  The setter and the
 * getter take the lock.
 */
typedef void (GC_CALLBACK *GC_on_thread_event_proc)(GC_EventType, void * /* thread */);
GC_API void GC_CALL GC_set_on_thread_event(GC_on_thread_event_proc);
GC_API GC_on_thread_event_proc GC_CALL GC_get_on_thread_event(void);
#endif

/**
 * Called when the heap has become larger or smaller, with the lock held and the world stopped.  NULL is none.  The setter
 * and the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_on_heap_resize_proc)(GC_word /* bytes */);
GC_API GC_ATTR_DEPRECATED GC_on_heap_resize_proc GC_on_heap_resize;
GC_API void GC_CALL GC_set_on_heap_resize(GC_on_heap_resize_proc);
GC_API GC_on_heap_resize_proc GC_CALL GC_get_on_heap_resize(void);

#ifdef __cplusplus
}
#endif

#endif
