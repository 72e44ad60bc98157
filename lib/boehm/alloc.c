/* SPDX-License-Identifier: MIT */
#include "boehm/alloc.h"

#include "boehm/after_cycle.h"
#include "boehm/disclaim.h"
#include "boehm/finalizers.h"
#include "boehm/kinds.h"
#include "boehm/links.h"
#include "boehm/messages.h"
#include "boehm/numbers.h"
#include "boehm/start.h"
#include "boehm/uncollectable.h"
#include "gc/mark_block.h"

#include <gc/gc.h>
#include <gc/gc_inline.h>

#include <errno.h>
#include <string.h>

unsigned alloc_slop_bytes = 1;

/* ---- blocks ---- */

/* Small ones inline: a call costs more than the stores. */
CGC_INLINE void
clear_slot(void *block, size_t slot_bytes) {
  enum { INLINE_BYTES = 256 };
  typedef uint64_t granule __attribute__((vector_size(GRANULE_BYTES)));
  if (slot_bytes > INLINE_BYTES) {
    memset(block, 0, slot_bytes);
    return;
  }
  granule *at = block, *end = (granule *)((char *)block + slot_bytes);
  do {
    *at++ = (granule){0};
    __asm__("" : "+r"(at));   /* or it would become a call after all */
  } while (at < end);
}

void
alloc_clear(void *block, size_t slot_bytes) {
  clear_slot(block, slot_bytes);
}

void *
alloc_large_clear(size_t bytes, bool is_pointer_free) {
  bool is_zero = false;
  void *block = alloc_large(bytes, is_pointer_free ? BLOCK_POINTER_FREE : BLOCK_SCANNED, 1, &is_zero);
  if (block && !is_pointer_free && !is_zero)
    memset(block, 0, span_bytes(heap_map_span((uintptr_t)block)));
  return block;
}

static void *
alloc_small_block(size_t request_bytes, bool is_pointer_free) {
  void *block = alloc_block(request_bytes, is_pointer_free ? BLOCK_POINTER_FREE : BLOCK_SCANNED);
  if (block && !is_pointer_free)
    clear_slot(block, heap_map_span((uintptr_t)block)->slot_bytes);
  return block;
}

void *
boehm_alloc(size_t bytes, bool is_pointer_free) {
  start_once();
  if (bytes > PTRDIFF_MAX)
    return NULL;
  size_t request = alloc_request_bytes(bytes);
  void *block = request <= SIZE_CLASS_MAX_BYTES ? alloc_small_block(request, is_pointer_free)
                                                : alloc_large_clear(request, is_pointer_free);
  after_cycle_settle();
  return block;
}

void *
boehm_alloc_by_start(size_t bytes, bool is_pointer_free) {
  void *block = boehm_alloc(bytes, is_pointer_free);
  struct cgc_span *span = block ? heap_map_span((uintptr_t)block) : NULL;
  if (span && !span->slot_bytes) {
    span->is_kept_by_start = true;
    mark_offsets.are_checked = true;
  }
  return block;
}

void *
alloc_or_oom(void *block, size_t bytes) {
  return CGC_LIKELY(block != NULL) ? block : GC_oom_fn(bytes);
}

/* ---- the interface's ---- */

/* A slot of the thread's window, or what it takes to get one. */
CGC_INLINE void *
malloc_fast(size_t bytes, bool is_pointer_free) {
  size_t request = alloc_request_bytes(bytes);
  unsigned span_class = span_class_of(size_class_of(request), is_pointer_free ? BLOCK_POINTER_FREE : BLOCK_SCANNED);
  struct thread_cache *cache = thread_cache_self;
  void *block = thread_cache_try_pop(cache, span_class);
  if (CGC_UNLIKELY(!block))
    return alloc_or_oom(boehm_alloc(bytes, is_pointer_free), bytes);
  if (!is_pointer_free)
    clear_slot(block, cache->windows[span_class].slot_bytes);
  return block;
}

void *
GC_malloc(size_t bytes) {
  return malloc_fast(bytes, false);
}

void *
GC_malloc_atomic(size_t bytes) {
  return malloc_fast(bytes, true);
}

void *
GC_malloc_ignore_off_page(size_t bytes) {
  return alloc_or_oom(boehm_alloc_by_start(bytes, false), bytes);
}

void *
GC_malloc_atomic_ignore_off_page(size_t bytes) {
  return alloc_or_oom(boehm_alloc_by_start(bytes, true), bytes);
}

void *
GC_malloc_uncollectable(size_t bytes) {
  return alloc_or_oom(uncollectable_alloc(bytes, false), bytes);
}

void *
GC_malloc_atomic_uncollectable(size_t bytes) {
  return alloc_or_oom(uncollectable_alloc(bytes, true), bytes);
}

void *
GC_malloc_stubborn(size_t bytes) {
  return GC_malloc(bytes);
}

char *
GC_strndup(const char *string, size_t bytes_max) {
  size_t bytes = strnlen(string, bytes_max);
  char *copy = GC_malloc_atomic(bytes + 1);
  if (!copy) {
    errno = ENOMEM;
    return NULL;
  }
  memcpy(copy, string, bytes);
  copy[bytes] = 0;
  return copy;
}

char *
GC_strdup(const char *string) {
  return string ? GC_strndup(string, SIZE_MAX) : NULL;
}

/* ---- aligned ---- */

