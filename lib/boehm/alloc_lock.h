/* SPDX-License-Identifier: MIT */
/*
 * The allocation lock of bdwgc's interface.  It guards all tables of this layer.
 *
 * It is held inside a slow path only, and there nobody is stopped: so in a stop nobody holds it, and who holds it may
 * turn a hidden pointer into a real one without a collection in between.
 */
#ifndef CGC_LIB_BOEHM_ALLOC_LOCK_H
#define CGC_LIB_BOEHM_ALLOC_LOCK_H

#include "gc/runtime.h"

/* Returns what the second wants; NULL, and nothing is held, if there is no memory to know this thread. */
struct thread_cache *alloc_lock_acquire(void);
void                 alloc_lock_release(struct thread_cache *cache);

/* Only the lock, for who is inside. */
void alloc_lock_take(void);
void alloc_lock_give(void);

/* In a forked child. */
void alloc_lock_adopt_fork(void);

#endif
