/* SPDX-License-Identifier: MIT */
#include "boehm/after_cycle.h"

#include "boehm/debug_header.h"
#include "boehm/disclaim.h"
#include "boehm/finalizers.h"
#include "boehm/leaks.h"
#include "boehm/messages.h"
#include "boehm/settings.h"
#include "boehm/start.h"
#include "world/thread.h"

#include <gc/javaxfc.h>

atom_int after_cycle_has_work;

/* ---- finalizers ---- */

/* Once for each cycle that has made some ready. */
static void
notify(void) {
  static atom_word notified_in;
  uintptr_t seen = atom_load_rlx(&notified_in), now = GC_gc_no;
  GC_finalizer_notifier_proc notifier = GC_finalizer_notifier;
  if (notifier && seen != now && atom_cas_full(&notified_in, seen, now))
    notifier();
}

/* Of this thread: in how many finalizers it is, and how often none was run for that. */
static __thread struct {
  unsigned depth, skipped;
} nesting __attribute__((tls_model("initial-exec")));

/* Finalizers allocate.  In one others are run the more seldom the deeper that goes, but not never: it may have been left
 * by a jump. */
static bool
may_nest(void) {
  enum { DEPTH_MAX = 20 };
  if (!nesting.depth)
    return true;
  if (++nesting.skipped < 1u << min_u64(nesting.depth, DEPTH_MAX))
    return false;
  nesting.skipped = 0;
  return true;
}

static void
run_here(void) {
  if (!may_nest()) {
    atom_int_store_rlx(&after_cycle_has_work, 1);
    return;
  }
  unsigned depth = nesting.depth++;
  finalizers_run();
  nesting.depth = depth;
}

static void
finalize(void) {
  if (!finalizers_are_ready())
    return;
  if (GC_finalize_on_demand)
    notify();
  else
    run_here();
}

void
after_cycle_work(void) {
  atom_int_store_rlx(&after_cycle_has_work, 0);
  settings_apply_percent();
  disclaim_call_all();
  leaks_tell();
  debug_header_tell_smashed();
  messages_warn_of_cycles();
  finalize();
}

/* ---- the interface's ---- */

int
GC_should_invoke_finalizers(void) {
  return finalizers_are_ready();
}

int
GC_invoke_finalizers(void) {
  start_once();
  return finalizers_run();
}

void
GC_finalize_all(void) {
  start_once();
  for (finalizers_make_all_ready(); finalizers_are_ready(); finalizers_make_all_ready())
    finalizers_run();
}
