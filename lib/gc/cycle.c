/* SPDX-License-Identifier: MIT */
#include "gc/cycle.h"

#include "base/arch_x86_64.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "gc/crew.h"
#include "gc/mark_queue.h"
#include "heap/central.h"
#include "heap/page_heap.h"
#include "world/stop_signal.h"

#include <errno.h>

#define PERIODIC_NS ((uint64_t)120 * 1000000000)
#define RUN_NS_MAX  ((uint64_t)2 * 1000000)

void (*cycle_listener)(const struct cycle_report *report);

static struct lock cycle_lock = LOCK_INITIALIZER(LOCK_RANK_CYCLE);

/* Lock: cycle_lock, but for reads of single words. */
static struct pacer pacer;
static uint64_t cycle_count;
static uint64_t cycle_ended_ns;   /* by the coarse clock, which lags behind the other */
static uint64_t used_at_end_bytes;
static size_t   estimate_turn;
static int      cycle_process_id;
static bool     has_ended;
static struct {
  uint64_t begin_ns, end_ns;
  unsigned threads;
} last_cycle;

/* Atomic: bytes of slots and large blocks that threads took since the last count. */
static atom_word handed_bytes;

/* A handler of the program must not come in between: it may collect, and may leave by a jump.  But the thread
 * can be stopped while it waits. */
static uint64_t
lock_cycles(void) {
  uint64_t shown = stop_signal_block_others();
  lock_acquire(&cycle_lock);
  return shown;
}

static void
unlock_cycles(uint64_t shown) {
  lock_release(&cycle_lock);
  stop_signal_unblock_others(shown);
}

/* ---- phases ---- */

/* The caller's windows are closed so that a sweep sees all of its slots. */
static int
stop_the_world(struct cycle_report *report) {
  thread_cache_flush(thread_cache_self);
  report->held_memory_bytes = page_heap_used_bytes() + meta_bytes();
  report->begin_ns = platform_now_ns();
  int err = stop_world_begin(&report->stop);
  report->stopped_ns = platform_now_ns();
  return err;
}

static int
list_roots_stw(struct cycle_report *report, uintptr_t stack_pointer, struct root_list *roots) {
  int err = roots_list_stw(stack_pointer, roots);
  report->root_bytes = roots->bytes;
  report->roots_ns = platform_now_ns();
  return err;
}

static int
mark_stw(struct cycle_report *report, const struct root_list *roots) {
  int err = trace_heap_stw(roots, &report->trace);
  if (!err && !stop_world_is_still_parked())
    err = EAGAIN;   /* a thread that could not be stopped has run: what it did was not seen */
  if (!err && option(OPTION_VERIFY))
    trace_verify_stw(roots, stop_world_is_still_parked);
  report->marked_ns = platform_now_ns();
  return err;
}

static void
sweep_stw(struct cycle_report *report) {
  sweep_heap_stw(&report->sweep);
  thread_settle_stw();
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    central_collect(i);
  report->swept_ns = platform_now_ns();
}

static void
pace(struct cycle_report *report) {
  used_at_end_bytes = page_heap_used_bytes();
  struct pacer_input found = {
    .live_bytes = report->sweep.live_bytes,
    .held_bytes = report->sweep.held_bytes,
    .reclaimed_bytes = report->sweep.reclaimed_bytes,
    .root_bytes = report->root_bytes,
    .held_memory_bytes = report->held_memory_bytes,
  };
  pacer_end_cycle(&pacer, &found);
  atom_store_rlx(&handed_bytes, 0);
}

/* A cycle given up must not be tried again at once. */
static void
pace_given_up(void) {
  pacer_give_up(&pacer, page_heap_used_bytes());
  atom_store_rlx(&handed_bytes, 0);
}

/* The collection.  Everything from stop to resume sees a world in which only this thread runs. */
static void
run_on_own_stack(void *arg, uintptr_t stack_pointer) {
  struct cycle_report *report = arg;
  struct root_list roots = {0};
  report->err = stop_the_world(report);
  if (report->err) {
    pace_given_up();
    return;
  }
  report->err = list_roots_stw(report, stack_pointer, &roots);
  if (!report->err)
    report->err = mark_stw(report, &roots);
  if (!report->err) {
    sweep_stw(report);
    pace(report);
  } else {
    sweep_clear_marks();
    pace_given_up();
  }
  stop_world_end();
}

/* ---- around a cycle ---- */

/* A stack of our own: the collector's frames hold addresses of blocks and must not count as the program's, nor
 * need room on a small stack of its. */
static char *
collector_stack_top(void) {
  enum { STACK_BYTES = 128 * 1024 };
  static char *stack;
  if (!stack)
    stack = meta_alloc(STACK_BYTES);
  return stack ? stack + STACK_BYTES : NULL;
}

