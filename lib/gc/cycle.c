/* SPDX-License-Identifier: MIT */
#include "gc/cycle.h"

#include "base/arch_x86_64.h"
#include "base/cgroup.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "base/syscall_probe.h"
#include "gc/assist.h"
#include "gc/client.h"
#include "gc/collector.h"
#include "gc/crew.h"
#include "gc/hidden_references.h"
#include "gc/mark_queue.h"
#include "gc/memory_limit.h"
#include "gc/old_pages.h"
#include "gc/partial.h"
#include "gc/stop_ahead.h"
#include "heap/page_heap.h"
#include "world/park.h"
#include "world/stop_signal.h"

#include <errno.h>

#define PERIODIC_NS ((uint64_t)120 * 1000000000)
#define RUN_NS_MAX  ((uint64_t)2 * 1000000)

void (*cycle_listener)(const struct cycle_report *report);
void (*cycle_wait_listener)(uint64_t ns);

static struct lock cycle_lock = LOCK_INITIALIZER(LOCK_RANK_CYCLE);

/* Lock: cycle_lock, but for reads of single words. */
static struct pacer pacer;
static uint64_t cycle_count;
static uint64_t cycle_ended_ns;   /* by the coarse clock, which lags behind the other */
static uint64_t used_at_end_bytes;
static uint64_t stop_root_bytes;  /* that the last stop of the last cycle beside the program looked at */
static uint64_t last_grown_bytes; /* while that went on */
static size_t   estimate_turn;
static const struct collection_look *look;   /* of cycle_look */
static int      cycle_process_id;
static bool     has_ended;
static struct {
  uint64_t begin_ns, end_ns;
  uint64_t waited_ns;   /* by threads that were slowed down, until its end */
  unsigned threads;
  int err;
} last_cycle;

/* Atomic. */
static atom_int is_beside_running;
static atom_int holder_tid;   /* of cycle_hold_off; 0: none */

/* Atomic: bytes of slots and large blocks that threads took since the last count, and before it since the last
 * cycle. */
static atom_word handed_bytes, handed_before_bytes;

/* Atomic: what was allocated when the cycle beside the program began; how much more it was when it was last looked at,
 * and how much had been handed out since the beginning by then. */
static atom_word begin_allocated_bytes, grown_bytes, grown_at_handed_bytes;

/* Atomic: by threads that were slowed down, since the end of the last cycle; and of that, what they marked. */
static atom_word waited_ns, assisted_ns;

/* Atomic: when the thread goes on that was slowed down last. */
static atom_word last_turn_ns;

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

/* ---- pace ---- */

/* Where garbage has been found there will be as much again, up to the goal: its memory is kept for that.  But near the
 * limit free memory goes back to the system. */
static void
keep_free_memory(const struct pacer_input *found) {
  uint64_t taken_bytes = page_heap_used_bytes() + meta_bytes(), aim_bytes = found->limit_bytes - found->limit_bytes / 20;
  uint64_t room_bytes = aim_bytes - min_u64(aim_bytes, taken_bytes);
  uint64_t growth_bytes = pacer.goal_bytes - min_u64(pacer.goal_bytes, found->live_bytes + found->held_bytes);
  page_heap_expect_growth(min_u64(min_u64(found->reclaimed_bytes, growth_bytes), room_bytes));
  if (page_heap_retained_bytes() > room_bytes)
    page_heap_scavenge(room_bytes);
}

/* The heap may have shrunk, and grown by no more than was handed out. */
static uint64_t
grown_in(const struct collection_report *report) {
  uint64_t end_bytes = report->sweep.live_bytes + report->sweep.held_bytes + report->sweep.reclaimed_bytes;
  uint64_t begin_bytes = atom_load_rlx(&begin_allocated_bytes);
  return end_bytes > begin_bytes ? min_u64(end_bytes - begin_bytes, atom_load_rlx(&handed_bytes)) : 0;
}

static void
forget_handed(void) {
  atom_store_rlx(&handed_bytes, 0);
  atom_store_rlx(&handed_before_bytes, 0);
}

static void
set_goal(const struct cycle_report *cycle) {
  if (cycle->collection.is_partial) {
    pacer_end_partial_cycle(&pacer, &cycle->found);
    partial_note_partial(&pacer, &cycle->found, cycle->collection.written_pages * ARCH_PAGE_BYTES);
    return;
  }
  pacer_end_cycle(&pacer, &cycle->found);
  if (cycle->collection.is_beside)
    partial_note_beside();
  else
    partial_note_whole(&pacer, &cycle->found);
}

