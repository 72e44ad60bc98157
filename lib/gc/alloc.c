/* SPDX-License-Identifier: MIT */
#include "gc/alloc.h"

#include "base/options.h"
#include "base/platform.h"
#include "gc/assist.h"
#include "gc/cycle.h"
#include "gc/mark_relative.h"
#include "gc/runtime.h"
#include "gc/seen_words.h"
#include "gc/stop_ahead.h"
#include "heap/page_heap.h"
#include "heap/span_sweep.h"
#include "world/park.h"

#include <string.h>

static atom_int stress_count;
static atom_word stress_bytes;

/* ---- starting cycles ---- */

/* Runs a cycle from within a slow path: the thread can be stopped while it waits for another's. */
static void
collect_inside(struct thread_cache *cache, enum cycle_cause cause) {
  runtime_leave(cache);
  cycle_collect(cause);
  runtime_enter();   /* a handler of the program may have forked: then this adopts the fork */
}

static void
collect_for_stress(struct thread_cache *cache) {
  uint64_t every = option(OPTION_STRESS);
  if (CGC_UNLIKELY(every) && (atom_int_add_full(&stress_count, 1) + 1) % every == 0)
    collect_inside(cache, CYCLE_CAUSE_STRESS);
}

static void
wait_for_cycle(struct thread_cache *cache, size_t bytes) {
  uint64_t ns = cycle_wait_ns(bytes);
  if (CGC_LIKELY(!ns))
    return;
  uint64_t assisted_ns = assist_for(cache, ns), slept_ns = 0;
  if (assisted_ns < ns) {
    runtime_leave(cache);
    slept_ns = cycle_sleep(bytes, ns - assisted_ns);
    runtime_enter();
  }
  cycle_note_waited(assisted_ns + slept_ns, assisted_ns);
}

static void
let_stop_come(struct thread_cache *cache) {
  if (!stop_ahead_is_seen())
    return;
  runtime_leave(cache);
  stop_ahead_await();
  runtime_enter();
}

static void
note_handed(struct thread_cache *cache) {
  enum { STRESS_BYTES = 2 * 1024 * 1024 };
  enum cycle_cause cause;
  size_t bytes = cache->handed_bytes;
  cache->handed_bytes = 0;
  if (option(OPTION_STRESS) && atom_add_full(&stress_bytes, bytes) + bytes >= STRESS_BYTES) {
    atom_store_rlx(&stress_bytes, 0);
    collect_inside(cache, CYCLE_CAUSE_STRESS);
  }
  if (cycle_note_handed(bytes) && cycle_is_due(&cause))
    collect_inside(cache, cause);
  else
    let_stop_come(cache);
  page_heap_give_back_old();
  wait_for_cycle(cache, bytes);
}

/* What a thread takes is noted now and then. */
CGC_INLINE void
collect_if_due(struct thread_cache *cache) {
  enum { NOTED_BYTES = 64 * 1024 };
  if (CGC_UNLIKELY(cache->handed_bytes >= NOTED_BYTES))
    note_handed(cache);
}

/* ---- pages ---- */

/* Fresh pages; when the system has none, what two cycles and all free memory can give. */
static struct cgc_span *
alloc_span(struct thread_cache *cache, unsigned span_class, size_t pages, size_t align_pages) {
  struct cgc_span *span = page_heap_alloc(span_class, pages, align_pages);
  for (uint64_t i = 0; !span && i < option(OPTION_CONFIRM); i++) {
    collect_inside(cache, CYCLE_CAUSE_NO_MEMORY);
    page_heap_scavenge(0);
    span = page_heap_alloc(span_class, pages, align_pages);
  }
  return span;
}

void
alloc_collect_if_due(void) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return;
  collect_for_stress(cache);
  collect_if_due(cache);
  runtime_leave(cache);
}

struct cgc_span *
alloc_fresh_span(struct thread_cache *self, unsigned span_class) {
  return alloc_span(self, span_class, span_class_size(span_class)->page_count, 1);
}

/* ---- small blocks ---- */

