/* SPDX-License-Identifier: MIT */
/**
 * Checks of pointer arithmetic, for programs that a preprocessor has put such calls into.
 *
 * A check that fails calls the function that the variable below it holds, which by default reports it and ends the
 * program.
 */
#ifndef CGC_BOEHM_CHECK_H
#define CGC_BOEHM_CHECK_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Both pointers must be into the same block, or neither into the heap.
 *
 * Returns  The first.
 */
GC_API void *GC_CALL GC_same_obj(void * /* pointer */, void * /* other */);
GC_API void (GC_CALLBACK *GC_same_obj_print_proc)(void * /* pointer */, void * /* other */);

/**
 * The pointer, if into the heap, must count for the block that it is in: see GC_register_displacement.
 *
 * Returns  The pointer.
 */
GC_API void *GC_CALL GC_is_valid_displacement(void * /* pointer */);
GC_API void (GC_CALLBACK *GC_is_valid_displacement_print_proc)(void * /* pointer */);

/**
 * A pointer stored at this place must keep its block.
 *
 * Returns  The place.
 */
GC_API void *GC_CALL GC_is_visible(void * /* place */);
GC_API void (GC_CALLBACK *GC_is_visible_print_proc)(void * /* place */);

/**
 * Add bytes to a pointer, which must stay in its block.
 *
 * Returns  The pointer after, or before.
 */
GC_API void *GC_CALL GC_pre_incr(void ** /* pointer */, ptrdiff_t /* bytes */) GC_ATTR_NONNULL(1);
GC_API void *GC_CALL GC_post_incr(void ** /* pointer */, ptrdiff_t /* bytes */) GC_ATTR_NONNULL(1);

/* Pointer arithmetic, checked with GC_DEBUG.  Arguments may be evaluated twice. */
#if defined(GC_DEBUG) && defined(__GNUC__)
#define GC_PTR_ADD3(pointer, count, type)   ((type)GC_same_obj((pointer) + (count), (pointer)))
#define GC_PRE_INCR3(pointer, count, type)  ((type)GC_pre_incr((void **)(&(pointer)), (count) * sizeof(*pointer)))
#define GC_POST_INCR3(pointer, count, type) ((type)GC_post_incr((void **)(&(pointer)), (count) * sizeof(*pointer)))
#define GC_PTR_ADD(pointer, count)          GC_PTR_ADD3(pointer, count, __typeof__(pointer))
#define GC_PRE_INCR(pointer, count)         GC_PRE_INCR3(pointer, count, __typeof__(pointer))
#define GC_POST_INCR(pointer)               GC_POST_INCR3(pointer, 1, __typeof__(pointer))
#define GC_POST_DECR(pointer)               GC_POST_INCR3(pointer, -1, __typeof__(pointer))
#else
#define GC_PTR_ADD(pointer, count)  ((pointer) + (count))
#define GC_PRE_INCR(pointer, count) ((pointer) += (count))
#define GC_POST_INCR(pointer)       ((pointer)++)
#define GC_POST_DECR(pointer)       ((pointer)--)
#endif

/* Stores a pointer somewhere else than on a stack, checked with GC_DEBUG. */
#ifdef GC_DEBUG
#define GC_PTR_STORE(place, value) \
  (*(void **)GC_is_visible((void *)(place)) = GC_is_valid_displacement((void *)(value)))
#else
#define GC_PTR_STORE(place, value) (*(void **)(place) = (void *)(value))
#endif

#ifdef __cplusplus
}
#endif

#endif
