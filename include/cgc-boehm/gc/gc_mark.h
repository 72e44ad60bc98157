/* SPDX-License-Identifier: MIT */
/**
 * For implementations of languages: kinds of blocks with layouts of their own, functions that scan them, and the steps
 * of marking.
 *
 * The calls whose names end with _inner, and those for mark bits and pushing, want the lock held.
 */
#ifndef GC_MARK_H
#define GC_MARK_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- functions that scan ---- */

/* An entry of the mark stack.  What is in it is the library's. */
#if defined(GC_BUILD) || defined(NOT_GCBUILD)
struct GC_ms_entry;
#else
struct GC_ms_entry {
  void *opaque;
};
#endif

/**
 * Scans a block: gives what it points to, of the words that scanning the whole block would look at, to
 * GC_MARK_AND_PUSH.
 *
 * Called by any thread that marks, also for blocks that are free: these are zero but for their first word, which links
 * them.  It should do work of about GC_PROC_BYTES, and mark something before it pushes more than one entry.
 *
 * block        Its start.
 * top, limit   The mark stack, which has room for one entry at least.
 * environment  That of GC_MAKE_PROC.
 * Returns      The new top.
 */
typedef struct GC_ms_entry *(*GC_mark_proc)(GC_word * /* block */, struct GC_ms_entry * /* top */,
                                            struct GC_ms_entry * /* limit */, GC_word /* environment */);

#define GC_PROC_BYTES 100

/* Functions have numbers, of which the first few are for programs that must know theirs when they are compiled. */
#define GC_LOG_MAX_MARK_PROCS           6
#define GC_MAX_MARK_PROCS               (1 << GC_LOG_MAX_MARK_PROCS)
#define GC_RESERVED_MARK_PROCS          8
#define GC_GCJ_RESERVED_MARK_PROC_INDEX 0

/**
 * Returns  A new number for the function.
 */
GC_API unsigned GC_CALL GC_new_proc(GC_mark_proc);
GC_API unsigned GC_CALL GC_new_proc_inner(GC_mark_proc);

/**
 * Marks a block, and has it scanned if it was not marked.
 *
 * pointer  Any word.
 * place    Where it was found.
 * Returns  The new top.
 */
GC_API struct GC_ms_entry *GC_CALL GC_mark_and_push(void * /* pointer */, struct GC_ms_entry * /* top */,
                                                    struct GC_ms_entry * /* limit */, void ** /* place */);

/** No block is outside of them. */
GC_API void *GC_least_plausible_heap_addr;
GC_API void *GC_greatest_plausible_heap_addr;

#define GC_MARK_AND_PUSH(pointer, top, limit, place) \
  ((GC_word)(pointer) >= (GC_word)GC_least_plausible_heap_addr && \
       (GC_word)(pointer) <= (GC_word)GC_greatest_plausible_heap_addr \
     ? GC_mark_and_push(pointer, top, limit, place) \
     : (top))

/* ---- descriptors: how a block is scanned, told by the two lowest bits ---- */

/*
 * GC_DS_LENGTH      All words, of so many bytes.
 * GC_DS_BITMAP      The words whose bits are set; the first word's is the highest bit.
 * GC_DS_PROC        By a function: see GC_MAKE_PROC.
 * GC_DS_PER_OBJECT  By another descriptor: at this offset in the block, among its first or last two words; or, if
 *                   negative, at minus this minus GC_INDIR_PER_OBJ_BIAS from where the block's first word points.
 */
#define GC_DS_TAG_BITS   2
#define GC_DS_TAGS       ((1 << GC_DS_TAG_BITS) - 1)
#define GC_DS_LENGTH     0
#define GC_DS_BITMAP     1
#define GC_DS_PROC       2
#define GC_DS_PER_OBJECT 3
#define GC_INDIR_PER_OBJ_BIAS 0x10

#define GC_MAKE_PROC(number, environment) \
  (((((environment) << GC_LOG_MAX_MARK_PROCS) | (number)) << GC_DS_TAG_BITS) | GC_DS_PROC)

/* ---- kinds ---- */

/**
 * Returns  What GC_new_kind wants for a new kind.
 */
GC_API void **GC_CALL GC_new_free_list(void);
GC_API void **GC_CALL GC_new_free_list_inner(void);

/**
 * list        Of GC_new_free_list.
 * descriptor  Of each block of the kind.
 * add_bytes   1: the block's size is added to it, 0: not.
 * clear       1: new blocks are zeroed, 0: not.
 * Returns     A new kind.
 */
GC_API unsigned GC_CALL GC_new_kind(void ** /* list */, GC_word /* descriptor */, int /* add_bytes */, int /* clear */)
  GC_ATTR_NONNULL(1);
GC_API unsigned GC_CALL GC_new_kind_inner(void ** /* list */, GC_word /* descriptor */, int /* add_bytes */,
                                          int /* clear */) GC_ATTR_NONNULL(1);