static void
pace(struct cycle_report *cycle) {
  const struct collection_report *report = &cycle->collection;
  uint64_t revived_bytes = min_u64(report->trace.revived_bytes, report->sweep.live_bytes);   /* some may be free by now */
  used_at_end_bytes = page_heap_used_bytes();
  if (report->is_beside) {
    stop_root_bytes = report->stop_root_bytes;
    last_grown_bytes = grown_in(report);
  }
  cycle->found = (struct pacer_input){
    .live_bytes = report->sweep.live_bytes - revived_bytes,
    .held_bytes = report->sweep.held_bytes + revived_bytes,
    .reclaimed_bytes = report->sweep.reclaimed_bytes,
    .root_bytes = report->root_bytes,
    .held_memory_bytes = report->held_memory_bytes,
    .limit_bytes = memory_limit_for(page_heap_used_bytes() + page_heap_retained_bytes() + meta_bytes()),
    .grown_bytes = report->is_beside ? grown_in(report) : 0,
  };
  set_goal(cycle);
  forget_handed();
  keep_free_memory(&cycle->found);
}

/* A cycle given up must not be tried again at once. */
static void
pace_given_up(void) {
  pacer_give_up(&pacer, page_heap_used_bytes());
  forget_handed();
}

/* The goal for what lives: also if much garbage is held, or the last cycle let the program take far more. */
static uint64_t
goal_without_held(void) {
  return max_u64(pacer.live_bytes + pacer.live_bytes / 100 * pacer.percent, pacer.min_heap_bytes);
}

/* ---- one cycle ---- */

static void
begin_report(struct cycle_report *report, enum cycle_cause cause) {
  *report = (struct cycle_report){.number = ++cycle_count, .cause = cause, .goal_before_bytes = pacer.goal_bytes};
  report->collection.look = cause == CYCLE_CAUSE_LOOK ? look : NULL;
  report->collection.begin_ns = platform_now_ns();
}

static void
end_report(struct cycle_report *report) {
  struct collection_report *collection = &report->collection;
  if (collection->err)
    pace_given_up();
  else if (!collection->look)
    pace(report);
  report->pacer = pacer;
  report->goal_after_bytes = pacer.goal_bytes;
  report->waited_ns = last_cycle.waited_ns = atom_swap_full(&waited_ns, 0);
  report->assisted_ns = atom_swap_full(&assisted_ns, 0);
  collection->end_ns = platform_now_ns();
  report->interval_ns = collection->end_ns - last_cycle.end_ns;
  last_cycle.begin_ns = collection->begin_ns;
  last_cycle.end_ns = collection->end_ns;
  last_cycle.threads = collection->is_beside ? 0 : collection->stop.threads;
  last_cycle.err = collection->err;
  cycle_ended_ns = platform_now_coarse_ns();
}

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

static void
run_on_own_stack(void *arg, uintptr_t stack_pointer) {
  collection_run_stopped(arg, stack_pointer);
}

static void
run_stopped_locked(struct cycle_report *report) {
  char *stack_top = collector_stack_top();
  if (!stack_top) {
    report->collection.err = ENOMEM;
    return;
  }
  uint64_t mask = platform_block_signals();
  arch_call_on_stack(run_on_own_stack, &report->collection, stack_top);
  platform_restore_signals(mask);
}

/* ---- beside the program ---- */

/* Its report outlives the call that has started it. */
static struct cycle_report report_beside;

static void
run_beside(void *arg) {
  struct cycle_report *report = arg;
  platform_schedule_normally();
  collection_run_beside(&report->collection);
  end_report(report);
  if (cycle_listener)
    cycle_listener(report);   /* before those who wait for the cycle go on */
  atom_int_store_rlx(&is_beside_running, 0);
  lock_release(&cycle_lock);
}

/* Smaller heaps are marked in a stop of about a millisecond, and larger ones never: a stop would take tens of them. */
#define STOPPED_BYTES_MAX (CGC_CONFIG_HOSTILE ? 64 * KIB : 2 * MIB)
#define BESIDE_BYTES_MIN  (CGC_CONFIG_HOSTILE ? 64 * KIB : 96 * MIB)

