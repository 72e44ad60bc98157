/* SPDX-License-Identifier: MIT */
#include "gc/trace_phase.h"

#include "base/arch_x86_64.h"
#include "base/fatal.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "gc/assist.h"
#include "gc/client.h"
#include "gc/crew.h"
#include "gc/dirty_roots.h"
#include "gc/limbo.h"
#include "gc/mark_block.h"
#include "gc/seen_words.h"
#include "gc/shadow.h"
#include "heap/page_heap.h"

#include <errno.h>

/* Owned by whoever holds the cycle lock. */
static struct marker *markers[CREW_MAX];

struct trace_job {
  /* Constant while it is done. */
  const struct root_list *roots;     /* or NULL */
  const struct dirty_pages *pages;   /* or NULL */
  bool is_beside;
  bool skips_watched;                /* roots of which the written pages are known */
  bool is_shared;                    /* with threads that assist */
  bool goes_on;                      /* in later cycles, each in one stop */
  const atom_int *interrupt;         /* as the markers' */
  uint64_t deadline_ns;

  /* Atomic. */
  atom_word next_root;
  atom_word next_range;
  atom_int  waiting_markers;
  atom_int  is_interrupted;          /* before all was marked: what is left is shared */
};

static struct marker *
marker_at(unsigned index) {
  if (!markers[index])
    markers[index] = meta_alloc(sizeof **markers);
  return markers[index];
}

/* ---- one marker's part ---- */

/* With threads that assist: none may come any more, or they would take turns for ever. */
static bool
is_over(struct trace_job *job) {
  if (atom_int_load_rlx(&job->is_interrupted))
    return true;
  if (atom_int_load_acq(&job->waiting_markers) != crew_count() || mark_queue_has_work())
    return false;
  return !job->is_shared || (assist_hold() && !mark_queue_has_work());
}

static void
begin_waiting(const struct marker *marker, struct trace_job *job) {
  limbo_rest(marker->index);
  mark_queue_want(1);
  atom_int_add_full(&job->waiting_markers, 1);
}

static void
end_waiting(const struct marker *marker, struct trace_job *job) {
  if (job->is_shared)
    assist_go_on();
  atom_int_add_full(&job->waiting_markers, -1);
  mark_queue_want(-1);
  limbo_let_go(marker->index);
}

/* Waits until there is something to steal.  False when all markers wait, and nobody assists: then nobody has work, and
 * nobody can make any; or when another was interrupted. */
static bool
await_work(struct marker *marker, struct trace_job *job) {
  enum { SPINS = 64 };
  begin_waiting(marker, job);
  for (unsigned turn = 1;; turn++) {
    if (mark_queue_has_work_for(marker->index)) {
      end_waiting(marker, job);
      if (mark_steal(marker))
        return true;
      begin_waiting(marker, job);
    }
    if (is_over(job))
      break;
    atom_pause();
    if (turn % SPINS == 0)
      platform_yield();
  }
  mark_queue_want(-1);
  return false;
}

/* The range of that number, counted through all parts; NULL behind the last. */
static const struct dirty_range *
range_at(const struct dirty_pages *pages, size_t number) {
  for (unsigned i = 0; i < pages->part_count; i++) {
    if (number < pages->parts[i].count)
      return &pages->parts[i].ranges[number];
    number -= pages->parts[i].count;
  }
  return NULL;
}

/* These three: false if the marker was interrupted. */

/* A root's with the words before and after it, which may lie across the border. */
static void
trace_range(struct marker *marker, const struct dirty_range *range) {
  if (marker_has_in_heap(marker, range->start_addr))
    mark_rescan_range(marker, range->start_addr, range->end_addr);
  else
    mark_written(marker, range->start_addr - sizeof(void *), range->end_addr + sizeof(void *));
}

