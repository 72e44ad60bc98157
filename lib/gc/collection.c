/* SPDX-License-Identifier: MIT */
#include "gc/collection.h"

#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "gc/dirty_heap.h"
#include "gc/dirty_roots.h"
#include "gc/hidden_references.h"
#include "gc/mark_queue.h"
#include "gc/mark_relative.h"
#include "gc/old_pages.h"
#include "gc/open_pages.h"
#include "gc/stop_ahead.h"
#include "heap/central.h"
#include "heap/page_heap.h"

#include <errno.h>

/* ---- stops ---- */

static struct collection_stop *
last_stop(struct collection_report *report) {
  return &report->stops[report->stop_count - 1];
}

static void
note_memory(struct collection_report *report) {
  uint64_t bytes = page_heap_used_bytes() + meta_bytes();
  if (bytes > report->held_memory_bytes)
    report->held_memory_bytes = bytes;
}

/* The caller's windows are closed so that a sweep sees all of its slots. */
int
collection_stop_world(struct collection_report *report) {
  struct collection_stop *stop = &report->stops[report->stop_count++];
  thread_cache_flush(thread_cache_self);
  note_memory(report);
  stop->begin_ns = platform_now_ns();
  int err = stop_world_begin(&report->stop);
  stop->stopped_ns = platform_now_ns();
  if (err)
    stop->end_ns = stop->stopped_ns;
  return err;
}

/* The threads that go on may take this one's processor at once: that is not part of the stop. */
void
collection_start_world(struct collection_report *report) {
  last_stop(report)->end_ns = platform_now_ns();
  stop_world_end();
}

static int
list_roots_stw(struct collection_report *report, uintptr_t stack_pointer, struct root_list *roots) {
  int err = roots_list_stw(stack_pointer, roots);
  report->root_bytes = roots->bytes;
  last_stop(report)->roots_ns = platform_now_ns();
  return err;
}

/* 0, or EPERM: not all of the references can be seen.  In a look, who reads what it finds may judge. */
static int
check_references_stw(struct collection_report *report) {
  report->hides_references = !report->look && hidden_references_seek_stw();
  return report->hides_references ? EPERM : 0;
}

/* What counts as a reference in the mark that begins.  Marks of earlier ones for which it was less cannot be built
 * upon. */
static int
choose_references_stw(struct collection_report *report) {
  if (mark_relative_choose_stw())
    old_pages_clear_marks();
  return check_references_stw(report);
}

/* The end of a mark: whether it holds. */
static int
check_mark_stw(struct collection_report *report, const struct root_list *roots) {
  report->lacks_references = mark_relative_is_missed_stw();
  if (report->lacks_references)
    return EAGAIN;
  int err = check_references_stw(report);
  if (err)
    return err;
  if (!stop_world_is_still_parked())
    return EAGAIN;   /* a thread that could not be stopped has run: what it did was not seen */
  err = report->look ? 0 : trace_client_stw(&report->trace);
  if (err)
    return err;
  if (!stop_world_is_still_parked())
    return EAGAIN;   /* what it has taken from its cache since is not marked */
  if (option(OPTION_VERIFY))
    trace_verify_stw(roots, report->is_beside || report->is_partial, stop_world_is_still_parked);
  last_stop(report)->marked_ns = platform_now_ns();
  return 0;
}

/* It was given up, maybe with blocks that are grey. */
static void
forget_mark(void) {
  sweep_clear_marks();
  old_pages_clear_marks();
  mark_queue_forget();
}

/* ---- stopped ---- */

/* Pages are watched before anything is scanned: what is written from then on will be seen by the next cycle, if only by
 * the kernel, for a thread that sleeps in it.  A whole cycle forgets which blocks were old when it has seen to that. */
static void
begin_mark_stw(struct collection_report *report, struct dirty_pages *written) {
  report->keeps_marks = report->keeps_marks && old_pages_collect_stw(written) == 0;
  report->is_partial = report->keeps_marks && report->may_be_partial && old_pages_has_marks();
  if (report->is_partial)
    report->written_pages = written->page_count;
  else
    old_pages_clear_marks();
}

static int
mark_stw(struct collection_report *report, const struct root_list *roots) {
  struct dirty_pages written;
  begin_mark_stw(report, &written);
  int err = report->is_partial ? trace_written_stw(roots, &written, &report->trace)
                               : trace_heap_stw(roots, report->keeps_marks, &report->trace);
  return err ? err : check_mark_stw(report, roots);
}

static void
collect_centrals(void) {
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    central_collect(i);
}

static void
sweep_stw(struct collection_report *report) {
  sweep_heap_stw(report->keeps_marks, &report->sweep);
  if (report->keeps_marks)
    old_pages_note_kept();
  thread_detach_idle_stw();
  thread_settle_stw();
  thread_abandon_detached();
  collect_centrals();
  report->swept_ns = platform_now_ns();
}

static void
reap_stw(struct collection_report *report, const struct root_list *roots) {
  if (!report->look) {
    sweep_stw(report);
    return;
  }
  report->look->look_stw(roots);
  forget_mark();
}

