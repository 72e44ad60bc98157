/* SPDX-License-Identifier: MIT */
#include "boehm/cycle_hooks.h"

#include "base/atom.h"
#include "boehm/after_cycle.h"
#include "boehm/alloc_lock.h"
#include "boehm/debug_header.h"
#include "boehm/descriptor.h"
#include "boehm/disclaim.h"
#include "boehm/finalizers.h"
#include "boehm/kinds.h"
#include "boehm/leaks.h"
#include "boehm/links.h"
#include "boehm/numbers.h"
#include "boehm/push.h"
#include "boehm/settings.h"
#include "boehm/suspend.h"
#include "boehm/toggle_refs.h"
#include "gc/client.h"
#include "gc/cycle.h"
#include "report/stats.h"
#include "report/trace.h"
#include "world/named_roots.h"
#include "world/stop.h"
#include "world/thread.h"

/* ---- whether there may be one ---- */

/* Nested calls count. */
static atom_int disabled_count;

void
cycle_hooks_disable(void) {
  atom_int_add_full(&disabled_count, 1);
  GC_dont_gc = 1;
}

void
cycle_hooks_enable(void) {
  if (atom_int_add_full(&disabled_count, -1) == 1)
    GC_dont_gc = 0;
}

/* The variable is the program's, too. */
bool
cycle_hooks_are_disabled(void) {
  return GC_dont_gc || atom_int_load_rlx(&disabled_count);
}

static bool
may_collect(bool is_asked_for) {
  return !cycle_hooks_are_disabled() && (is_asked_for || !settings.disables_automatic);
}

/* ---- code of the program that takes part ---- */

static bool
needs_stop(void) {
  return descriptor_has_procedures() || push_has_other_roots() || toggle_refs_exist() || disclaim_exists() ||
         settings.await_finalize || settings.on_collection_event || settings.on_thread_event || GC_on_heap_resize ||
         roots_policy.filter || GC_find_leak;
}

void
cycle_hooks_tell(GC_EventType event) {
  if (settings.on_collection_event)
    settings.on_collection_event(event);
}

/* Of each thread that was stopped; glibc names a thread by its control block. */
static void
tell_of_threads_stw(GC_EventType event) {
  if (!settings.on_thread_event)
    return;
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    if (thread != thread_self() && atom_int_load_rlx(&thread->tid) && stop_world_has(thread))
      settings.on_thread_event(event, (void *)thread->block_addr);
}

/* Of growth, too, in the next cycle only: before that there is no stop. */
static void
tell_of_size_stw(void) {
  static size_t told_bytes;
  size_t heap_bytes = GC_get_heap_size();
  if (!GC_on_heap_resize || heap_bytes == told_bytes)
    return;
  told_bytes = heap_bytes;
  GC_on_heap_resize(heap_bytes);
}

/* ---- its points ---- */

/* By a thread of the program, outside of a stop. */
static void
begin(void) {
  settings_apply();
  if (settings.start_callback)
    settings.start_callback();
  cycle_hooks_tell(GC_EVENT_START);
  cycle_hooks_tell(GC_EVENT_PRE_STOP_WORLD);
}

static void
push_roots_stw(struct marker *marker) {
  tell_of_threads_stw(GC_EVENT_THREAD_SUSPENDED);
  cycle_hooks_tell(GC_EVENT_POST_STOP_WORLD);
  cycle_hooks_tell(GC_EVENT_MARK_START);
  push_with(marker);
  toggle_refs_push_stw(marker);
  push_other_roots();
}

/* As gc.h has it: short links go before finalizers are looked at, long ones after what those keep is marked. */
static void
conclude_stw(struct marker *marker) {
  push_with(marker);
  if (!GC_find_leak) {
    links_clear_stw(LINK_SHORT);
    finalizers_conclude_stw(marker);
    links_forget_dead_stw(LINK_SHORT);
    toggle_refs_clear_stw();
    links_clear_stw(LINK_LONG);
    links_forget_dead_stw(LINK_LONG);
  }
  kinds_close_windows_stw();
  if (!GC_find_leak)
    disclaim_find_stw(marker);
  leaks_find_stw();
  debug_header_check_all_stw();
  push_with(NULL);
  tell_of_size_stw();
  cycle_hooks_tell(GC_EVENT_MARK_END);
  cycle_hooks_tell(GC_EVENT_PRE_START_WORLD);
  tell_of_threads_stw(GC_EVENT_THREAD_UNSUSPENDED);
}

/* With the world running, by whoever ran the cycle, perhaps the collector's thread. */
static void
on_cycle(const struct cycle_report *report) {
  stats_add_cycle(report);
  trace_cycle(report);
  if (report->collection.err)
    return;
  GC_gc_no++;
  numbers_end_cycle();
  atom_int_store_rel(&after_cycle_has_work, 1);
  if (needs_stop()) {
    cycle_hooks_tell(GC_EVENT_POST_START_WORLD);
    cycle_hooks_tell(GC_EVENT_RECLAIM_START);
    cycle_hooks_tell(GC_EVENT_RECLAIM_END);
    cycle_hooks_tell(GC_EVENT_END);
  }
}

static void
adopt_fork(void) {
  alloc_lock_adopt_fork();
  kinds_adopt_fork();
  suspend_adopt_fork();
}

void
cycle_hooks_install(void) {
  gc_client = (struct gc_client){
    .may_collect = may_collect,
    .begin = begin,
    .needs_stop = needs_stop,
    .scan_block = kinds_scan_block,
    .wants_program = kinds_want_program,
    .push_roots_stw = push_roots_stw,
    .conclude_stw = conclude_stw,
    .adopt_span = kinds_adopt_span,
    .adopt_fork = adopt_fork,
  };
  cycle_listener = on_cycle;
  cycle_wait_listener = stats_add_wait;
}
