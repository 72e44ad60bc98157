/* SPDX-License-Identifier: MIT */
#include "gc/sweep.h"

#include "gc/crew.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

#include <string.h>

/* ---- all spans, in parallel ---- */

enum { SPANS_PER_TURN = 256 };

struct sweep_job {
  size_t span_count;
  bool keeps_marks;
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
      if (span_is_used(span))
        span_sweep(span, job->keeps_marks, &result);
    }
  job->results[index] = result;
}

void
sweep_heap_stw(bool keeps_marks, struct sweep_result *result) {
  struct sweep_job job;
  memset(&job, 0, sizeof job);
  job.span_count = span_table_count();
  job.keeps_marks = keeps_marks;
  crew_run(crew_size_for(page_heap_used_bytes() / 4), sweep_work, &job);
  *result = (struct sweep_result){0};
  for (unsigned i = 0; i < CREW_MAX; i++)
    sweep_result_add(result, &job.results[i]);
}

void
sweep_heap(struct sweep_result *result) {
  for (size_t i = 0; i < span_table_count(); i++)
    span_sweep_try(span_table_at(i));
  for (size_t i = 0; i < span_table_count(); i++)
    span_sweep_await(span_table_at(i));
  span_sweep_read(result);
}

void
sweep_clear_marks(void) {
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
