/* SPDX-License-Identifier: MIT */
/**
 * How large the heap becomes, and how often it is collected.
 *
 * "Not synchronized" means: called by several threads at a time, or while another thread allocates, only within
 * GC_call_with_alloc_lock.
 */
#ifndef CGC_BOEHM_HEAP_SIZE_H
#define CGC_BOEHM_HEAP_SIZE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