/* A program that makes garbage as fast as it can would take too much, or have to be slowed down too much, while one
 * marker goes through its heap: several do that in a stop in less time.  One that keeps what it takes needs the memory
 * anyway. */
static bool
outruns_marker(uint64_t heap_bytes) {
  enum { MARKED_BYTES_PER_NS = 2, TAKEN_FRACTION_MAX = 8 };
  if (pacer.is_fruitless)
    return false;
  if (last_cycle.waited_ns > last_cycle.end_ns - last_cycle.begin_ns)
    return true;
  uint64_t ran_ns = platform_now_ns() - last_cycle.end_ns, mark_ns = heap_bytes / MARKED_BYTES_PER_NS;
  uint64_t taken_bytes = atom_load_rlx(&handed_bytes) + atom_load_rlx(&handed_before_bytes);
  return (double)taken_bytes * (double)mark_ns > (double)pacer.goal_bytes / TAKEN_FRACTION_MAX * (double)ran_ns;
}

static bool
suits_beside(enum cycle_cause cause) {
  enum { ROOTS_FRACTION_MAX = 4 };
  if (cause == CYCLE_CAUSE_NO_MEMORY || cause == CYCLE_CAUSE_LOOK || gc_client.needs_stop() || !dirty_is_available())
    return false;
  uint64_t heap_bytes = page_heap_used_bytes();
  if (option(OPTION_PARTIAL) == 2)
    return false;
  if (option(OPTION_DIRTY) == OPTION_DIRTY_UFFD || heap_bytes >= BESIDE_BYTES_MIN)
    return true;
  bool is_mostly_roots = stop_root_bytes > heap_bytes / ROOTS_FRACTION_MAX;   /* which a stop looks at anyway */
  return heap_bytes > STOPPED_BYTES_MAX && !is_mostly_roots && !outruns_marker(heap_bytes);
}

/* In a stop, for the descriptors of its thread (gc/collector.h).  That gets to work behind it, as it may have to wait for
 * a processor.  Why the cycle was given up is in the report, if it was. */
static bool
start_collector_locked(struct collection_report *report) {
  collector_await_end();   /* which has to let go of its descriptors, and may take its time */
  uint64_t mask = platform_block_signals();
  report->err = collection_stop_world(report);
  bool has_started = !report->err && collector_start_stw() == 0;
  if (!report->err)
    collection_start_world(report);
  if (has_started) {
    atom_int_store_rlx(&is_beside_running, 1);
    collector_run(run_beside, &report_beside);
  }
  platform_restore_signals(mask);
  return has_started;
}

/* True if it has been started: the lock is its own then. */
static bool
start_beside_locked(enum cycle_cause cause) {
  begin_report(&report_beside, cause);
  report_beside.collection.expected_bytes = last_grown_bytes;
  atom_store_rlx(&begin_allocated_bytes, sweep_estimate_allocated_bytes(estimate_turn++));
  atom_store_rlx(&grown_bytes, 0);
  atom_store_rlx(&grown_at_handed_bytes, 0);
  return start_collector_locked(&report_beside.collection);
}

int
cycle_take_descriptors(void) {
  struct stop_result result;
  uint64_t held = cycle_hold_off(), mask = platform_block_signals();
  int err = stop_world_begin(&result);
  if (!err) {
    err = platform_forget_descriptors();
    stop_world_end();
  }
  platform_restore_signals(mask);
  cycle_let_go_on(held);
  return err;
}

/* ---- cycles ---- */

/* Threads that ask for one collection after the other leave the others no time to run: the world runs at
 * least as long as it was stopped. */
static void
let_the_world_run(enum cycle_cause cause) {
  uint64_t ran_ns = platform_now_ns() - last_cycle.end_ns, stopped_ns = last_cycle.end_ns - last_cycle.begin_ns;
  uint64_t due_ns = min_u64(stopped_ns, RUN_NS_MAX);
  bool is_programs = gc_client.needs_stop();   /* whose threads know what to expect */
  if (cause == CYCLE_CAUSE_FORCED && !is_programs && last_cycle.threads && ran_ns < due_ns)
    platform_sleep(due_ns - ran_ns);
}

