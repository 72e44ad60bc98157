/* SPDX-License-Identifier: MIT */
/**
 * Blocks whose first word points to a description of their type, the second word of which is the descriptor by which
 * the block is scanned (see gc_mark.h), as in Java's virtual tables.
 */
#ifndef GC_GCJ_H
#define GC_GCJ_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Must be called before the others.
 *
 * number    Of the function, below GC_RESERVED_MARK_PROCS: GC_GCJ_RESERVED_MARK_PROC_INDEX.
 * function  A GC_mark_proc, which scans blocks of GC_debug_gcj_malloc; their environment is 1.
 */
GC_API void GC_CALL GC_init_gcj_malloc(int /* number */, void * /* function */);

/**
 * As GC_malloc and GC_malloc_ignore_off_page; the description's address is stored in the block.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_gcj_malloc(size_t /* bytes */, void * /* description */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_gcj_malloc_ignore_off_page(size_t /* bytes */, void * /* description */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_debug_gcj_malloc(size_t /* bytes */, void * /* description */, GC_EXTRA_PARAMS);

#ifdef GC_DEBUG
#define GC_GCJ_MALLOC(bytes, description)                 GC_debug_gcj_malloc(bytes, description, GC_EXTRAS)
#define GC_GCJ_MALLOC_IGNORE_OFF_PAGE(bytes, description) GC_debug_gcj_malloc(bytes, description, GC_EXTRAS)
#else
#define GC_GCJ_MALLOC(bytes, description)                 GC_gcj_malloc(bytes, description)
#define GC_GCJ_MALLOC_IGNORE_OFF_PAGE(bytes, description) GC_gcj_malloc_ignore_off_page(bytes, description)
#endif

/** The kinds of these blocks. */
GC_API int GC_gcj_kind;
GC_API int GC_gcj_debug_kind;

#ifdef __cplusplus
}
#endif

#endif
