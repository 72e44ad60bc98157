/* SPDX-License-Identifier: MIT */
/**
 * Collections in parts, beside the program, and by several threads.
 *
 * "Not synchronized" means: called by several threads at a time, or while another thread allocates, only within
 * GC_call_with_alloc_lock.
 */
#ifndef CGC_BOEHM_INCREMENTAL_H
#define CGC_BOEHM_INCREMENTAL_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
