/* SPDX-License-Identifier: MIT */
#include "heap/scavenger.h"

#include "base/options.h"
#include "base/platform.h"
#include "heap/free_runs.h"

/* Who discards holds the lock of the page heap meanwhile, for which others wait: so what is old goes step by step, and
 * where there is too much not much more. */
#define STEP_PAGES   ((4 * MIB) >> SPAN_PAGE_BYTES_LOG2)
#define EXCESS_PAGES ((16 * MIB) >> SPAN_PAGE_BYTES_LOG2)
enum { STEP_NS = 20 * 1000 * 1000 };

/* Lock: the page heap's; anyone may read it. */
static atom_word next_step_ns;               /* when to look for old memory again */

/* Lock: the page heap's. */
static size_t discarded_pages;               /* since there was no old memory */
static size_t regretted_pages;               /* of them, asked for again since */
static size_t retain_more_pages;             /* beyond what options say, learnt from regret */
static size_t expected_pages;                /* that the heap is to take */
static size_t peak_used_pages;               /* of late */

/* How many pages at the end of a free run hold that much memory, or somewhat more. */
static size_t
tail_with_touched(const struct cgc_span *span, size_t touched_pages) {
  uintptr_t end = span->base_addr + span_bytes(span);
  size_t pages = touched_pages;
  while (pages < span->page_count &&
         heap_map_count_touched(end - (pages << SPAN_PAGE_BYTES_LOG2), pages) < touched_pages)
    pages *= 2;
  return min_u64(pages, span->page_count);
}

/* Discards memory of a free run, no more than is asked for if it can be helped, and from the run's end, for its
 * start is used first.  Runs of untouched pages in between cost nothing. */
static size_t
discard_locked(struct cgc_span *span, size_t wanted_pages) {
  size_t pages = tail_with_touched(span, min_u64(wanted_pages, span->touched_pages));
  uintptr_t addr = span->base_addr + span_bytes(span) - (pages << SPAN_PAGE_BYTES_LOG2);
  uint32_t touched = heap_map_count_touched(addr, pages);
  if (platform_discard(addr, pages << SPAN_PAGE_BYTES_LOG2))
    return 0;   /* the pages keep their contents: they stay touched */
  heap_map_set_touched(addr, pages, false);
  free_runs_note_discarded_locked(span, touched);
  discarded_pages += touched;
  return (size_t)touched << SPAN_PAGE_BYTES_LOG2;
}

struct discard_visit {
  size_t keep_pages;
  uint64_t before_ns;
  size_t bytes;           /* discarded */
};

static bool
discard_if_older(struct cgc_span *span, void *arg) {
  struct discard_visit *visit = arg;
  if (free_runs_touched_pages() <= visit->keep_pages)
    return false;
  if (span->touched_pages && span->freed_at_ns <= visit->before_ns)
    visit->bytes += discard_locked(span, free_runs_touched_pages() - visit->keep_pages);
  return true;
}

size_t
scavenger_discard_locked(size_t keep_pages, uint64_t before_ns) {
  struct discard_visit visit = {keep_pages, before_ns, 0};
  free_runs_visit_locked(discard_if_older, &visit);
  return visit.bytes;
}

static size_t
retain_pages_max(size_t used_pages) {
  size_t pages = max_u64(used_pages / 8, option(OPTION_RETAIN) >> SPAN_PAGE_BYTES_LOG2);
  return max_u64(pages, expected_pages) + retain_more_pages;
}

void
scavenger_expect_locked(size_t pages) {
  expected_pages = pages;
}

/* Pages that were given back a moment ago are needed again: so much more is worth keeping, up to
 * what was in use of late. */
void
scavenger_regret_locked(size_t untouched_pages, size_t used_pages) {
  peak_used_pages = max_u64(peak_used_pages, used_pages);
  if (!discarded_pages)
    return;
  regretted_pages += min_u64(untouched_pages, discarded_pages);
  discarded_pages -= min_u64(untouched_pages, discarded_pages);
  if (regretted_pages <= retain_pages_max(used_pages) / 16)
    return;
  retain_more_pages = min_u64(retain_more_pages + 4 * regretted_pages, peak_used_pages);
  regretted_pages = 0;
}

bool
scavenger_is_due(void) {
  return free_runs_touched_pages() && platform_now_coarse_ns() >= atom_load_rlx(&next_step_ns);
}

/* What is learnt is forgotten by halves. */
static void
forget_some_locked(void) {
  retain_more_pages /= 2;
  peak_used_pages /= 2;
  discarded_pages = regretted_pages = 0;
}

void
scavenger_discard_old_locked(void) {
  uint64_t now_ns = platform_now_coarse_ns(), age_ns = option(OPTION_RETAIN_MS) * 1000000;
  if (now_ns < atom_load_rlx(&next_step_ns))
    return;
  size_t touched = free_runs_touched_pages(), keep_pages = touched - min_u64(touched, STEP_PAGES);
  scavenger_discard_locked(keep_pages, now_ns - min_u64(now_ns, age_ns));
  bool is_done = !keep_pages || free_runs_touched_pages() > keep_pages;
  atom_store_rlx(&next_step_ns, now_ns + (is_done ? age_ns : STEP_NS));
  if (is_done)
    forget_some_locked();
}

/* At once if there is too much, somewhat less than to where it is enough, so that it is not done again soon. */
void
scavenger_after_free_locked(size_t used_pages) {
  size_t max_pages = retain_pages_max(used_pages);
  if (free_runs_touched_pages() > max_pages)
    scavenger_discard_locked(max_pages - min_u64(max_pages / 4, EXCESS_PAGES), UINT64_MAX);
  scavenger_discard_old_locked();
}
