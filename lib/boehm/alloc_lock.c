/* SPDX-License-Identifier: MIT */
#include "boehm/alloc_lock.h"

#include "base/lock.h"
#include "boehm/start.h"

#include <gc/gc.h>

static struct lock lock = LOCK_INITIALIZER(LOCK_RANK_CLIENT);

/* Of whoever holds it by GC_alloc_lock. */
static struct thread_cache *holder;

void
alloc_lock_take(void) {
  lock_acquire(&lock);
}

void
alloc_lock_give(void) {
  lock_release(&lock);
}

struct thread_cache *
alloc_lock_acquire(void) {
  start_once();
  struct thread_cache *cache = runtime_enter();
  if (cache)
    alloc_lock_take();
  return cache;
}

void
alloc_lock_release(struct thread_cache *cache) {
  alloc_lock_give();
  runtime_leave(cache);
}

void
alloc_lock_adopt_fork(void) {
  lock_reset(&lock);
}

/* ---- the interface's ---- */

void
GC_alloc_lock(void) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  holder = cache;
}

void
GC_alloc_unlock(void) {
  alloc_lock_release(holder);
}

void *
GC_call_with_alloc_lock(GC_fn_type function, void *data) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  void *result = function(data);
  alloc_lock_release(cache);
  return result;
}