/* The lock is free when the cycle has ended. */
static int
await_beside(void) {
  uint64_t shown = lock_cycles();
  int err = last_cycle.err;
  unlock_cycles(shown);
  return err;
}

/* The lock is free when others wake up: they may take the processor at once, and ask whether the next cycle is due. */
static int
conclude(struct cycle_report *report, uint64_t shown) {
  end_report(report);
  lock_release(&cycle_lock);
  stop_ahead_end();
  stop_signal_unblock_others(shown);
  if (cycle_listener)
    cycle_listener(report);
  return report->collection.err;
}

/* Who asks for a cycle wants all garbage found. */
static bool
may_be_partial(enum cycle_cause cause) {
  return cause == CYCLE_CAUSE_HEAP || cause == CYCLE_CAUSE_STRESS;
}

static int
run_stopped(enum cycle_cause cause, uint64_t shown) {
  struct cycle_report report;
  begin_report(&report, cause);
  report.collection.keeps_marks = cause != CYCLE_CAUSE_LOOK && !gc_client.needs_stop() && partial_keeps_marks();
  report.collection.may_be_partial = may_be_partial(cause) && partial_is_wanted();
  run_stopped_locked(&report);
  return conclude(&report, shown);
}

static int
run(enum cycle_cause cause, uint64_t shown) {
  gc_client.begin();
  if (!suits_beside(cause))
    return run_stopped(cause, shown);
  if (start_beside_locked(cause)) {
    stop_ahead_end();
    stop_signal_unblock_others(shown);
    return cause == CYCLE_CAUSE_HEAP || cause == CYCLE_CAUSE_PERIODIC ? 0 : await_beside();
  }
  struct cycle_report report = report_beside;
  if (report.collection.err)
    return conclude(&report, shown);
  cycle_count--;   /* it begins anew */
  return run_stopped(cause, shown);
}

static bool
may_reclaim(void) {
  return option(OPTION_MODE) == OPTION_MODE_COLLECT && !hidden_references_are_known();
}

static bool
suits_mode(enum cycle_cause cause) {
  return cause == CYCLE_CAUSE_LOOK ? option(OPTION_MODE) == OPTION_MODE_LEAK : may_reclaim();
}

static bool
is_asked_for(enum cycle_cause cause) {
  return cause == CYCLE_CAUSE_FORCED || cause == CYCLE_CAUSE_LOOK || cause == CYCLE_CAUSE_NO_MEMORY;
}

/* A vfork child runs on its parent's memory, whose threads it cannot stop. */
static bool
is_possible(enum cycle_cause cause) {
  unsigned holder = atom_int_load_rlx(&holder_tid);
  return suits_mode(cause) && platform_process_id() == cycle_process_id && gc_client.may_collect(is_asked_for(cause)) &&
         (!holder || holder != (unsigned)platform_thread_id());
}

static int
collect_once(enum cycle_cause cause) {
  if (!is_possible(cause))
    return EPERM;
  uint64_t seen = cycle_count, shown = lock_cycles();
  bool is_done = cause == CYCLE_CAUSE_HEAP && cycle_count != seen;   /* another thread saw the same need */
  if (is_done || has_ended || !suits_mode(cause)) {   /* it may suit no more, by what the cycle before has found */
    unlock_cycles(shown);
    return is_done ? 0 : EPERM;
  }
  if (cause == CYCLE_CAUSE_HEAP)
    stop_ahead_begin();
  syscall_probe();
  cgroup_limits();   /* before a stop that would be longer for it */
  park_init_filtered();
  let_the_world_run(cause);
  return run(cause, shown);
}

/* Who asked for it waits for what it finds: it is begun anew if a thread that cannot be stopped has run meanwhile. */
int
cycle_collect(enum cycle_cause cause) {
  enum { ATTEMPTS_MAX = 32 };
  bool is_awaited = cause != CYCLE_CAUSE_HEAP && cause != CYCLE_CAUSE_PERIODIC;
  int err = collect_once(cause);
  for (unsigned i = 1; i < ATTEMPTS_MAX && err == EAGAIN && is_awaited; i++)
    err = collect_once(cause);
  return err;
}

int
cycle_look(const struct collection_look *wanted) {
  look = wanted;
  return cycle_collect(CYCLE_CAUSE_LOOK);
}

