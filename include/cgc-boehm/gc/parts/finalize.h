/* SPDX-License-Identifier: MIT */
/**
 * Finalizers: functions called when blocks have become unreachable.
 *
 * They run in a thread of the program, without the lock: in calls that allocate or collect, or, with
 * GC_set_finalize_on_demand, in GC_invoke_finalizers only.  With GC_set_find_leak nothing here does anything.
 */
#ifndef CGC_BOEHM_FINALIZE_H
#define CGC_BOEHM_FINALIZE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (GC_CALLBACK *GC_finalization_proc)(void * /* block */, void * /* data */);

/**
 * Has a function called with the block and data, once, after the block has become unreachable.
 *
 * A block has at most one finalizer, whichever function registers it; a new one replaces it.  Blocks that the block or
 * data point to are not reclaimed before the call, and the block is reclaimed by a later collection than that.
 *
 *                                   When it is called
 * GC_register_finalizer             When no other block with a finalizer points to the block, directly or not.  A block
 *                                   that can be reached from itself so never is.
 * ..._ignore_self                   The same, but pointers in the block to itself do not count.
 * ..._no_order                      As soon as the block is unreachable, whatever points to it.
 * ..._unreachable                   When no block whose finalizer was registered by ..._no_order points to it either.
 *                                   GC_set_java_finalization must be on.
 *
 * The functions with debug_ are for blocks of the debugging functions; the macros choose.
 *
 * block        The start of a block.  If NULL or none, nothing is registered and NULL is stored.
 * finalizer    NULL for none.
 * data         Whatever the finalizer is to be given; it is a root until then.
 * old_...      Where the finalizer and data before are stored, NULL if there were none; may be NULL.  Left as they are
 *              if there is no memory.
 */
GC_API void GC_CALL GC_register_finalizer(void * /* block */, GC_finalization_proc /* finalizer */, void * /* data */,
                                          GC_finalization_proc * /* old finalizer */, void ** /* old data */)
  GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_register_finalizer_ignore_self(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                      void **) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_register_finalizer_no_order(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                   void **) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_register_finalizer_unreachable(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                      void **) GC_ATTR_NONNULL(1);

GC_API void GC_CALL GC_debug_register_finalizer(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)
  GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_ignore_self(void *, GC_finalization_proc, void *,
                                                            GC_finalization_proc *, void **) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_no_order(void *, GC_finalization_proc, void *, GC_finalization_proc *,
                                                         void **) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_debug_register_finalizer_unreachable(void *, GC_finalization_proc, void *,
                                                            GC_finalization_proc *, void **) GC_ATTR_NONNULL(1);

#ifdef GC_DEBUG
#define GC_REGISTER_FINALIZER(block, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer(block, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_IGNORE_SELF(block, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer_ignore_self(block, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_NO_ORDER(block, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer_no_order(block, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_UNREACHABLE(block, finalizer, data, old_finalizer, old_data) \
  GC_debug_register_finalizer_unreachable(block, finalizer, data, old_finalizer, old_data)
#else
#define GC_REGISTER_FINALIZER(block, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer(block, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_IGNORE_SELF(block, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer_ignore_self(block, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_NO_ORDER(block, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer_no_order(block, finalizer, data, old_finalizer, old_data)
#define GC_REGISTER_FINALIZER_UNREACHABLE(block, finalizer, data, old_finalizer, old_data) \
  GC_register_finalizer_unreachable(block, finalizer, data, old_finalizer, old_data)
#endif

/* ---- when and where they run ---- */

/**
 * Runs the finalizers that are due.
 *
 * Returns  How many that were.
 */
GC_API int GC_CALL GC_invoke_finalizers(void);

/**
 * Returns  Not 0 if a finalizer is due.  Takes no lock.
 */
GC_API int GC_CALL GC_should_invoke_finalizers(void);

/**
 * Whether finalizers run in GC_invoke_finalizers only.  0 or 1.
 */
GC_API GC_ATTR_DEPRECATED int GC_finalize_on_demand;
GC_API void GC_CALL GC_set_finalize_on_demand(int /* whether */);
GC_API int GC_CALL GC_get_finalize_on_demand(void);

/**
 * Whether what blocks with finalizers point to is marked apart, after everything else, as Java's rules want.  0 or 1.
 */
GC_API GC_ATTR_DEPRECATED int GC_java_finalization;
GC_API void GC_CALL GC_set_java_finalization(int /* whether */);
GC_API int GC_CALL GC_get_java_finalization(void);

/**
 * Called at most once a collection when finalizers are due, with GC_set_finalize_on_demand only: to wake up a thread
 * that calls GC_invoke_finalizers.  NULL is none.  The setter and the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_finalizer_notifier_proc)(void);
GC_API GC_ATTR_DEPRECATED GC_finalizer_notifier_proc GC_finalizer_notifier;
GC_API void GC_CALL GC_set_finalizer_notifier(GC_finalizer_notifier_proc);
GC_API GC_finalizer_notifier_proc GC_CALL GC_get_finalizer_notifier(void);

/**
 * Called for each block whose finalizer has become due, with the lock held.  NULL is none.  The setter and the getter
 * take the lock.
 */
typedef void (GC_CALLBACK *GC_await_finalize_proc)(void * /* block */);
GC_API void GC_CALL GC_set_await_finalize_proc(GC_await_finalize_proc);
GC_API GC_await_finalize_proc GC_CALL GC_get_await_finalize_proc(void);

/* ---- keeping a block until here ---- */

/**
 * Does nothing with the value.
 */
GC_API void GC_CALL GC_noop1(GC_word);

/* The compiler keeps the pointer, and with it the block, until here. */
#ifdef __GNUC__
#define GC_reachable_here(pointer) __asm__ __volatile__(" " : : "X"(pointer) : "memory")
#else
#define GC_reachable_here(pointer) GC_noop1((GC_word)(pointer))
#endif

#ifdef __cplusplus
}
#endif

#endif
