/* SPDX-License-Identifier: MIT */
/**
 * For implementations of Java and the like.
 */
#ifndef GC_JAVAXFC_H
#define GC_JAVAXFC_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Runs all finalizers that there are, also of blocks that are reachable, until none is left.
 */
GC_API void GC_CALL GC_finalize_all(void);

#ifdef GC_THREADS

#ifndef GC_SUSPEND_THREAD_ID
#define GC_SUSPEND_THREAD_ID void *
#endif

/**
 * Stop a registered thread, and let it go on, however often it was stopped.  Nothing happens to one that is not
 * registered.  Take the lock.
 *
 * Returns  Not 0 if the thread was stopped so.
 */
GC_API void GC_CALL GC_suspend_thread(GC_SUSPEND_THREAD_ID);
GC_API void GC_CALL GC_resume_thread(GC_SUSPEND_THREAD_ID);
GC_API int GC_CALL GC_is_thread_suspended(GC_SUSPEND_THREAD_ID);

#endif

#ifdef __cplusplus
}
#endif

#endif
