/* SPDX-License-Identifier: MIT */
#include "boehm/start.h"

#include "base/hull.h"
#include "base/options.h"
#include "base/platform.h"
#include "boehm/alloc.h"
#include "boehm/cycle_hooks.h"
#include "boehm/environment.h"
#include "boehm/fork.h"
#include "boehm/leaks.h"
#include "boehm/messages.h"
#include "boehm/settings.h"
#include "boehm/threads.h"
#include "gc/cycle.h"
#include "gc/runtime.h"
#include "world/named_roots.h"
#include "world/signal_action.h"
#include "world/static_data.h"

#include <gc/gc.h>
#include <gc/gc_mark.h>

atom_int start_is_done;

enum { STATE_NEW, STATE_STARTING };

static atom_int state;
static int starter_tid;

/* Words count where a compiler puts pointers.  bdwgc knows no others, and its programs keep to that. */
static void
choose_defaults(void) {
  options_preset(OPTION_TAGGED, 0);
  options_preset(OPTION_PACKED, 0);
  options_preset(OPTION_DEMANGLE, 0);
  options_preset(OPTION_RELATIVE, OPTION_SWITCH_OFF);
  options_preset(OPTION_HIDDEN, 0);
  options_preset(OPTION_CONFIRM, 1);
}

static void
start(void) {
  choose_defaults();
  environment_read();
  alloc_slop_bytes = GC_all_interior_pointers ? 1 : 0;
  roots_policy.are_named = true;
  static_data_init();
  cycle_hooks_install();
  settings_apply();
  if (!runtime_prepare())
    messages_abort("No memory to start the collector");
  GC_least_plausible_heap_addr = (void *)hull.base_addr;
  GC_greatest_plausible_heap_addr = (void *)(hull.base_addr + HULL_BYTES);
  signal_action_stay_on_stack();   /* as bdwgc's; its programs may have none that can be used */
  threads_start();
  fork_start();
  settings_start();
  environment_apply();
}

/* Another thread waits; the starting one may allocate meanwhile. */
void
start_slow(void) {
  if (atom_int_cas_full(&state, STATE_NEW, STATE_STARTING)) {
    starter_tid = platform_thread_id();
    start();
    atom_int_store_rel(&start_is_done, 1);
    platform_futex_wake(&start_is_done, INT32_MAX);
    return;
  }
  while (platform_thread_id() != starter_tid && !atom_int_load_acq(&start_is_done))
    platform_futex_wait(&start_is_done, 0, UINT64_MAX);
}

/* ---- the interface's ---- */

void
GC_init(void) {
  start_once();
}

int
GC_is_init_called(void) {
  return (int)atom_int_load_acq(&start_is_done);
}

/* Threads may still be about; the memory goes with the process. */
void
GC_deinit(void) {
}

unsigned
GC_get_version(void) {
  return GC_VERSION_MAJOR << 16 | GC_VERSION_MINOR << 8 | GC_VERSION_MICRO;
}

__attribute__((destructor)) static void
end(void) {
  if (!GC_is_init_called())
    return;
  leaks_end();
  cycle_end_all();
}