static int
run_locked(enum cycle_cause cause, struct cycle_report *report) {
  *report = (struct cycle_report){
    .number = ++cycle_count, .cause = cause, .begin_ns = platform_now_ns(), .goal_before_bytes = pacer.goal_bytes};
  char *stack_top = collector_stack_top();
  if (!stack_top) {
    report->end_ns = report->begin_ns;
    return report->err = ENOMEM;
  }
  uint64_t mask = platform_block_signals();
  arch_call_on_stack(run_on_own_stack, report, stack_top);
  platform_restore_signals(mask);
  report->goal_after_bytes = pacer.goal_bytes;
  report->end_ns = platform_now_ns();
  last_cycle.begin_ns = report->begin_ns;
  last_cycle.end_ns = report->end_ns;
  last_cycle.threads = report->stop.threads;
  cycle_ended_ns = platform_now_coarse_ns();
  return report->err;
}

/* Threads that ask for one collection after the other leave the others no time to run: the world runs at
 * least as long as it was stopped. */
static void
let_the_world_run(enum cycle_cause cause) {
  uint64_t ran_ns = platform_now_ns() - last_cycle.end_ns, stopped_ns = last_cycle.end_ns - last_cycle.begin_ns;
  uint64_t due_ns = min_u64(stopped_ns, RUN_NS_MAX);
  if (cause == CYCLE_CAUSE_FORCED && last_cycle.threads && ran_ns < due_ns)
    platform_sleep(due_ns - ran_ns);
}

int
cycle_collect(enum cycle_cause cause) {
  struct cycle_report report;
  if (option(OPTION_MODE) == OPTION_MODE_OFF || platform_process_id() != cycle_process_id)
    return EPERM;   /* a vfork child runs on its parent's memory, whose threads it cannot stop */
  uint64_t seen = cycle_count, shown = lock_cycles();
  bool is_done = cause == CYCLE_CAUSE_HEAP && cycle_count != seen;   /* another thread saw the same need */
  if (is_done || has_ended) {
    unlock_cycles(shown);
    return is_done ? 0 : EPERM;
  }
  let_the_world_run(cause);
  int err = run_locked(cause, &report);
  unlock_cycles(shown);
  if (cycle_listener)
    cycle_listener(&report);
  return err;
}

/* ---- when ---- */

void
cycle_init(void) {
  cycle_process_id = platform_process_id();
  cycle_ended_ns = platform_now_coarse_ns();
  pacer_init(&pacer, option(OPTION_PERCENT), option(OPTION_MIN_HEAP), option(OPTION_CONFIRM));
}

bool
cycle_end_all(void) {
  if (platform_process_id() != cycle_process_id)
    return false;
  uint64_t shown = lock_cycles();
  has_ended = true;
  unlock_cycles(shown);
  return true;
}

static bool
is_periodic_due(void) {
  return page_heap_used_bytes() > used_at_end_bytes && platform_now_coarse_ns() - cycle_ended_ns >= PERIODIC_NS;
}

bool
cycle_note_handed(size_t bytes) {
  return atom_add_full(&handed_bytes, bytes) + bytes >= pacer.distance_bytes || is_periodic_due();
}

/* A sample first: who looks at all spans takes from running threads the cache lines that they write to. */
static bool
is_goal_reached_locked(void) {
  return pacer_is_due(&pacer, sweep_estimate_allocated_bytes(estimate_turn++)) &&
         pacer_is_due(&pacer, sweep_count_allocated_bytes());
}

bool
cycle_is_due(enum cycle_cause *cause) {
  if (option(OPTION_MODE) == OPTION_MODE_OFF || !lock_try_acquire(&cycle_lock))
    return false;   /* or a cycle is running, and will set the next goal */
  bool is_due = is_periodic_due();
  *cause = is_due ? CYCLE_CAUSE_PERIODIC : CYCLE_CAUSE_HEAP;
  if (!is_due && atom_load_rlx(&handed_bytes) >= pacer.distance_bytes) {   /* else another thread has counted */
    is_due = is_goal_reached_locked();
    atom_store_rlx(&handed_bytes, 0);
  }
  lock_release(&cycle_lock);
  return is_due;
}

void
cycle_set_percent(uint64_t percent) {
  uint64_t shown = lock_cycles();
  pacer_set_percent(&pacer, percent);
  unlock_cycles(shown);
}

uint64_t
cycle_percent(void) {
  return pacer.percent;
}

uint64_t
cycle_goal_bytes(void) {
  return pacer.goal_bytes;
}

void
cycle_adopt_fork(void) {
  lock_reset(&cycle_lock);
  cycle_process_id = platform_process_id();
  crew_adopt_fork();
  mark_queue_adopt_fork();
  sweep_clear_marks();
}
