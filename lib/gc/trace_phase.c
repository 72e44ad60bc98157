/* SPDX-License-Identifier: MIT */
#include "gc/trace_phase.h"

#include "base/fatal.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "gc/crew.h"
#include "gc/mark.h"
#include "gc/seen_words.h"
#include "heap/page_heap.h"

#include <errno.h>

/* Owned by whoever holds the cycle lock. */
static struct marker *markers[CREW_MAX];

struct trace_job {
  const struct root_list *roots;
  const struct dirty_pages *pages;   /* or NULL */
  atom_word next_root;
  atom_word next_range;
  atom_int  waiting_markers;
};

static struct marker *
marker_at(unsigned index) {
  if (!markers[index])
    markers[index] = meta_alloc(sizeof **markers);
  return markers[index];
}

/* Waits until there is something to steal.  False when all markers wait: then nobody has work, and
 * nobody can make any. */
static bool
await_work(struct marker *marker, struct trace_job *job) {
  enum { SPINS = 64 };
  atom_int_add_full(&job->waiting_markers, 1);
  for (unsigned turn = 1;; turn++) {
    if (mark_queue_has_work()) {
      atom_int_add_full(&job->waiting_markers, -1);
      if (mark_steal(marker))
        return true;
      atom_int_add_full(&job->waiting_markers, 1);
    }
    if (atom_int_load_acq(&job->waiting_markers) == crew_count() && !mark_queue_has_work())
      return false;
    atom_pause();
    if (turn % SPINS == 0)
      platform_yield();
  }
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

static void
trace_work(unsigned index, void *arg) {
  struct trace_job *job = arg;
  struct marker *marker = markers[index];
  const struct dirty_range *range;
  uintptr_t next;
  while (job->pages && (range = range_at(job->pages, atom_add_full(&job->next_range, 1)))) {
    mark_rescan_range(marker, range->start_addr, range->end_addr);
    mark_drain(marker, &job->waiting_markers);
  }
  while ((next = atom_add_full(&job->next_root, 1)) < job->roots->count) {
    mark_root(marker, &job->roots->roots[next]);
    mark_drain(marker, &job->waiting_markers);
  }
  do
    mark_drain(marker, &job->waiting_markers);
  while (mark_steal(marker) || await_work(marker, job));
}

static int
trace_by_crew(unsigned wanted, struct trace_job *job, struct trace_result *result) {
  for (unsigned i = 0; i < wanted; i++) {
    if (!marker_at(i))
      return ENOMEM;
    marker_init(markers[i], wanted == 1, false);
    markers[i]->notes_seen = job->pages && option(OPTION_VERIFY);
  }
  result->markers = crew_run(wanted, trace_work, job);
  int err = 0;
  for (unsigned i = 0; i < result->markers; i++) {
    result->scanned_bytes += markers[i]->scanned_bytes;
    err = err ? err : markers[i]->err;
  }
  return err;
}

int
trace_heap_stw(const struct root_list *roots, struct trace_result *result) {
  struct trace_job job = {.roots = roots};
  return trace_by_crew(crew_size_for(page_heap_used_bytes() + roots->bytes), &job, result);
}

/* ---- beside the program ---- */

int
trace_begin_beside(struct trace_result *result) {
  if (!marker_at(0))
    return ENOMEM;
  marker_init(markers[0], true, true);
  markers[0]->notes_seen = option(OPTION_VERIFY);
  if (markers[0]->notes_seen)
    seen_words_begin();
  result->markers = 1;
  page_heap_defer_reuse();
  return 0;
}

void
trace_end_beside(void) {
  page_heap_let_reuse(false);
}

int
trace_roots_beside(const struct root_list *roots, enum root_kind kind) {
  for (size_t i = 0; i < roots->count; i++)
    if (roots->roots[i].kind == kind)
      mark_root(markers[0], &roots->roots[i]);
  return markers[0]->err;
}

void
trace_pages_beside(const struct dirty_pages *pages) {
  const struct dirty_range *range;
  for (size_t i = 0; (range = range_at(pages, i)); i++)
    mark_rescan_range(markers[0], range->start_addr, range->end_addr);
}

void
trace_drain_beside(struct trace_result *result) {
  static const atom_int nobody;
  mark_drain(markers[0], &nobody);
  result->scanned_bytes += markers[0]->scanned_bytes;
  markers[0]->scanned_bytes = 0;
}

/* What few pages reach is marked before another thread has started. */
int
trace_finish_stw(const struct root_list *roots, const struct dirty_pages *pages, struct trace_result *result) {
  enum { ALONE_PAGES_MAX = CGC_CONFIG_HOSTILE ? 0 : 32 };
  struct trace_job job = {.roots = roots, .pages = pages};
  unsigned wanted = pages->page_count > ALONE_PAGES_MAX ? crew_size_for(page_heap_used_bytes()) : 1;
  return trace_by_crew(wanted, &job, result);
}

/* ---- verification ---- */

void
trace_verify_stw(const struct root_list *roots, bool was_beside, bool (*is_world_still)(void)) {
  struct marker *marker = markers[0];
  marker_init(marker, true, false);
  marker->is_verifying = true;
  marker->knows_seen = was_beside;
  for (size_t i = 0; i < roots->count; i++)
    mark_root(marker, &roots->roots[i]);
  mark_rescan_heap(marker);
  CGC_CHECK(!marker->unmarked || !is_world_still());   /* every reachable block is marked */
  page_heap_check();
}