/**
 * As GC_malloc, GC_malloc_ignore_off_page and GC_malloc_uncollectable, for a kind.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_generic_malloc(size_t /* bytes */, int /* kind */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_generic_malloc_ignore_off_page(size_t /* bytes */, int /* kind */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_generic_malloc_uncollectable(size_t /* bytes */, int /* kind */);

/**
 * As GC_generic_malloc, for the kind of another block, as GC_get_kind_and_size told it, whether collectable or not.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_generic_or_special_malloc(size_t /* bytes */, int /* kind */);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_debug_generic_or_special_malloc(size_t /* bytes */, int /* kind */, GC_EXTRA_PARAMS);

#ifdef GC_DEBUG
#define GC_GENERIC_OR_SPECIAL_MALLOC(bytes, kind) GC_debug_generic_or_special_malloc(bytes, kind, GC_EXTRAS)
#else
#define GC_GENERIC_OR_SPECIAL_MALLOC(bytes, kind) GC_generic_or_special_malloc(bytes, kind)
#endif

/**
 * block    Its start.
 * bytes    Where its size is stored, or NULL.
 * Returns  Its kind.
 */
GC_API int GC_CALL GC_get_kind_and_size(const void * /* block */, size_t * /* bytes */) GC_ATTR_NONNULL(1);

/**
 * Writes what a block of a kind is, for people, into GC_TYPE_DESCR_LEN bytes.
 */
typedef void (GC_CALLBACK *GC_describe_type_fn)(void * /* block */, char * /* text */);
#define GC_TYPE_DESCR_LEN 40
GC_API void GC_CALL GC_register_describe_type_fn(int /* kind */, GC_describe_type_fn);

/**
 * Returns  How many bytes the header takes that the debugging functions put before a block.
 */
GC_API GC_ATTR_CONST size_t GC_CALL GC_get_debug_header_size(void);
#define GC_USR_PTR_FROM_BASE(block) ((void *)((char *)(block) + GC_get_debug_header_size()))
#ifdef GC_BUILD
GC_API const size_t GC_debug_header_size;
#else
GC_API GC_ATTR_DEPRECATED size_t GC_debug_header_size;
#endif

/* ---- steps of marking ---- */

/**
 * Called when a full collection begins, with the lock held.  NULL is none.  The setter and the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_start_callback_proc)(void);
GC_API void GC_CALL GC_set_start_callback(GC_start_callback_proc);
GC_API GC_start_callback_proc GC_CALL GC_get_start_callback(void);

/**
 * Called to push roots of the program's, with the lock held and the world stopped.  It must call that which was set
 * before it.  Not synchronized.
 */
typedef void (GC_CALLBACK *GC_push_other_roots_proc)(void);
GC_API void GC_CALL GC_set_push_other_roots(GC_push_other_roots_proc);
GC_API GC_push_other_roots_proc GC_CALL GC_get_push_other_roots(void);

/**
 * Have the words from start up to end scanned: later, at once, or, unless all is set, only those on pages written to
 * since the last collection.
 */
GC_API void GC_CALL GC_push_all(void * /* start */, void * /* end */);
GC_API void GC_CALL GC_push_all_eager(void * /* start */, void * /* end */);
GC_API void GC_CALL GC_push_conditional(void * /* start */, void * /* end */, int /* all */);

/**
 * Has what finalizers and links need scanned.
 */
GC_API void GC_CALL GC_push_finalizer_structures(void);

/**
 * The mark bit of a block, by its start.
 *
 * Returns  1 if the block is marked, else 0.
 */
GC_API int GC_CALL GC_is_marked(const void * /* block */) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_set_mark_bit(const void * /* block */) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_clear_mark_bit(const void * /* block */) GC_ATTR_NONNULL(1);

/**
 * Calls a function for each reachable block, with the lock held, which the caller must hold.
 */
typedef void (GC_CALLBACK *GC_reachable_object_proc)(void * /* block */, size_t /* bytes */, void * /* data */);
GC_API void GC_CALL GC_enumerate_reachable_objects_inner(GC_reachable_object_proc, void * /* data */)
  GC_ATTR_NONNULL(1);

/**
 * Returns  Not 0 if the address is in a root that is there for a while only, such as a shared library's data.
 */
GC_API int GC_CALL GC_is_tmp_root(void * /* address */);

/**
 * Clears some of the stack below the caller's frame, where old pointers may be.
 *
 * Returns  Its argument.
 */
GC_API void *GC_CALL GC_clear_stack(void *);

/* Write what marking did in a collection.  Only in libraries built to trace. */
GC_API void GC_CALL GC_print_trace(GC_word /* collection */);
GC_API void GC_CALL GC_print_trace_inner(GC_word /* collection */);

#ifdef __cplusplus
}
#endif

#endif