uint64_t
cycle_hold_off(void) {
  uint64_t shown = lock_cycles();
  atom_int_store_rlx(&holder_tid, (unsigned)platform_thread_id());
  collector_await_end();
  return shown;
}

void
cycle_let_go_on(uint64_t held) {
  atom_int_store_rlx(&holder_tid, 0);
  unlock_cycles(held);
}

/* ---- when ---- */

void
cycle_init(void) {
  cycle_process_id = platform_process_id();
  cycle_ended_ns = platform_now_coarse_ns();
  last_cycle.begin_ns = last_cycle.end_ns = platform_now_ns();
  memory_limit_init();
  pacer_init(&pacer, option(OPTION_PERCENT), option(OPTION_MIN_HEAP), option(OPTION_CONFIRM));
}

bool
cycle_end_all(void) {
  if (platform_process_id() != cycle_process_id)
    return false;
  has_ended = true;
  if (atom_int_load_rlx(&is_beside_running))
    return false;   /* that may take long, and ends with the process */
  uint64_t shown = lock_cycles();
  unlock_cycles(shown);
  return true;
}

static bool
is_periodic_due(void) {
  return page_heap_used_bytes() > used_at_end_bytes && platform_now_coarse_ns() - cycle_ended_ns >= PERIODIC_NS;
}

bool
cycle_note_handed(size_t bytes) {
  enum { PERIODIC_BYTES = 1024 * 1024 };   /* from one look at the clock to the next */
  uint64_t before = atom_add_full(&handed_bytes, bytes), after = before + bytes;
  return after >= pacer.distance_bytes || (before / PERIODIC_BYTES != after / PERIODIC_BYTES && is_periodic_due());
}

/* By how much the heap has grown since the cycle began, which is less than was handed out if the program frees.  An
 * estimate, made anew after every so many bytes. */
static uint64_t
grown_meanwhile(uint64_t handed, uint64_t step_bytes) {
  uint64_t at = atom_load_rlx(&grown_at_handed_bytes);
  if (handed >= at + step_bytes && atom_cas_full(&grown_at_handed_bytes, at, handed)) {
    uint64_t now_bytes = sweep_estimate_allocated_bytes(handed / step_bytes);
    uint64_t begin_bytes = atom_load_rlx(&begin_allocated_bytes);
    atom_store_rlx(&grown_bytes, now_bytes > begin_bytes ? now_bytes - begin_bytes : 0);
    at = handed;
  }
  return min_u64(atom_load_rlx(&grown_bytes) + (handed > at ? handed - at : 0), handed);
}

/* A program whose last cycle found nothing keeps what it takes, as far as is known; but the collector may get no
 * processor for long. */
#define FRUITLESS_ALLOWED_BYTES_MIN (CGC_CONFIG_HOSTILE ? 8 * MIB : 64 * MIB)

static uint64_t
allowed_growth(void) {
  enum { FRACTION_MIN = 8, FRACTION_MAX = 4, FRUITLESS_TIMES = 2, LIMITED_FRACTION = 16 };
  uint64_t goal = min_u64(pacer.goal_bytes, goal_without_held()), begin_bytes = atom_load_rlx(&begin_allocated_bytes);
  uint64_t to_limit = pacer.limit_goal_bytes - min_u64(begin_bytes, pacer.limit_goal_bytes);
  uint64_t allowed = pacer.is_fruitless ? max_u64(goal * FRUITLESS_TIMES, FRUITLESS_ALLOWED_BYTES_MIN)
                                        : max_u64(min_u64(pacer.lead_bytes, goal / FRACTION_MAX), goal / FRACTION_MIN);
  return min_u64(allowed, max_u64(to_limit, goal / LIMITED_FRACTION));
}

/* Each thread waits for what it takes, and more threads than there are processors for each other: all together take no
 * more than as many as there are processors. */
