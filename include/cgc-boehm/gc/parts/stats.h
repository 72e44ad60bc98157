/* SPDX-License-Identifier: MIT */
/**
 * Numbers, in bytes unless said otherwise.  All that are counted since the start may wrap around.
 *
 * The plain getters take no lock, so that callbacks may use them; GC_get_heap_usage_safe and GC_get_prof_stats do, and
 * their numbers fit together.
 */
#ifndef CGC_BOEHM_STATS_H
#define CGC_BOEHM_STATS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** In the heap, but for what was given back to the system. */
GC_API size_t GC_CALL GC_get_heap_size(void);

/** Free in the heap, at least. */
GC_API size_t GC_CALL GC_get_free_bytes(void);

/** Given back to the system, and to be had again. */
GC_API size_t GC_CALL GC_get_unmapped_bytes(void);

/** Allocated since the last collection. */
GC_API size_t GC_CALL GC_get_bytes_since_gc(void);

/** Freed by GC_free since the last collection. */
GC_API size_t GC_CALL GC_get_expl_freed_bytes_since_gc(void);

/** Allocated since the start. */
GC_API size_t GC_CALL GC_get_total_bytes(void);

/** Got from the system since the start. */
GC_API size_t GC_CALL GC_get_obtained_from_os_bytes(void);

/** In blocks now.  Takes the lock. */
GC_API size_t GC_CALL GC_get_memory_use(void);

/** How many collections there were. */
GC_API GC_ATTR_DEPRECATED GC_word GC_gc_no;
GC_API GC_word GC_CALL GC_get_gc_no(void);

/** GC_get_heap_size, _free_bytes, _unmapped_bytes, _bytes_since_gc, _total_bytes at once; each pointer may be NULL. */
GC_API void GC_CALL GC_get_heap_usage_safe(GC_word *, GC_word *, GC_word *, GC_word *, GC_word *);

/** Fields may be added at the end, and none is ever removed. */
struct GC_prof_stats_s {
  GC_word heapsize_full;               /* given back to the system or not */
  GC_word free_bytes_full;             /* given back to the system or not */
  GC_word unmapped_bytes;              /* given back to the system */
  GC_word bytes_allocd_since_gc;
  GC_word allocd_bytes_before_gc;      /* before the last collection */
  GC_word non_gc_bytes;                /* see GC_get_non_gc_bytes */
  GC_word gc_no;                       /* collections */
  GC_word markers_m1;                  /* threads that help marking */
  GC_word bytes_reclaimed_since_gc;    /* about */
  GC_word reclaimed_bytes_before_gc;   /* about, before the last collection */
  GC_word expl_freed_bytes_since_gc;
  GC_word obtained_from_os_bytes;
};

/**
 * Reads the numbers.
 *
 * bytes    sizeof(struct GC_prof_stats_s) as the program knows it.  Fields that the library does not know become -1.
 * Returns  How many bytes of the structure the library knows.
 */
GC_API size_t GC_CALL GC_get_prof_stats(struct GC_prof_stats_s *, size_t /* bytes */);

#ifdef GC_THREADS
/** As GC_get_prof_stats, without lock. */
GC_API size_t GC_CALL GC_get_prof_stats_unsafe(struct GC_prof_stats_s *, size_t /* bytes */);
#endif

/**
 * From GC_start_performance_measurement on the time that full collections take is added up.
 *
 * Returns  That time, in milliseconds.
 */
GC_API void GC_CALL GC_start_performance_measurement(void);
GC_API unsigned long GC_CALL GC_get_full_gc_total_time(void);

#ifdef __cplusplus
}
#endif

#endif
