/* SPDX-License-Identifier: MIT */
/**
 * Allocation with checks, and the macros that choose it.
 *
 * A debugging block keeps the place where it was allocated, and what was written beside it is found and reported when
 * it is freed and at collections.  It must be given to the debugging functions only.  A program uses the macros
 * GC_MALLOC etc. and decides with GC_DEBUG, defined before gc.h is included, which functions they call.
 */
#ifndef CGC_BOEHM_DEBUG_ALLOCATE_H
#define CGC_BOEHM_DEBUG_ALLOCATE_H

#include "allocate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a call is, as parameters and as arguments. */
#define GC_EXTRA_PARAMS const char *s, int i
#define GC_EXTRAS       __FILE__, __LINE__

/* ---- as the functions of the same names without debug_ ---- */

GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_atomic(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_debug_malloc_uncollectable(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_debug_malloc_atomic_uncollectable(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_debug_malloc_ignore_off_page(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_debug_malloc_atomic_ignore_off_page(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC char *GC_CALL GC_debug_strdup(const char *, GC_EXTRA_PARAMS);
GC_API GC_ATTR_MALLOC char *GC_CALL GC_debug_strndup(const char *, size_t /* bytes */, GC_EXTRA_PARAMS)
  GC_ATTR_NONNULL(1);
#ifdef GC_REQUIRE_WCSDUP
GC_API GC_ATTR_MALLOC wchar_t *GC_CALL GC_debug_wcsdup(const wchar_t *, GC_EXTRA_PARAMS) GC_ATTR_NONNULL(1);
#endif
GC_API void *GC_CALL GC_debug_realloc(void * /* block */, size_t /* bytes */, GC_EXTRA_PARAMS) GC_ATTR_ALLOC_SIZE(2);
GC_API void GC_CALL GC_debug_free(void * /* block */);

GC_API void GC_CALL GC_debug_end_stubborn_change(const void * /* block */) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_ptr_store_and_dirty(void * /* place */, const void * /* value */);
GC_API GC_ATTR_DEPRECATED void *GC_CALL GC_debug_malloc_stubborn(size_t /* bytes */, GC_EXTRA_PARAMS);
GC_API GC_ATTR_DEPRECATED void GC_CALL GC_debug_change_stubborn(const void * /* block */);

/**
 * As GC_debug_malloc and GC_debug_realloc, from an unknown place: they can stand in for malloc and realloc.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_debug_malloc_replacement(size_t /* bytes */);
GC_API GC_ATTR_ALLOC_SIZE(2) void *GC_CALL GC_debug_realloc_replacement(void * /* block */, size_t /* bytes */);

#ifdef __cplusplus
}
#endif

/* ---- the macros ---- */

#if defined(GC_DEBUG_REPLACEMENT)
#define GC_MALLOC(bytes)         GC_debug_malloc_replacement(bytes)
#define GC_REALLOC(block, bytes) GC_debug_realloc_replacement(block, bytes)
#elif defined(GC_DEBUG)
#define GC_MALLOC(bytes)         GC_debug_malloc(bytes, GC_EXTRAS)
#define GC_REALLOC(block, bytes) GC_debug_realloc(block, bytes, GC_EXTRAS)
#else
#define GC_MALLOC(bytes)         GC_malloc(bytes)
#define GC_REALLOC(block, bytes) GC_realloc(block, bytes)
#endif

#ifdef GC_DEBUG
#define GC_MALLOC_ATOMIC(bytes)                 GC_debug_malloc_atomic(bytes, GC_EXTRAS)
#define GC_MALLOC_UNCOLLECTABLE(bytes)          GC_debug_malloc_uncollectable(bytes, GC_EXTRAS)
#define GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes)   GC_debug_malloc_atomic_uncollectable(bytes, GC_EXTRAS)
#define GC_MALLOC_IGNORE_OFF_PAGE(bytes)        GC_debug_malloc_ignore_off_page(bytes, GC_EXTRAS)
#define GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes) GC_debug_malloc_atomic_ignore_off_page(bytes, GC_EXTRAS)
#define GC_STRDUP(string)                       GC_debug_strdup(string, GC_EXTRAS)
#define GC_STRNDUP(string, bytes)               GC_debug_strndup(string, bytes, GC_EXTRAS)
#define GC_FREE(block)                          GC_debug_free(block)
#define GC_END_STUBBORN_CHANGE(block)           GC_debug_end_stubborn_change(block)
#define GC_PTR_STORE_AND_DIRTY(place, value)    GC_debug_ptr_store_and_dirty(place, value)
#define GC_REGISTER_DISPLACEMENT(bytes)         GC_debug_register_displacement(bytes)
#else
#define GC_MALLOC_ATOMIC(bytes)                 GC_malloc_atomic(bytes)
#define GC_MALLOC_UNCOLLECTABLE(bytes)          GC_malloc_uncollectable(bytes)
#define GC_MALLOC_ATOMIC_UNCOLLECTABLE(bytes)   GC_malloc_atomic_uncollectable(bytes)
#define GC_MALLOC_IGNORE_OFF_PAGE(bytes)        GC_malloc_ignore_off_page(bytes)
#define GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(bytes) GC_malloc_atomic_ignore_off_page(bytes)
#define GC_STRDUP(string)                       GC_strdup(string)
#define GC_STRNDUP(string, bytes)               GC_strndup(string, bytes)
#define GC_FREE(block)                          GC_free(block)
#define GC_END_STUBBORN_CHANGE(block)           GC_end_stubborn_change(block)
#define GC_PTR_STORE_AND_DIRTY(place, value)    GC_ptr_store_and_dirty(place, value)
#define GC_REGISTER_DISPLACEMENT(bytes)         GC_register_displacement(bytes)
#endif

#ifdef GC_REQUIRE_WCSDUP
#ifdef GC_DEBUG
#define GC_WCSDUP(string) GC_debug_wcsdup(string, GC_EXTRAS)
#else
#define GC_WCSDUP(string) GC_wcsdup(string)
#endif
#endif

/* A block for a value of the type. */
#define GC_NEW(type)               ((type *)GC_MALLOC(sizeof(type)))
#define GC_NEW_ATOMIC(type)        ((type *)GC_MALLOC_ATOMIC(sizeof(type)))
#define GC_NEW_UNCOLLECTABLE(type) ((type *)GC_MALLOC_UNCOLLECTABLE(sizeof(type)))

/* Of old programs. */
#define GC_MALLOC_STUBBORN(bytes) GC_MALLOC(bytes)
#define GC_NEW_STUBBORN(type)     GC_NEW(type)
#define GC_CHANGE_STUBBORN(block) GC_change_stubborn(block)

#endif
