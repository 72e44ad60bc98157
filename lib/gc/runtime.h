/* SPDX-License-Identifier: MIT */
/* Start of the library in a process, and in a child that was forked from one. */
#ifndef CGC_GC_RUNTIME_H
#define CGC_GC_RUNTIME_H

#include "world/thread.h"

/* Begins a slow path: starts the library, registers the thread, adopts a fork, as need be.  Returns
 * the thread's cache, inside (thread_cache_enter), or NULL if there is no memory for that. */
struct thread_cache *runtime_enter(void);

/* The same for a thread that has a cache and was inside just before. */
void runtime_enter_again(struct thread_cache *cache);

/* Ends it; a stop that was put off happens here. */
void runtime_leave(struct thread_cache *cache);

#endif