static bool
grow_class(struct thread_cache *cache, unsigned span_class) {
  struct cgc_span *span = alloc_fresh_span(cache, span_class);
  if (span)
    thread_cache_install(cache, span);
  return span != NULL;
}

void *
alloc_from_next_window(struct thread_cache *cache, unsigned span_class) {
  collect_for_stress(cache);
  collect_if_due(cache);
  bool is_filled = thread_cache_refill(cache, span_class) || grow_class(cache, span_class);
  return is_filled ? thread_cache_try_pop(cache, span_class) : NULL;
}

/* A slot of the span class, or NULL if there is no memory. */
static void *
alloc_small(unsigned span_class) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return NULL;
  void *block = alloc_inside(cache, span_class);
  runtime_leave(cache);
  return block;
}

/* ---- large blocks ---- */

void *
alloc_large(size_t bytes, unsigned kind, size_t align_pages, bool *is_zero) {
  size_t pages = (bytes + SPAN_PAGE_BYTES - 1) >> SPAN_PAGE_BYTES_LOG2;
  if (bytes > HULL_HEAP_BYTES || align_pages > (HULL_HEAP_BYTES >> SPAN_PAGE_BYTES_LOG2))
    return NULL;
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return NULL;
  collect_for_stress(cache);
  cache->handed_bytes += bytes;
  collect_if_due(cache);
  unsigned span_class = span_class_of(SIZE_CLASS_LARGE, kind);
  struct cgc_span *span = alloc_span(cache, span_class, pages ? pages : 1, align_pages);
  void *block = NULL;
  if (span) {
    block = (void *)span->base_addr;
    if (is_zero)
      *is_zero = !span->is_touched;
  }
  runtime_leave(cache);
  return block;
}

void *
alloc_slow(size_t bytes, unsigned kind) {
  unsigned size_class = size_class_of(bytes);
  if (size_class == SIZE_CLASS_LARGE)
    return alloc_large(bytes, kind, 1, NULL);
  return alloc_small(span_class_of(size_class, kind));
}

void *
alloc_zeroed(size_t bytes, unsigned kind) {
  bool is_zero = false;
  void *block = bytes <= SIZE_CLASS_MAX_BYTES ? alloc_block(bytes, kind) : alloc_large(bytes, kind, 1, &is_zero);
  if (block && !is_zero)
    memset(block, 0, bytes);
  return block;
}

/* Slots are aligned to the largest power of two that divides their size, up to a page. */
void *
alloc_aligned(size_t bytes, size_t alignment, unsigned kind) {
  if (bytes <= SIZE_CLASS_MAX_BYTES && alignment <= SPAN_PAGE_BYTES)
    for (unsigned size_class = size_class_of(bytes); size_class < SIZE_CLASS_COUNT; size_class++)
      if (size_class_rows[size_class].slot_bytes % alignment == 0)
        return alloc_small(span_class_of(size_class, kind));
  return alloc_large(bytes, kind, alignment > SPAN_PAGE_BYTES ? alignment >> SPAN_PAGE_BYTES_LOG2 : 1, NULL);
}

/* ---- free ---- */

static void
free_event(struct cgc_span *span) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return;
  thread_cache_free_event(cache, span);
  runtime_leave(cache);
}

static enum free_verdict
free_large(struct cgc_span *span, uintptr_t addr) {
  if (addr != span->base_addr)
    return FREE_VERDICT_INTERIOR;
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return FREE_VERDICT_FREED;
  span_ensure_swept(span);
  bool is_used = span->state == SPAN_LARGE && span->base_addr == addr;   /* else that has just reclaimed it */
  if (is_used)
    page_heap_free(span);
  runtime_leave(cache);
  return is_used ? FREE_VERDICT_FREED : FREE_VERDICT_DOUBLE;
}

static enum free_verdict
free_remote(struct cgc_span *span, uintptr_t addr) {
  size_t slot;
  if (!span_slot_starts_at(span, addr, &slot))
    return FREE_VERDICT_INTERIOR;
  return span_free_remote(span, slot) ? FREE_VERDICT_FREED : FREE_VERDICT_DOUBLE;
}