/* Everything from stop to start sees a world in which only this thread runs. */
static void
collect_stopped(struct collection_report *report, uintptr_t stack_pointer) {
  struct root_list roots = {0};
  report->err = collection_stop_world(report);
  if (report->err)
    return;
  report->err = choose_references_stw(report);
  if (!report->err)
    report->err = list_roots_stw(report, stack_pointer, &roots);
  if (!report->err)
    report->err = mark_stw(report, &roots);
  if (!report->err)
    reap_stw(report, &roots);
  else
    forget_mark();
  collection_start_world(report);
}

/* ---- beside the program ---- */

enum {
  ROUNDS_MAX = 8,             /* of looking at written pages before a stop */
  OPEN_ROUND_PAGES_MIN = CGC_CONFIG_HOSTILE ? 8 : 8192,   /* less than this, and no page is left unwatched any more */
  ROUND_PAGES_MIN = CGC_CONFIG_HOSTILE ? 1 : 64,    /* less than this are left to the stop */
  STOP_PAGES_MAX = CGC_CONFIG_HOSTILE ? 8 : 512,    /* more than this send a stop back to more rounds */
  HOPELESS_PAGES_MIN = CGC_CONFIG_HOSTILE ? 64 : 8192,   /* so many after a round, and after more rounds too: in vain */
  FINISH_STOPS_MAX = COLLECTION_STOPS_MAX - 3,   /* beside those to start the thread, and to scan stacks */
  STOP_MARK_NS = CGC_CONFIG_HOSTILE ? 0 : 600 * 1000,   /* then the rest is left to be marked beside the program */
  ROOT_BYTES_PER_NS = 2,
  STOP_ROOT_BYTES_MAX = 4 * 1024 * 1024,
};

/* Pages are watched before any is looked at: what is written from here on will be seen. */
static int
watch_pages(struct collection_report *report) {
  int err = dirty_heap_begin(report->expected_bytes);
  report->armed_ns = platform_now_ns();
  return err;
}

/* Stacks and registers, while they stand still; of the other roots, where they are. */
static int
mark_stacks(struct collection_report *report, struct root_list *roots) {
  int err = collection_stop_world(report);
  if (err)
    return err;
  thread_reap_stw();
  err = choose_references_stw(report);
  if (!err)
    err = list_roots_stw(report, 0, roots);
  if (!err)
    err = trace_roots_beside(roots, ROOT_STACK, &report->trace);
  if (!err)
    dirty_roots_watch_stw(roots);
  collection_start_world(report);
  return err;
}

static int
mark_heap(struct collection_report *report, const struct root_list *roots) {
  struct dirty_pages pages;
  dirty_heap_arm_roots(&pages);
  report->stop_root_bytes = roots->bytes - min_u64(dirty_roots_bytes(), roots->bytes);
  int err = trace_roots_beside(roots, ROOT_DATA, &report->trace);
  if (!err)
    err = trace_beside(&pages, &report->trace);
  note_memory(report);
  return err;
}

static void
note_round(struct collection_report *report, const struct dirty_pages *pages) {
  report->preclean_pages[min_u64(report->preclean_rounds, COLLECTION_ROUNDS_MAX - 1)] += pages->page_count;
  report->preclean_rounds++;
}

/* Until few pages are written while one round goes on, or they do not become fewer.  How many the last one has found. */
static int
preclean(struct collection_report *report, size_t *last_pages) {
  size_t before_pages = SIZE_MAX;
  for (unsigned round = 0; round < ROUNDS_MAX; round++) {
    struct dirty_pages pages;
    int err = dirty_heap_collect(false, &pages);
    if (err)
      return err;
    note_round(report, &pages);
    *last_pages = pages.page_count;
    err = trace_beside(&pages, &report->trace);
    if (err)
      return err;
    if (pages.page_count < ROUND_PAGES_MIN || pages.page_count > before_pages - before_pages / 4)
      break;
    before_pages = pages.page_count;
  }
  return 0;
}

/* With the written pages known: what they, and the roots, reach is all that has not been marked.  If that is much,
 * most of it is marked beside the program after all. */
static int
finish_mark_stw(struct collection_report *report, const struct dirty_pages *pages, uint64_t deadline_ns,
                bool *is_finished) {
  struct root_list roots;
  int err = list_roots_stw(report, 0, &roots);
  if (!err)
    err = trace_finish_stw(&roots, pages, deadline_ns, is_finished, &report->trace);
  if (err || !*is_finished)
    return err;
  page_heap_let_reuse(true);
  err = check_mark_stw(report, &roots);
  if (err)
    return err;
  span_sweep_begin_stw();
  thread_detach_idle_stw();
  return 0;
}

/* Whether it was the last one: else there is too much to do. */
static int
try_to_finish(struct collection_report *report, bool must_finish, struct dirty_pages *pages, bool *is_finished) {
  int err = collection_stop_world(report);
  if (err)
    return err;
  err = dirty_heap_collect_by_crew(must_finish ? SIZE_MAX : STOP_PAGES_MAX, pages);
  last_stop(report)->dirty_pages = pages->page_count;
  last_stop(report)->collected_ns = platform_now_ns();
  uint64_t mark_ns = STOP_MARK_NS + report->stop_root_bytes / ROOT_BYTES_PER_NS;
  uint64_t deadline_ns = must_finish ? UINT64_MAX : last_stop(report)->collected_ns + mark_ns;
  if (!err && pages->is_complete)
    err = finish_mark_stw(report, pages, deadline_ns, is_finished);
  collection_start_world(report);
  return err;
}