static void *
alloc_aligned_block(size_t alignment, size_t bytes) {
  start_once();
  size_t request = alloc_request_bytes(bytes);
  void *block = bytes > PTRDIFF_MAX ? NULL : alloc_aligned(request, max_u64(alignment, GRANULE_BYTES), BLOCK_SCANNED);
  if (block)
    alloc_clear(block, span_block_bytes(heap_map_span((uintptr_t)block)));
  after_cycle_settle();
  return block;
}

void *
GC_memalign(size_t alignment, size_t bytes) {
  if (alignment & (alignment - 1))
    return NULL;
  return alloc_or_oom(alloc_aligned_block(alignment, bytes), bytes);
}

int
GC_posix_memalign(void **block, size_t alignment, size_t bytes) {
  if (alignment < sizeof(void *) || alignment & (alignment - 1))
    return EINVAL;
  void *aligned = GC_memalign(alignment, bytes);
  if (!aligned)
    return ENOMEM;
  *block = aligned;
  return 0;
}

/* ---- about blocks ---- */

struct cgc_span *
alloc_span_of(const void *block) {
  enum free_verdict verdict;
  return alloc_find_block(block, &verdict);
}

void *
GC_base(void *inside) {
  const struct cgc_span *span = heap_map_span((uintptr_t)inside);
  if (!span || !span_is_used(span))
    return NULL;
  size_t slot = span_slot_of(span, (uintptr_t)inside);
  bool is_allocated = slot < span->slot_count && !span_slot_is_free(span, slot);
  return is_allocated ? (void *)span_slot_addr(span, slot) : NULL;
}

int
GC_is_heap_ptr(const void *inside) {
  const struct cgc_span *span = heap_map_span((uintptr_t)inside);
  return span && span_is_used(span);
}

size_t
GC_size(const void *block) {
  const struct cgc_span *span = heap_map_span((uintptr_t)block);
  return span && span_is_used(span) ? span_block_bytes(span) : 0;
}

/* ---- free ---- */

/* What is known of the block beside itself goes first, or a later one there would inherit it. */
void
GC_free(void *block) {
  if (!block)
    return;
  uncollectable_forget(block);
  finalizers_forget(block);
  disclaim_forget(block);
  numbers_note_freed(GC_size(block));
  if (free_block(block) != FREE_VERDICT_FREED)
    messages_warn("GC_free of %p, which is not an allocated block", (uintptr_t)block);
}

/* ---- realloc ---- */

/* The block stays where it is; all behind what is wanted is zero, so that later growth finds it so. */
static void
clear_tail(void *block, const struct cgc_span *span, size_t bytes) {
  if (!(span_kind(span) & SPAN_KIND_NOSCAN) && bytes < span_block_bytes(span))
    memset((char *)block + bytes, 0, span_block_bytes(span) - bytes);
}

static bool
resize_in_place(void *block, struct cgc_span *span, size_t bytes) {
  size_t old_bytes = span_block_bytes(span);
  if (!alloc_resize_in_place(span, max_u64(bytes + alloc_slop_bytes, GRANULE_BYTES)))
    return false;
  clear_tail(block, span, bytes < old_bytes ? bytes : old_bytes);
  return true;
}

static void *
alloc_like(const void *block, const struct cgc_span *span, size_t bytes) {
  if (span->client_kind)
    return kinds_alloc(span->client_kind, bytes);
  bool is_pointer_free = span_kind(span) & SPAN_KIND_NOSCAN;
  return uncollectable_has(block) ? uncollectable_alloc(bytes, is_pointer_free) : boehm_alloc(bytes, is_pointer_free);
}

void *
GC_realloc(void *block, size_t bytes) {
  if (!block)
    return GC_malloc(bytes);
  if (!bytes) {
    GC_free(block);
    return NULL;
  }
  struct cgc_span *span = alloc_span_of(block);
  if (!span)
    messages_abort("GC_realloc of what is not an allocated block");
  if (bytes <= PTRDIFF_MAX && resize_in_place(block, span, bytes))
    return block;
  size_t kept_bytes = min_u64(span_block_bytes(span), bytes);
  void *moved = alloc_or_oom(alloc_like(block, span, bytes), bytes);
  if (!moved)
    return NULL;
  memcpy(moved, block, kept_bytes);
  GC_free(block);
  return moved;
}

/* ---- lists ---- */

/* Linked by their first words; what has been linked so far is kept by the thread's own stack. */
static void *
alloc_list(size_t slot_bytes, unsigned kind) {
  enum { LIST_BYTES = 4096 };
  void *first = NULL;
  size_t count = slot_bytes < LIST_BYTES ? LIST_BYTES / slot_bytes : 1;
  for (size_t i = 0; i < count; i++) {
    void *block = kinds_alloc_slot(kind, slot_bytes);
    if (!block)
      break;
    GC_NEXT(block) = first;
    first = block;
  }
  return first;
}

void
GC_generic_malloc_many(size_t bytes, int kind, void **result) {
  start_once();
  void *list = alloc_list(bytes ? bytes : GRANULE_BYTES, (unsigned)kind);
  after_cycle_settle();
  *result = alloc_or_oom(list, bytes);
}

void *
GC_malloc_many(size_t bytes) {
  void *list;
  GC_generic_malloc_many(round_up(bytes + alloc_slop_bytes, GRANULE_BYTES), KIND_NORMAL, &list);
  return list;
}
