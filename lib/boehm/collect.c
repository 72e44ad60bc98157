/* SPDX-License-Identifier: MIT */
/* The interface's functions that ask for collections, or forbid them. */
#include "boehm/after_cycle.h"
#include "boehm/alloc_lock.h"
#include "boehm/cycle_hooks.h"
#include "boehm/settings.h"
#include "boehm/start.h"
#include "gc/cycle.h"
#include "heap/page_heap.h"

#include <gc/gc.h>

#include <errno.h>

static bool
collect(void) {
  start_once();
  int errno_before = errno;
  bool is_done = runtime_prepare() && cycle_collect(CYCLE_CAUSE_FORCED) == 0;
  after_cycle_settle();
  errno = errno_before;
  return is_done;
}

void
GC_gcollect(void) {
  if (settings.stop())
    return;
  collect();
  if (settings.unmaps_on_gcollect)
    page_heap_scavenge(0);
}

void
GC_gcollect_and_unmap(void) {
  collect();
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return;
  thread_cache_collect_remote(cache, UINT32_MAX);
  page_heap_scavenge(0);
  alloc_lock_release(cache);
}

/* The function is asked once: a cycle beside the program is not worth giving up. */
int
GC_try_to_collect(GC_stop_func stop) {
  start_once();
  return !stop() && collect();
}

/* The collector does its part by itself, beside the program. */
int
GC_collect_a_little(void) {
  start_once();
  after_cycle_settle();
  return 0;
}

void
GC_start_incremental_collection(void) {
}

/* ---- not now ---- */

void
GC_disable(void) {
  cycle_hooks_disable();
}

void
GC_enable(void) {
  cycle_hooks_enable();
}

int
GC_is_disabled(void) {
  return cycle_hooks_are_disabled();
}

/* ---- incremental: it always is ---- */

static bool is_incremental;

void
GC_enable_incremental(void) {
  start_once();
  is_incremental = true;
}

int
GC_is_incremental_mode(void) {
  return is_incremental;
}

/* Pages are watched by the kernel, which fails no system call for it. */
int
GC_incremental_protection_needs(void) {
  return GC_PROTECTS_NONE;
}

/* ---- nothing to be told of writes ---- */

void
GC_change_stubborn(const void *block) {
  (void)block;
}

void
GC_end_stubborn_change(const void *block) {
  (void)block;
}

void
GC_ptr_store_and_dirty(void *at, const void *value) {
  *(const void **)at = value;
}

void
GC_noop1(GC_word word) {
  __asm__ volatile("" : : "r"(word));
}

/* Dead words of the stack are not looked at. */
void *
GC_clear_stack(void *arg) {
  return arg;
}
