/* SPDX-License-Identifier: MIT */
/**
 * Allocation, and what is known of blocks.
 *
 * All but the "ignore_off_page" kinds: a block lives while a word of a root or of another block that is scanned points
 * to it.  Pointers to its start always count; pointers into it do from stacks and registers, and from elsewhere as
 * GC_set_all_interior_pointers and GC_register_displacement say.
 */
#ifndef CGC_BOEHM_ALLOCATE_H
#define CGC_BOEHM_ALLOCATE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Allocates a zeroed block that is scanned: each aligned word in it may be a pointer.
 *
 * bytes    Any.
 * Returns  The block, aligned to 16 bytes; what the out-of-memory function returns, by default NULL, if there is none.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc(size_t /* bytes */);

/**
 * As GC_malloc, for what holds no pointers: the block is not scanned, and not zeroed.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_atomic(size_t /* bytes */);

/**
 * As GC_malloc and GC_malloc_atomic, but the block lives until GC_free, reachable or not.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_uncollectable(size_t /* bytes */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_atomic_uncollectable(size_t /* bytes */);

/**
 * As GC_malloc and GC_malloc_atomic, for large arrays: the program promises that as long as it uses the block a pointer
 * to one of its first 256 bytes exists.  Pointers beyond need not keep it, so fewer integers keep it by accident.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_ignore_off_page(size_t /* bytes */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_atomic_ignore_off_page(size_t /* bytes */);

/**
 * Copies a string, or at most bytes characters of it and a zero byte, into a block that is not scanned.
 *
 * Returns  The copy, or NULL: no memory, or GC_strdup was given NULL.
 */
GC_API GC_ATTR_MALLOC char *GC_CALL GC_strdup(const char *);
GC_API GC_ATTR_MALLOC char *GC_CALL GC_strndup(const char *, size_t /* bytes */) GC_ATTR_NONNULL(1);

#ifdef GC_REQUIRE_WCSDUP
/** As GC_strdup for wide characters, with a library built to have it. */
GC_API GC_ATTR_MALLOC wchar_t *GC_CALL GC_wcsdup(const wchar_t *) GC_ATTR_NONNULL(1);
#endif

/**
 * As GC_malloc, aligned.  GC_posix_memalign stores the block.
 *
 * alignment  A power of two, in bytes; for GC_posix_memalign also a multiple of a pointer's size.
 * Returns    The block as GC_malloc does; GC_posix_memalign 0, EINVAL or ENOMEM.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(2) void *GC_CALL GC_memalign(size_t /* alignment */, size_t /* bytes */);
GC_API int GC_CALL GC_posix_memalign(void ** /* block */, size_t /* alignment */, size_t /* bytes */)
  GC_ATTR_NONNULL(1);

/**
 * Resizes a block as realloc(3) does; it stays scanned or not, collectable or not.
 *
 * block    The start of a block, not a typed one; NULL allocates as GC_malloc does.
 * bytes    0 frees the block.
 * Returns  The block, perhaps at another address, the rest of it zeroed if it is scanned; NULL if bytes is 0, or if
 *          there is no memory, and then the block is as it was.
 */
GC_API void *GC_CALL GC_realloc(void * /* block */, size_t /* bytes */) GC_ATTR_ALLOC_SIZE(2);

/**
 * Frees a block at once.
 *
 * block    The start of a block without finalizer or links, or NULL.
 */
GC_API void GC_CALL GC_free(void * /* block */);

/**
 * Allocates several blocks of one size at once, to take fewer locks.
 *
 * bytes    Of each block.
 * Returns  A list: GC_NEXT of each block is the next one, and of the last NULL.  While the first is reachable all are.
 *          NULL if there is no memory.
 */
GC_API GC_ATTR_MALLOC void *GC_CALL GC_malloc_many(size_t /* bytes */);
#define GC_NEXT(block) (*(void **)(block))

/* ---- when there is no memory ---- */

/**
 * Called when there is no memory for bytes; what it returns is what the allocation returns: NULL, or a block.
 */
typedef void *(GC_CALLBACK *GC_oom_func)(size_t /* bytes */);
GC_API GC_ATTR_DEPRECATED GC_oom_func GC_oom_fn;

/**
 * Both take the lock.
 */
GC_API void GC_CALL GC_set_oom_fn(GC_oom_func) GC_ATTR_NONNULL(1);
GC_API GC_oom_func GC_CALL GC_get_oom_fn(void);

/**
 * Ends the program, as there is no memory.
 */
GC_API void GC_CALL GC_abort_on_oom(void);

/* ---- what is known of a block ---- */

/**
 * address  Any.
 * Returns  The start of the block that the address is in (of a debugging block: of its header), or NULL.
 */
GC_API void *GC_CALL GC_base(void * /* address */);

/**
 * Returns  Not 0 if the address is in the heap.  Faster than GC_base.
 */
GC_API int GC_CALL GC_is_heap_ptr(const void * /* address */);

/**
 * block    The start of a block.
 * Returns  Its size in bytes, at least as was asked for.
 */
GC_API size_t GC_CALL GC_size(const void * /* block */) GC_ATTR_NONNULL(1);

/**
 * Returns  The size in bytes of blocks allocated for index bytes, or (size_t)-1 if the index is beyond the table of
 *          small sizes.
 */
GC_API size_t GC_CALL GC_get_size_map_at(int /* index */);

/* ---- which pointers keep a block ---- */

/**
 * Whether pointers into blocks, not only to their start, count wherever they are.  0 or 1; to be set before GC_INIT.
 */
GC_API GC_ATTR_DEPRECATED int GC_all_interior_pointers;
GC_API void GC_CALL GC_set_all_interior_pointers(int /* whether */);
GC_API int GC_CALL GC_get_all_interior_pointers(void);

/**
 * Pointers this many bytes behind the start of a block count, too, wherever they are.  To be called before blocks are
 * allocated.  GC_debug_register_displacement is for blocks of the debugging functions; GC_REGISTER_DISPLACEMENT
 * chooses.
 */
GC_API void GC_CALL GC_register_displacement(size_t /* bytes */);
GC_API void GC_CALL GC_debug_register_displacement(size_t /* bytes */);

/* ---- writes, told by hand ---- */

/**
 * The block has been written to.  Needed only in the mode of GC_set_manual_vdb_allowed, after each store of a pointer;
 * GC_reachable_here of what was stored should follow.
 */
GC_API void GC_CALL GC_end_stubborn_change(const void * /* block */) GC_ATTR_NONNULL(1);

/**
 * Stores value at place, in a block, and does what GC_end_stubborn_change and GC_reachable_here do.
 */
GC_API void GC_CALL GC_ptr_store_and_dirty(void * /* place */, const void * /* value */);

/* Blocks that change rarely, of old programs: they are ordinary ones. */
GC_API GC_ATTR_DEPRECATED void *GC_CALL GC_malloc_stubborn(size_t /* bytes */);
GC_API GC_ATTR_DEPRECATED void GC_CALL GC_change_stubborn(const void * /* block */);

#ifdef __cplusplus
}
#endif

#endif
