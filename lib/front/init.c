/* SPDX-License-Identifier: MIT */
/* What need not wait for the first allocation; and the end. */
#include "base/options.h"
#include "front/children.h"
#include "front/leaks.h"
#include "front/ticker.h"
#include "gc/cycle.h"
#include "gc/runtime.h"
#include "report/stats.h"
#include "report/trace.h"

static void
on_cycle(const struct cycle_report *report) {
  stats_add_cycle(report);
  trace_cycle(report);
}

__attribute__((constructor)) static void
init(void) {
  cycle_listener = on_cycle;
  cycle_wait_listener = stats_add_wait;
  if (!runtime_prepare())   /* options are checked even if nothing is allocated */
    return;
  children_forget_library();
  leaks_start();
  ticker_start();
}

/* The process is about to end: no thread is stopped any more, for who watches threads end (a debugger) may trip over
 * signals among them.  But for leaks the last look is yet to come. */
__attribute__((destructor)) static void
end(void) {
  if (option(OPTION_MODE) == OPTION_MODE_LEAK || cycle_end_all())
    ticker_end();
}