static uint64_t
take_turn(size_t bytes, uint64_t bytes_per_us) {
  enum { WAIT_NS_MAX = 4 * 1000 * 1000, LARGE_WAIT_NS_MAX = 64 * 1000 * 1000, WAIT_NS_PER_MIB_MAX = 4 * 1000 * 1000 };
  uint64_t large_max_ns = max_u64(LARGE_WAIT_NS_MAX, bytes / MIB * WAIT_NS_PER_MIB_MAX);
  uint64_t wait_ns = bytes * 1000 / bytes_per_us, now_ns = platform_now_ns(), before_ns, turn_ns;
  do {
    before_ns = atom_load_rlx(&last_turn_ns);
    turn_ns = max_u64(before_ns, now_ns) + wait_ns / platform_cpu_count();
  } while (!atom_cas_full(&last_turn_ns, before_ns, min_u64(turn_ns, now_ns + LARGE_WAIT_NS_MAX)));
  wait_ns = min_u64(wait_ns, bytes < MIB ? WAIT_NS_MAX : large_max_ns);
  return max_u64(wait_ns, min_u64(turn_ns - now_ns, LARGE_WAIT_NS_MAX));
}

/* Beyond what the cycle was to let them take the threads are slowed down, the more the further.  That must not grow
 * with what the cycles before have let them take, or there would be no end to it. */
uint64_t
cycle_wait_ns(size_t bytes) {
  static const uint64_t bytes_per_us[] = {512, 64, 16};
  enum { CAUGHT_UP_BYTES_PER_US = 64, ESTIMATES_PER_ALLOWED = 8 };
  if (!atom_int_load_rlx(&is_beside_running))
    return 0;
  if (atom_int_load_rlx(&collection_is_catching_up))
    return take_turn(bytes, CAUGHT_UP_BYTES_PER_US);
  uint64_t handed = atom_load_rlx(&handed_bytes), allowed = allowed_growth();
  uint64_t grown = handed > allowed ? grown_meanwhile(handed, allowed / ESTIMATES_PER_ALLOWED) : 0;
  if (grown <= allowed)
    return 0;
  trace_call_help();
  uint64_t times = min_u64(grown / allowed, CGC_COUNT(bytes_per_us));
  return take_turn(bytes, bytes_per_us[times - 1]);
}

/* Many threads that take little at a time would all go on at once when it ends. */
uint64_t
cycle_sleep(size_t bytes, uint64_t ns) {
  enum { STEP_NS = 4 * 1000 * 1000 };
  uint64_t step_ns = bytes < MIB ? ns : STEP_NS, slept_ns = 0;
  while (slept_ns < ns && atom_int_load_rlx(&is_beside_running)) {
    step_ns = min_u64(step_ns, ns - slept_ns);
    platform_sleep(step_ns);
    slept_ns += step_ns;
  }
  return slept_ns;
}

void
cycle_note_waited(uint64_t ns, uint64_t assisted) {
  atom_add_full(&waited_ns, ns);
  atom_add_full(&assisted_ns, assisted);
  if (cycle_wait_listener)
    cycle_wait_listener(ns);
}

/* A sample first: who looks at all spans takes from running threads the cache lines that they write to. */
static bool
is_goal_reached_locked(void) {
  return pacer_is_due(&pacer, sweep_estimate_allocated_bytes(estimate_turn++)) &&
         pacer_is_due(&pacer, sweep_count_allocated_bytes());
}

/* Near the limit of memory cycles would follow each other at once: between two of them is as much time as the last one
 * took. */
static bool
has_program_had_its_share(void) {
  return platform_now_ns() - last_cycle.end_ns >= last_cycle.end_ns - last_cycle.begin_ns;
}

bool
cycle_is_due(enum cycle_cause *cause) {
  if (!may_reclaim() || !lock_try_acquire(&cycle_lock))
    return false;   /* or a cycle is running, and will set the next goal */
  bool is_due = is_periodic_due();
  bool may_begin = !pacer.is_limited || has_program_had_its_share();
  *cause = is_due ? CYCLE_CAUSE_PERIODIC : CYCLE_CAUSE_HEAP;
  bool is_counted = atom_load_rlx(&handed_bytes) < pacer.distance_bytes;   /* by another thread */
  if (!is_due && may_begin && !is_counted) {
    is_due = is_goal_reached_locked();
    atom_add_full(&handed_before_bytes, atom_swap_full(&handed_bytes, 0));
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
  stop_ahead_adopt_fork();
  atom_int_store_rlx(&holder_tid, 0);
  cycle_process_id = platform_process_id();
  atom_int_store_rlx(&is_beside_running, 0);
  crew_adopt_fork();
  assist_adopt_fork();
  collector_adopt_fork();
  mark_queue_adopt_fork();
  span_sweep_adopt_fork();
  sweep_clear_marks();
  old_pages_adopt_fork();
}