/* What is known of the pages after the next ones, and what is in them, is fetched meanwhile. */
static void
fetch_ahead(const struct dirty_pages *pages, size_t number) {
  enum { ENTRY_AHEAD = 8, SPAN_AHEAD = 4 };
  const struct dirty_range *range = range_at(pages, number + ENTRY_AHEAD);
  if (range)
    heap_map_prefetch(range->start_addr);
  range = range_at(pages, number + SPAN_AHEAD);
  const struct cgc_span *span = range ? heap_map_span(range->start_addr) : NULL;
  if (!span)
    return;
  __builtin_prefetch(&span->base_addr);
  __builtin_prefetch(&span->words[1]);
  for (unsigned line = 0; line < 4; line++)   /* the processor sees what is next */
    __builtin_prefetch((const char *)range->start_addr + line * 64);
}

static bool
trace_pages(struct marker *marker, struct trace_job *job) {
  const struct dirty_range *range;
  size_t number;
  while (job->pages && (range = range_at(job->pages, number = atom_add_full(&job->next_range, 1)))) {
    fetch_ahead(job->pages, number);
    trace_range(marker, range);
    if (!mark_drain(marker))
      return false;
  }
  return true;
}

/* Of these the written pages are looked at. */
static bool
is_watched(const struct root *root) {
  return root->kind == ROOT_DATA && dirty_roots_has(root);
}

static bool
trace_roots(struct marker *marker, struct trace_job *job) {
  uintptr_t next;
  while (job->roots && (next = atom_add_full(&job->next_root, 1)) < job->roots->count) {
    const struct root *root = &job->roots->roots[next];
    if (!job->skips_watched || !is_watched(root))
      mark_root(marker, root);
    if (!mark_drain(marker))
      return false;
  }
  return true;
}

static bool
trace_rest(struct marker *marker, struct trace_job *job) {
  do
    if (!mark_drain(marker))
      return false;
  while (mark_steal(marker) || await_work(marker, job));
  return true;
}

static void
trace_work(unsigned index, void *arg) {
  struct trace_job *job = arg;
  struct marker *marker = markers[index];
  if (!trace_pages(marker, job) || !trace_roots(marker, job) || !trace_rest(marker, job)) {
    mark_hand_over(marker);
    atom_int_store_rel(&job->is_interrupted, 1);
  }
  limbo_rest(index);
}

/* ---- by all ---- */

static void
init_marker(unsigned index, bool is_alone, const struct trace_job *job) {
  struct marker *marker = markers[index];
  marker_init(marker, is_alone, job->is_beside);
  marker_set_deadline(marker, job->deadline_ns);
  marker->index = index;
  marker->interrupt = job->interrupt;
  marker->uses_shadows = !job->goes_on;
  marker->notes_seen = (job->is_beside || job->pages || job->goes_on) && option(OPTION_VERIFY);
}

/* 0, or why a root could not be read. */
static int
add_results(unsigned count, struct trace_result *result) {
  int err = 0;
  for (unsigned i = 0; i < count; i++) {
    result->scanned_bytes += markers[i]->scanned_bytes;
    err = err ? err : markers[i]->err;
  }
  if (count > result->markers)
    result->markers = count;
  return err;
}

static int
trace_by_crew(unsigned wanted, struct trace_job *job, struct trace_result *result) {
  for (unsigned i = 0; i < wanted; i++)
    if (!marker_at(i))
      return ENOMEM;
  for (unsigned i = 0; i < wanted; i++)
    init_marker(i, wanted == 1 && !job->is_shared, job);
  limbo_begin(wanted);
  atom_int_store_rlx(&job->waiting_markers, 0);
  atom_int_store_rlx(&job->is_interrupted, 0);
  if (job->is_shared)
    assist_begin(markers[0]->notes_seen);
  unsigned count = crew_run(wanted, trace_work, job);
  if (job->is_shared)
    assist_end();
  return add_results(count, result);
}

int
trace_heap_stw(const struct root_list *roots, bool goes_on, struct trace_result *result) {
  struct trace_job job = {.roots = roots, .goes_on = goes_on, .deadline_ns = UINT64_MAX};
  if (goes_on && option(OPTION_VERIFY))
    seen_words_begin();
  return trace_by_crew(crew_size_for(page_heap_used_bytes() + roots->bytes), &job, result);
}

int
trace_client_stw(struct trace_result *result) {
  struct trace_job job = {.deadline_ns = UINT64_MAX};
  init_marker(0, true, &job);
  gc_client.push_roots_stw(markers[0]);
  mark_finish(markers[0]);
  markers[0]->counts_bytes = true;
  gc_client.conclude_stw(markers[0]);
  mark_finish(markers[0]);
  result->revived_bytes = markers[0]->marked_bytes;
  return add_results(1, result);
}

