/* SPDX-License-Identifier: MIT */
/* Start of the library in a process, and in a child that was forked from one. */
#ifndef CGC_GC_RUNTIME_H
#define CGC_GC_RUNTIME_H

#include "base/meta.h"
#include "world/stop.h"

/* Called in a forked child, all signals blocked, when everything below has been adopted; or NULL. */
extern void (*runtime_fork_listener)(void);

/* The rare cases of the next two. */
struct thread_cache *runtime_enter_slow(void);
void runtime_await_resume(struct thread_cache *cache);

/* While the world is being stopped nobody goes in: who is inside can only leave. */
CGC_INLINE void
runtime_enter_again(struct thread_cache *cache) {
  thread_cache_enter(cache);
  if (stop_world_is_on())
    runtime_await_resume(cache);
}

/* Begins a slow path: starts the library, registers the thread, ends its parking, adopts a fork, as need be.  Returns
 * the thread's cache, inside (thread_cache_enter), or NULL if there is no memory for that. */
CGC_INLINE struct thread_cache *
runtime_enter(void) {
  struct thread_cache *cache = thread_cache_self;
  if (CGC_UNLIKELY(!meta_is_native() || thread_cache_is_empty(cache)))
    return runtime_enter_slow();
  runtime_enter_again(cache);
  return cache;
}

/* Ends it; a stop that was put off happens here. */
CGC_INLINE void
runtime_leave(struct thread_cache *cache) {
  if (thread_cache_leave(cache))
    stop_world_yield(cache);
}

/* Does what runtime_enter does, and no more.  False if there is no memory for it. */
CGC_INLINE bool
runtime_prepare(void) {
  struct thread_cache *cache = runtime_enter();
  if (cache)
    runtime_leave(cache);
  return cache != NULL;
}

#endif