static enum free_verdict
free_not_owned(struct cgc_span *span, uintptr_t addr) {
  if (span->state == SPAN_LARGE)
    return free_large(span, addr);
  return span_is_small(span) ? free_remote(span, addr) : FREE_VERDICT_NO_BLOCK;
}

/* Free already, or condemned, by mistake as it turns out. */
static enum free_verdict
free_unusual(struct cgc_span *span, void *block) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return FREE_VERDICT_FREED;
  bool is_allocated = thread_cache_absolve(span, (uintptr_t)block);
  runtime_leave(cache);
  return is_allocated ? free_block(block) : FREE_VERDICT_DOUBLE;
}

static enum free_verdict
verdict_without_span(uintptr_t addr) {
  bool is_ours = addr - heap_map.base_addr < atom_load_rlx(&heap_map.extent_bytes);
  return is_ours ? FREE_VERDICT_NO_BLOCK : FREE_VERDICT_FOREIGN;
}

enum free_verdict
free_slow(void *block, enum free_result result) {
  if (CGC_UNLIKELY(thread_cache_self == &thread_cache_parked)) {
    park_break();
    return free_block(block);
  }
  uintptr_t addr = (uintptr_t)block;
  struct cgc_span *span = heap_map_span(addr);
  enum free_verdict verdict = FREE_VERDICT_FREED;
  if (!span || result == FREE_NO_SPAN)
    verdict = verdict_without_span(addr);
  else if (result == FREE_UNUSUAL)
    verdict = free_unusual(span, block);
  else if (result == FREE_DONE_EVENT)
    free_event(span);
  else
    verdict = free_not_owned(span, addr);
  CGC_KEEP_ALIVE(block);
  return verdict;
}

/* ---- blocks ---- */

struct cgc_span *
alloc_find_block(const void *block, enum free_verdict *verdict) {
  uintptr_t addr = (uintptr_t)block;
  struct cgc_span *span = heap_map_span(addr);
  if (!span || !span_is_used(span)) {
    *verdict = verdict_without_span(addr);
    return NULL;
  }
  size_t slot = span_slot_of(span, addr);
  *verdict = FREE_VERDICT_INTERIOR;
  if (slot >= span->slot_count || span_slot_addr(span, slot) != addr)
    return NULL;
  *verdict = FREE_VERDICT_DOUBLE;
  return span_slot_is_free(span, slot) ? NULL : span;
}

/* What the block grows over, for a verification. */
static void
note_memory(uintptr_t block_addr, uintptr_t start_addr, uintptr_t end_addr) {
  seen_words_note_memory(start_addr, end_addr);
  if (mark_relative_is_sought())
    mark_relative_note(block_addr, start_addr, end_addr);
}

static bool
extend_large(struct cgc_span *span, size_t pages) {
  uintptr_t end_addr = span->base_addr + span_bytes(span);
  bool fits = page_heap_extend(span, pages);
  if (fits && option(OPTION_VERIFY))
    note_memory(span->base_addr, end_addr, span->base_addr + span_bytes(span));
  return fits;
}

static bool
resize_large(struct cgc_span *span, size_t pages) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return pages <= span->page_count;
  bool fits = true;
  span_ensure_swept(span);
  if (span->state != SPAN_LARGE)
    fits = false;   /* the sweep has reclaimed it */
  else if (pages < span->page_count)
    page_heap_shrink(span, pages);
  else if (pages > span->page_count)
    fits = extend_large(span, pages);
  runtime_leave(cache);
  return fits;
}

bool
alloc_resize_in_place(struct cgc_span *span, size_t bytes) {
  if (span_is_small(span))
    return alloc_slot_suits(span, bytes);
  return bytes > SIZE_CLASS_MAX_BYTES && bytes <= HULL_HEAP_BYTES &&
         resize_large(span, (bytes + SPAN_PAGE_BYTES - 1) >> SPAN_PAGE_BYTES_LOG2);
}