/* What is not known to be alive is taken to be as much as is scanned in the pages; most of it has died, as a rule. */
int
trace_written_stw(const struct root_list *roots, const struct dirty_pages *pages, struct trace_result *result) {
  struct trace_job job = {.roots = roots, .pages = pages, .goes_on = true, .deadline_ns = UINT64_MAX};
  return trace_by_crew(crew_size_for(pages->page_count * ARCH_PAGE_BYTES + roots->bytes), &job, result);
}

/* ---- beside the program ---- */

/* Atomic. */
static atom_int is_help_wanted;

void
trace_call_help(void) {
  atom_int_store_rlx(&is_help_wanted, 1);
}

/* A hostile build has help in every other cycle. */
int
trace_begin_beside(void) {
  static unsigned turn;
  if (!marker_at(0))
    return ENOMEM;
  atom_int_store_rlx(&is_help_wanted, CGC_CONFIG_HOSTILE ? turn++ % 2 : 0);
  if (option(OPTION_VERIFY))
    seen_words_begin();
  shadow_begin();
  page_heap_begin_round(true);
  page_heap_defer_reuse();
  return 0;
}

void
trace_end_beside(void) {
  page_heap_let_reuse(false);
}

int
trace_roots_beside(const struct root_list *roots, enum root_kind kind, struct trace_result *result) {
  struct trace_job job = {.is_beside = true, .deadline_ns = UINT64_MAX};
  init_marker(0, true, &job);
  for (size_t i = 0; i < roots->count; i++)
    if (roots->roots[i].kind == kind && !is_watched(&roots->roots[i]))
      mark_root(markers[0], &roots->roots[i]);
  mark_hand_over(markers[0]);
  return add_results(1, result);
}

/* Half of the processors, unless it is said how many: with more the program would get less of them than it loses by
 * waiting, and a thread that finds none free a pause. */
static unsigned
crew_size_beside(void) {
  unsigned wanted = crew_size_for(page_heap_used_bytes());
  return option(OPTION_MARKERS) || wanted == 1 ? wanted : (wanted + 1) / 2;
}

/* One marker until help is called for, then all that may. */
int
trace_beside(const struct dirty_pages *pages, struct trace_result *result) {
  struct trace_job job = {.pages = pages, .is_beside = true, .deadline_ns = UINT64_MAX};
  int err;
  do {
    job.is_shared = atom_int_load_rlx(&is_help_wanted);
    job.interrupt = job.is_shared ? NULL : &is_help_wanted;
    err = trace_by_crew(job.is_shared ? crew_size_beside() : 1, &job, result);
  } while (!err && job.is_interrupted);
  result->scanned_bytes += assist_take_scanned_bytes();
  return err;
}

/* What few pages reach is marked before another thread has started. */
int
trace_finish_stw(const struct root_list *roots, const struct dirty_pages *pages, uint64_t deadline_ns,
                 bool *is_finished, struct trace_result *result) {
  enum { ALONE_PAGES_MAX = CGC_CONFIG_HOSTILE ? 0 : 32 };
  struct trace_job job = {.roots = roots, .pages = pages, .skips_watched = true, .deadline_ns = deadline_ns};
  unsigned wanted = pages->page_count > ALONE_PAGES_MAX ? crew_size_for(page_heap_used_bytes()) : 1;
  int err = trace_by_crew(wanted, &job, result);
  *is_finished = !job.is_interrupted;
  return err;
}

/* ---- verification ---- */

void
trace_verify_stw(const struct root_list *roots, bool knows_seen, bool (*is_world_still)(void)) {
  struct marker *marker = markers[0];
  marker_init(marker, true, false);
  marker->is_verifying = true;
  marker->knows_seen = knows_seen;
  for (size_t i = 0; i < roots->count; i++)
    mark_root(marker, &roots->roots[i]);
  mark_rescan_heap(marker);
  CGC_CHECK(!marker->unmarked || !is_world_still());   /* every reachable block is marked */
  page_heap_check();
}