/* Where one such stop was not enough the program is slowed down until one is. */
atom_int collection_is_catching_up;

/* A round with the threads that take memory waiting for the stop, so that few pages are left for that.  It is not for
 * a program that writes to more than it can look at while they wait. */
static int
approach_stop(struct collection_report *report, size_t last_pages) {
  enum { PAGES_MAX = 8192 };
  struct dirty_pages pages;
  if (last_pages > PAGES_MAX)
    return 0;
  int err = dirty_heap_collect_by_crew(SIZE_MAX, &pages);
  if (err)
    return err;
  note_round(report, &pages);
  return trace_beside(&pages, &report->trace);
}

static int
approach_and_try_to_finish(struct collection_report *report, size_t last_pages, bool must_finish,
                           struct dirty_pages *pages, bool *is_finished) {
  stop_ahead_begin();
  int err = approach_stop(report, last_pages);
  if (!err)
    err = try_to_finish(report, must_finish, pages, is_finished);
  stop_ahead_end();
  return err;
}

/* The last stop; as many more before it as find too much to do in one.  Roots are scanned in each: with many of them
 * one long stop is less than several.  So it is where the program writes faster than its pages are looked at. */
static int
finish_mark(struct collection_report *report, size_t last_pages) {
  bool is_finished = false, is_hopeless = false;
  int err = 0;
  for (unsigned stops = 1; !err && !is_finished; stops++) {
    struct dirty_pages pages;
    bool must_finish = stops == FINISH_STOPS_MAX || report->stop_root_bytes > STOP_ROOT_BYTES_MAX || is_hopeless;
    err = approach_and_try_to_finish(report, last_pages, must_finish, &pages, &is_finished);
    if (err || is_finished)
      break;
    atom_int_store_rlx(&collection_is_catching_up, 1);
    size_t before_pages = last_pages;
    err = trace_beside(&pages, &report->trace);
    if (!err)
      err = preclean(report, &last_pages);
    is_hopeless = last_pages >= HOPELESS_PAGES_MIN && last_pages > before_pages / 2;
  }
  atom_int_store_rlx(&collection_is_catching_up, 0);
  return err;
}

static void
sweep_beside(struct collection_report *report) {
  thread_abandon_detached();
  sweep_heap(&report->sweep);
  collect_centrals();
  report->swept_ns = platform_now_ns();
}

/* While the program fills pages that are not watched.  Those that it has filled are looked at; as many more will come
 * while that goes on. */
static int
mark_filled(struct collection_report *report) {
  int err = 0;
  for (unsigned round = 0; !err && round < ROUNDS_MAX && open_pages_has_any(); round++) {
    struct dirty_pages pages;
    err = dirty_heap_collect(true, &pages);
    if (err)
      break;
    note_round(report, &pages);
    err = trace_beside(&pages, &report->trace);
    if (pages.page_count < OPEN_ROUND_PAGES_MIN)
      break;
  }
  return err;
}

/* doc/design.md, "Marking while the program runs", says why nothing that can be reached is lost. */
static int
mark_watched(struct collection_report *report) {
  struct root_list roots = {0};
  size_t last_pages = 0;
  int err = trace_begin_beside();
  if (err)
    return err;
  err = mark_stacks(report, &roots);
  if (!err)
    err = mark_heap(report, &roots);
  if (!err)
    err = mark_filled(report);
  if (!err)
    err = preclean(report, &last_pages);
  if (!err)
    err = finish_mark(report, last_pages);
  trace_end_beside();
  return err;
}

/* Where the pages cannot be watched after all, all is done in one stop. */
static void
collect_beside(struct collection_report *report) {
  old_pages_forget();
  if (watch_pages(report)) {
    collect_stopped(report, 0);
    return;
  }
  report->is_beside = true;
  report->err = mark_watched(report);
  dirty_heap_end();
  if (!report->err)
    sweep_beside(report);
  else
    forget_mark();
}

/* ---- either ---- */

/* Asking for it is a system call, which a filter may forbid. */
static uint64_t
cpu_now_ns(void) {
  return option(OPTION_TRACE) ? platform_thread_cpu_ns() : 0;
}

void
collection_run_stopped(struct collection_report *report, uintptr_t stack_pointer) {
  uint64_t begin_ns = cpu_now_ns();
  collect_stopped(report, report->look ? report->look->stack_pointer : stack_pointer);
  report->cpu_ns = cpu_now_ns() - begin_ns + crew_take_cpu_ns();
}

void
collection_run_beside(struct collection_report *report) {
  uint64_t begin_ns = cpu_now_ns();
  collect_beside(report);
  report->cpu_ns = cpu_now_ns() - begin_ns + crew_take_cpu_ns();
}
