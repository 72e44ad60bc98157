/* SPDX-License-Identifier: MIT */
/**
 * The start and the end, and fork.
 */
#ifndef CGC_BOEHM_INIT_H
#define CGC_BOEHM_INIT_H

#include "base.h"
#include "collect.h"
#include "heap_size.h"
#include "incremental.h"
#include "messages.h"
#include "stats.h"
#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Initializes the library.  Programs use GC_INIT, in main, before any other call.  More calls do nothing.
 */
GC_API void GC_CALL GC_init(void);

/**
 * Returns  Not 0 if the library is initialized or about to be.
 */
GC_API int GC_CALL GC_is_init_called(void);

/**
 * Shuts the library down; GC_INIT must not follow.
 */
GC_API void GC_CALL GC_deinit(void);

/**
 * Whether the library may be used in a child after fork: 0, not; 1, pthread_atfork sees to it; -1, the program calls
 * GC_atfork_prepare before each fork, and after it GC_atfork_parent or GC_atfork_child.  To be called before GC_INIT.
 */
GC_API void GC_CALL GC_set_handle_fork(int);
GC_API void GC_CALL GC_atfork_prepare(void);
GC_API void GC_CALL GC_atfork_parent(void);
GC_API void GC_CALL GC_atfork_child(void);

#ifdef __cplusplus
}
#endif

/* ---- GC_INIT ---- */

/* What a program has defined before it included gc.h is set. */

#ifdef GC_DONT_EXPAND
#define GC_INIT_CONF_DONT_EXPAND GC_set_dont_expand(1)
#else
#define GC_INIT_CONF_DONT_EXPAND
#endif

#ifdef GC_FORCE_UNMAP_ON_GCOLLECT
#define GC_INIT_CONF_FORCE_UNMAP_ON_GCOLLECT GC_set_force_unmap_on_gcollect(1)
#else
#define GC_INIT_CONF_FORCE_UNMAP_ON_GCOLLECT
#endif

/* GC_disable must not come before GC_init. */
#if defined(GC_DONT_GC)
#define GC_INIT_CONF_MAX_RETRIES (void)(GC_dont_gc = 1)
#elif defined(GC_MAX_RETRIES)
#define GC_INIT_CONF_MAX_RETRIES GC_set_max_retries(GC_MAX_RETRIES)
#else
#define GC_INIT_CONF_MAX_RETRIES
#endif

#ifdef GC_ALLOCD_BYTES_PER_FINALIZER
#define GC_INIT_CONF_ALLOCD_BYTES_PER_FINALIZER GC_set_allocd_bytes_per_finalizer(GC_ALLOCD_BYTES_PER_FINALIZER)
#else
#define GC_INIT_CONF_ALLOCD_BYTES_PER_FINALIZER
#endif

#ifdef GC_FREE_SPACE_DIVISOR
#define GC_INIT_CONF_FREE_SPACE_DIVISOR GC_set_free_space_divisor(GC_FREE_SPACE_DIVISOR)
#else
#define GC_INIT_CONF_FREE_SPACE_DIVISOR
#endif

#ifdef GC_FULL_FREQ
#define GC_INIT_CONF_FULL_FREQ GC_set_full_freq(GC_FULL_FREQ)
#else
#define GC_INIT_CONF_FULL_FREQ
#endif

#ifdef GC_TIME_LIMIT
#define GC_INIT_CONF_TIME_LIMIT GC_set_time_limit(GC_TIME_LIMIT)
#else
#define GC_INIT_CONF_TIME_LIMIT
#endif

#if defined(GC_MARKERS) && defined(GC_THREADS)
#define GC_INIT_CONF_MARKERS GC_set_markers_count(GC_MARKERS)
#else
#define GC_INIT_CONF_MARKERS
#endif

#if defined(GC_SIG_SUSPEND) && defined(GC_THREADS)
#define GC_INIT_CONF_SUSPEND_SIGNAL GC_set_suspend_signal(GC_SIG_SUSPEND)
#else
#define GC_INIT_CONF_SUSPEND_SIGNAL
#endif

#if defined(GC_SIG_THR_RESTART) && defined(GC_THREADS)
#define GC_INIT_CONF_THR_RESTART_SIGNAL GC_set_thr_restart_signal(GC_SIG_THR_RESTART)
#else
#define GC_INIT_CONF_THR_RESTART_SIGNAL
#endif

#ifdef GC_MAXIMUM_HEAP_SIZE
#define GC_INIT_CONF_MAXIMUM_HEAP_SIZE GC_set_max_heap_size(GC_MAXIMUM_HEAP_SIZE)
#else
#define GC_INIT_CONF_MAXIMUM_HEAP_SIZE
#endif

/* The library finds static data itself. */
#define GC_INIT_CONF_ROOTS

#ifdef GC_IGNORE_WARN
#define GC_INIT_CONF_IGNORE_WARN GC_set_warn_proc(GC_ignore_warn_proc)
#else
#define GC_INIT_CONF_IGNORE_WARN
#endif

#ifdef GC_INITIAL_HEAP_SIZE
#define GC_INIT_CONF_INITIAL_HEAP_SIZE { \
    size_t heap_size = GC_get_heap_size(); \
    if (heap_size < (GC_INITIAL_HEAP_SIZE)) \
      (void)GC_expand_hp((GC_INITIAL_HEAP_SIZE) - heap_size); \
  }
#else
#define GC_INIT_CONF_INITIAL_HEAP_SIZE
#endif

/* A block, as programs may leave out the semicolon. */
#define GC_INIT() { \
    GC_INIT_CONF_DONT_EXPAND; \
    GC_INIT_CONF_FORCE_UNMAP_ON_GCOLLECT; \
    GC_INIT_CONF_MAX_RETRIES; \
    GC_INIT_CONF_ALLOCD_BYTES_PER_FINALIZER; \
    GC_INIT_CONF_FREE_SPACE_DIVISOR; \
    GC_INIT_CONF_FULL_FREQ; \
    GC_INIT_CONF_TIME_LIMIT; \
    GC_INIT_CONF_MARKERS; \
    GC_INIT_CONF_SUSPEND_SIGNAL; \
    GC_INIT_CONF_THR_RESTART_SIGNAL; \
    GC_INIT_CONF_MAXIMUM_HEAP_SIZE; \
    GC_init(); \
    GC_INIT_CONF_ROOTS; \
    GC_INIT_CONF_IGNORE_WARN; \
    GC_INIT_CONF_INITIAL_HEAP_SIZE; \
  }

#endif
