/* SPDX-License-Identifier: MIT */
/**
 * Threads and their stacks, and the lock.
 *
 * Threads made by pthread_create in files that include gc.h with GC_THREADS are registered; others must be, by
 * GC_register_my_thread, before they allocate or hold pointers to blocks.
 */
#ifndef CGC_BOEHM_THREADS_H
#define CGC_BOEHM_THREADS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the lock: of the allocator and the collector; not recursive ---- */

/**
 * Calls a function with the lock held, and so without a collection meanwhile.
 *
 * Returns  What the function returned.
 */
GC_API void *GC_CALL GC_call_with_alloc_lock(GC_fn_type, void * /* data */) GC_ATTR_NONNULL(1);

#ifdef GC_THREADS
GC_API void GC_CALL GC_alloc_lock(void);
GC_API void GC_CALL GC_alloc_unlock(void);
#else
#define GC_alloc_lock()   (void)0
#define GC_alloc_unlock() (void)0
#endif

/* ---- stacks ---- */

/** Where a stack begins: its highest address. */
struct GC_stack_base {
  void *mem_base;
};

/**
 * Finds where the stack of this thread begins.
 *
 * Returns  GC_SUCCESS or GC_UNIMPLEMENTED.
 */
GC_API int GC_CALL GC_get_stack_base(struct GC_stack_base *) GC_ATTR_NONNULL(1);

/**
 * Calls a function with a place in the caller's stack, which is a good beginning for what the function does.
 *
 * Returns  What the function returned.
 */
typedef void *(GC_CALLBACK *GC_stack_base_func)(struct GC_stack_base *, void * /* data */);
GC_API void *GC_CALL GC_call_with_stack_base(GC_stack_base_func, void * /* data */) GC_ATTR_NONNULL(1);

/**
 * Where the collector thinks that the stack, or the coroutine's stack, of this registered thread begins.  Takes the
 * lock.
 *
 * Returns  The thread, for GC_set_stackbottom.  Not NULL.
 */
GC_API void *GC_CALL GC_get_my_stackbottom(struct GC_stack_base *) GC_ATTR_NONNULL(1);

/**
 * Tells where a thread's stack begins from now on, for programs that switch stacks.  The lock must be held, but before
 * GC_INIT, for the first thread.
 *
 * thread   As GC_get_my_stackbottom returned it; NULL is this one.
 */
GC_API void GC_CALL GC_set_stackbottom(void * /* thread */, const struct GC_stack_base *) GC_ATTR_NONNULL(2);

/* Where the first thread's stack begins.  Old programs set it before GC_INIT. */
GC_API GC_ATTR_DEPRECATED char *GC_stackbottom;

/* ---- calls that take long ---- */

/**
 * Calls a function that may wait, and meanwhile does not hold up collections: the thread is not stopped, and what the
 * function has on its stack keeps nothing.  It must not touch blocks.
 *
 * Returns  What the function returned.
 */
GC_API void *GC_CALL GC_do_blocking(GC_fn_type, void * /* data */) GC_ATTR_NONNULL(1);

/**
 * Within GC_do_blocking, calls a function that may touch blocks and allocate.  Such calls may be nested.
 *
 * Returns  What the function returned.
 */
GC_API void *GC_CALL GC_call_with_gc_active(GC_fn_type, void * /* data */) GC_ATTR_NONNULL(1);

#ifdef GC_THREADS

/* ---- registration ---- */

/**
 * Must be called once, by a registered thread, before the first GC_register_my_thread, unless threads were made before
 * by GC_pthread_create.
 */
GC_API void GC_CALL GC_allow_register_threads(void);

/**
 * Registers this thread; GC_unregister_my_thread must take it back before the thread ends.  Not for the first thread.
 *
 * Returns  GC_SUCCESS, or GC_DUPLICATE if it is registered, and then must not be unregistered.
 */
GC_API int GC_CALL GC_register_my_thread(const struct GC_stack_base *) GC_ATTR_NONNULL(1);

/**
 * From here on the thread must neither allocate nor touch blocks.
 *
 * Returns  GC_SUCCESS.
 */
GC_API int GC_CALL GC_unregister_my_thread(void);

/**
 * Returns  Not 0 if this thread is registered.
 */
GC_API int GC_CALL GC_thread_is_registered(void);

/**
 * Tells of this thread's stack and of its alternate one for signals, each by its lowest address and size in bytes.
 */
GC_API void GC_CALL GC_register_altstack(void * /* stack */, GC_word /* bytes */, void * /* alternate stack */,
                                         GC_word /* bytes */);

/* ---- stopping ---- */

/**
 * The signals by which threads are stopped and let go on.  To be set before GC_INIT; final after it.
 */
GC_API void GC_CALL GC_set_suspend_signal(int);
GC_API int GC_CALL GC_get_suspend_signal(void);
GC_API void GC_CALL GC_set_thr_restart_signal(int);
GC_API int GC_CALL GC_get_thr_restart_signal(void);

/**
 * Stops all other registered threads, with the lock held until GC_start_world_external.
 */
GC_API void GC_CALL GC_stop_world_external(void);
GC_API void GC_CALL GC_start_world_external(void);

#endif

#ifdef __cplusplus
}
#endif

#endif
