/* SPDX-License-Identifier: MIT */
#include "gc/sweep.h"

#include "base/options.h"
#include "gc/crew.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

#include <string.h>

/* Condemned blocks of this kind must be confirmed by another cycle. */
static bool
needs_confirmation(const struct cgc_span *span) {
  return option(OPTION_CONFIRM) > 1 && !(span_kind(span) & SPAN_KIND_COLLECTED);
}

struct word_fate {
  uint64_t reclaimed, held, live;
};

/* A word of slots.  Who is condemned again is reclaimed; in a window, where only the owner knows what is
 * allocated, nobody is, and who is condemned stays so. */
static struct word_fate
judge_word(const struct cgc_span *span, unsigned index) {
  const struct span_word *word = &span->words[index];
  uint64_t allocated = span_word_mask(span, index) & ~span_word_free(span, index);
  uint64_t dead = allocated & ~atom_load_rlx(&word->mark), condemned = atom_load_rlx(&word->condemned);
  if (index == span->window_word)
    return (struct word_fate){0, dead & condemned, allocated & ~(dead & condemned)};
  uint64_t reclaimed = needs_confirmation(span) ? dead & condemned : dead;
  return (struct word_fate){reclaimed, dead & ~reclaimed, allocated & ~dead};
}

static void
add_fate(struct sweep_result *result, struct word_fate fate, size_t block_bytes) {
  result->live_bytes += count_bits(fate.live) * block_bytes;
  result->reclaimed_blocks += count_bits(fate.reclaimed);
  result->reclaimed_bytes += count_bits(fate.reclaimed) * block_bytes;
  result->held_blocks += count_bits(fate.held);
  result->held_bytes += count_bits(fate.held) * block_bytes;
}

static void
sweep_small(struct cgc_span *span, struct sweep_result *result) {
  bool has_reclaimed = false;
  for (unsigned i = 0; i < span_word_count(span); i++) {
    struct span_word *word = &span->words[i];
    struct word_fate fate = judge_word(span, i);
    atom_store_rlx(&word->condemned, fate.held);
    atom_store_rlx(&word->mark, 0);
    atom_store_rlx(span_scanned(span, i), 0);
    if (fate.reclaimed) {
      atom_or_full(&word->remote, fate.reclaimed);   /* as span_free_remote */
      has_reclaimed = true;
    }
    add_fate(result, fate, span->slot_bytes);
  }
  if (has_reclaimed)
    span_list_remote(span);
}

static void
sweep_large(struct cgc_span *span, struct sweep_result *result) {
  struct word_fate fate = judge_word(span, 0);
  atom_store_rlx(&span->words[0].condemned, fate.held);
  atom_store_rlx(&span->words[0].mark, 0);
  atom_store_rlx(span_scanned(span, 0), 0);
  add_fate(result, fate, span_bytes(span));
  if (fate.reclaimed)
    page_heap_free(span);
}

/* ---- all spans, in parallel ---- */

enum { SPANS_PER_TURN = 256 };

struct sweep_job {
  size_t span_count;
  atom_word next;
  struct sweep_result results[CREW_MAX];
};

static void
sweep_work(unsigned index, void *arg) {
  struct sweep_job *job = arg;
  struct sweep_result result = {0};
  size_t at;
  while ((at = atom_add_full(&job->next, SPANS_PER_TURN)) < job->span_count)
    for (size_t i = at; i < job->span_count && i < at + SPANS_PER_TURN; i++) {
      struct cgc_span *span = span_table_at(i);
      if (span_is_small(span))
        sweep_small(span, &result);
      else if (span->state == SPAN_LARGE)
        sweep_large(span, &result);
    }
  job->results[index] = result;
}

void
sweep_heap_stw(struct sweep_result *result) {
  struct sweep_job job;
  memset(&job, 0, sizeof job);
  job.span_count = span_table_count();
  crew_run(crew_size_for(page_heap_used_bytes() / 4), sweep_work, &job);
  *result = (struct sweep_result){0};
  for (unsigned i = 0; i < CREW_MAX; i++) {
    result->live_bytes += job.results[i].live_bytes;
    result->reclaimed_blocks += job.results[i].reclaimed_blocks;
    result->reclaimed_bytes += job.results[i].reclaimed_bytes;
    result->held_blocks += job.results[i].held_blocks;
    result->held_bytes += job.results[i].held_bytes;
  }
}

void
sweep_clear_marks_stw(void) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    atom_int_store_rlx(&span->is_grey, 0);
    for (unsigned k = 0; span_is_used(span) && k < span_word_count(span); k++) {
      atom_store_rlx(&span->words[k].mark, 0);
      atom_store_rlx(span_scanned(span, k), 0);
    }
  }
}

/* ---- counting ---- */

static uint64_t
allocated_bytes(const struct cgc_span *span) {
  if (span->state == SPAN_LARGE)
    return span_bytes(span);
  return span_is_small(span) ? (uint64_t)(span->slot_count - span_free_slots(span)) * span->slot_bytes : 0;
}

uint64_t
sweep_count_allocated_bytes(void) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < span_table_count(); i++)
    bytes += allocated_bytes(span_table_at(i));
  return bytes;
}

/* The pages in use are known; what is free in them is estimated. */
uint64_t
sweep_estimate_allocated_bytes(size_t turn) {
  enum { SAMPLE_SPANS = 256 };
  size_t count = span_table_count(), step = count / SAMPLE_SPANS + 1;
  uint64_t used_bytes = page_heap_used_bytes(), free_bytes = 0;
  for (size_t i = turn % step; i < count; i += step) {
    const struct cgc_span *span = span_table_at(i);
    if (span_is_used(span))
      free_bytes += span_bytes(span) - min_u64(span_bytes(span), allocated_bytes(span));
  }
  return used_bytes - min_u64(used_bytes, free_bytes * step);
}
