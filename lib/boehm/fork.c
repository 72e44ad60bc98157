/* SPDX-License-Identifier: MIT */
#include "boehm/fork.h"

#include "boehm/alloc_lock.h"

#include <gc/gc.h>

#include <pthread.h>

static int is_handled = 1;   /* as GC_set_handle_fork has it */

/* Of the thread that forks, if it holds the allocation lock for that. */
static struct thread_cache *forking;

static bool
holds_lock(void) {
  return forking && forking == thread_cache_self;
}

/* A child that has not been adopted has one thread, and nobody to be half done with anything. */
static void
prepare(void) {
  struct thread_cache *cache = meta_is_native() ? alloc_lock_acquire() : NULL;
  if (cache)
    forking = cache;
}

static void
go_on(void) {
  if (!holds_lock())
    return;
  struct thread_cache *cache = forking;
  forking = NULL;
  alloc_lock_release(cache);
}

/* A stop that was put off was the parent's. */
static void
go_on_in_child(void) {
  if (!holds_lock())
    return;
  struct thread_cache *cache = forking;
  forking = NULL;
  alloc_lock_give();
  (void)thread_cache_leave(cache);
}

void
fork_start(void) {
  if (is_handled > 0)
    pthread_atfork(prepare, go_on, go_on_in_child);   /* without memory: as if it was not asked for */
}

/* ---- the interface's ---- */

void
GC_set_handle_fork(int how) {
  is_handled = how;
}

void
GC_atfork_prepare(void) {
  if (is_handled < 0)
    prepare();
}

void
GC_atfork_parent(void) {
  if (is_handled < 0)
    go_on();
}

void
GC_atfork_child(void) {
  if (is_handled < 0)
    go_on_in_child();
}
