/* SPDX-License-Identifier: MIT */
#include "boehm/kinds.h"

#include "base/array.h"
#include "base/lock.h"
#include "base/meta.h"
#include "boehm/after_cycle.h"
#include "boehm/alloc.h"
#include "boehm/descriptor.h"
#include "boehm/messages.h"
#include "boehm/start.h"
#include "boehm/uncollectable.h"
#include "gc/mark_block.h"
#include "heap/span_table.h"

#include <gc/gc_inline.h>

#include <string.h>

struct kind {
  /* Constant once it is made. */
  GC_word descriptor;
  bool adds_size;
  bool clears;

  /* The allocation lock. */
  struct thread_cache *cache;   /* NULL: not made yet */
  struct kind_disclaim disclaim;
};

static struct kind kinds[KIND_MAX];
static unsigned kind_count = KIND_FIRST_MADE;

/* ---- making kinds ---- */

static struct thread_cache *
make_cache(void) {
  struct thread_cache *cache = meta_alloc(sizeof *cache);
  if (!cache || !thread_cache_init(cache))
    return NULL;
  cache->is_apart = true;
  return cache;
}

unsigned
kinds_make_locked(GC_word descriptor, bool adds_size, bool clears) {
  struct thread_cache *cache = kind_count < KIND_MAX ? make_cache() : NULL;
  if (!cache)
    return KIND_MAX;
  kinds[kind_count] = (struct kind){.descriptor = descriptor, .adds_size = adds_size, .clears = clears, .cache = cache};
  return kind_count++;
}

static bool
is_made(unsigned kind) {
  return kind >= KIND_FIRST_MADE && kind < KIND_MAX && kinds[kind].cache;
}

unsigned
GC_new_kind_inner(void **free_list, GC_word descriptor, int adds_size, int clears) {
  (void)free_list;
  unsigned kind = kinds_make_locked(descriptor, adds_size, clears);
  if (kind == KIND_MAX)
    messages_abort("Too many kinds");
  return kind;
}

unsigned
GC_new_kind(void **free_list, GC_word descriptor, int adds_size, int clears) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  unsigned kind = GC_new_kind_inner(free_list, descriptor, adds_size, clears);
  alloc_lock_release(cache);
  return kind;
}

/* Of heads by granules, as the interface has it; no block is ever put there. */
void **
GC_new_free_list_inner(void) {
  enum { GRANULES_MAX = 128 };
  void **list = meta_alloc((GRANULES_MAX + 1) * sizeof *list);
  if (!list)
    messages_abort("No memory for a free list");
  return list;
}

void **
GC_new_free_list(void) {
  start_once();
  return GC_new_free_list_inner();
}

/* ---- allocation ---- */

static unsigned
heap_kind_of(const struct kind *kind) {
  bool is_pointer_free = kind->descriptor == 0 && !kind->adds_size;
  return is_pointer_free ? BLOCK_POINTER_FREE : BLOCK_SCANNED;
}

/* A block is clear before it is one of its kind: in a forked child, where the thread is gone that was about to clear it,
 * the kind's function is called for it. */
static void *
pop_clear_locked(const struct kind *kind, unsigned span_class) {
  void *slot = thread_cache_peek(kind->cache, span_class);
  if (slot && heap_kind_of(kind) == BLOCK_SCANNED)
    alloc_clear(slot, span_class_size(span_class)->slot_bytes);
  atom_barrier_compiler();
  return slot ? thread_cache_try_pop(kind->cache, span_class) : NULL;
}

static void *
take_slot(const struct kind *kind, unsigned span_class) {
  struct thread_cache *self = alloc_lock_acquire();
  if (!self)
    return NULL;
  void *block = pop_clear_locked(kind, span_class);
  if (!block && thread_cache_refill(kind->cache, span_class))
    block = pop_clear_locked(kind, span_class);
  self->handed_bytes += block ? span_class_size(span_class)->slot_bytes : 0;
  alloc_lock_release(self);
  return block;
}

CGC_INLINE void
describe_span(struct cgc_span *span, const struct kind *kind) {
  span->client_kind = (unsigned)(kind - kinds) & 0x7f;
}

static bool
add_span(const struct kind *kind, unsigned span_class) {
  struct thread_cache *self = runtime_enter();
  struct cgc_span *span = self ? alloc_fresh_span(self, span_class) : NULL;
  if (span) {
    describe_span(span, kind);
    alloc_lock_take();
    thread_cache_add(kind->cache, span);
    alloc_lock_give();
  }
  if (self)
    runtime_leave(self);
  return span != NULL;
}

static void *
alloc_small_of(const struct kind *kind, size_t request_bytes) {
  unsigned span_class = span_class_of(size_class_of(request_bytes), heap_kind_of(kind));
  void *block;
  alloc_collect_if_due();
  while (!(block = take_slot(kind, span_class)))
    if (!add_span(kind, span_class))
      return NULL;
  return block;
}

static void *
alloc_large_of(const struct kind *kind, size_t bytes) {
  void *block = alloc_large_clear(bytes, heap_kind_of(kind) == BLOCK_POINTER_FREE);
  atom_barrier_compiler();   /* as in pop_clear_locked */
  if (block)
    describe_span(heap_map_span((uintptr_t)block), kind);
  return block;
}

static void *
alloc_made(const struct kind *kind, size_t request_bytes) {
  return request_bytes <= SIZE_CLASS_MAX_BYTES ? alloc_small_of(kind, request_bytes)
                                               : alloc_large_of(kind, request_bytes);
}

void *
kinds_alloc(unsigned kind, size_t bytes) {
  start_once();
  if (bytes > PTRDIFF_MAX)
    return NULL;
  if (kind < KIND_UNCOLLECTABLE)
    return boehm_alloc(bytes, kind == KIND_POINTER_FREE);
  if (kind < KIND_FIRST_MADE)
    return uncollectable_alloc(bytes, kind == KIND_POINTER_FREE_UNCOLLECTABLE);
  if (!is_made(kind))
    messages_abort("Allocation of a kind that does not exist");
  void *block = alloc_made(&kinds[kind], alloc_request_bytes(bytes));
  after_cycle_settle();
  return block;
}

/* The slop was in the size. */
void *
kinds_alloc_slot(unsigned kind, size_t slot_bytes) {
  return kinds_alloc(kind, slot_bytes - alloc_slop_bytes);
}

void *
kinds_alloc_by_start(unsigned kind, size_t bytes) {
  if (kind < KIND_UNCOLLECTABLE)
    return boehm_alloc_by_start(bytes, kind == KIND_POINTER_FREE);
  return kinds_alloc(kind, bytes);
}

void *
GC_generic_malloc(size_t bytes, int kind) {
  return alloc_or_oom(kinds_alloc((unsigned)kind, bytes), bytes);
}

void *
GC_generic_malloc_ignore_off_page(size_t bytes, int kind) {
  return alloc_or_oom(kinds_alloc_by_start((unsigned)kind, bytes), bytes);
}

void *
GC_generic_malloc_uncollectable(size_t bytes, int kind) {
  return alloc_or_oom(uncollectable_alloc(bytes, kind == KIND_POINTER_FREE || kind == KIND_POINTER_FREE_UNCOLLECTABLE),
                      bytes);
}

void *
GC_generic_or_special_malloc(size_t bytes, int kind) {
  return GC_generic_malloc(bytes, kind);
}

void *
GC_malloc_kind(size_t bytes, int kind) {
  return kind == KIND_NORMAL ? GC_malloc(bytes) : GC_generic_malloc(bytes, kind);
}

void *
GC_malloc_kind_global(size_t bytes, int kind) {
  return GC_malloc_kind(bytes, kind);
}

/* ---- about blocks ---- */

unsigned
kinds_of_block(const struct cgc_span *span, const void *block) {
  if (span->client_kind)
    return span->client_kind;
  bool is_pointer_free = span_kind(span) & SPAN_KIND_NOSCAN;
  if (uncollectable_has(block))
    return is_pointer_free ? KIND_POINTER_FREE_UNCOLLECTABLE : KIND_UNCOLLECTABLE;
  return is_pointer_free ? KIND_POINTER_FREE : KIND_NORMAL;
}

int
GC_get_kind_and_size(const void *block, size_t *bytes) {
  const struct cgc_span *span = heap_map_span((uintptr_t)block);
  if (!span || !span_is_used(span))
    messages_abort("GC_get_kind_and_size of what is not a block");
  if (bytes)
    *bytes = span_block_bytes(span);
  return (int)kinds_of_block(span, block);
}

void
kinds_set_disclaim(unsigned kind, GC_disclaim_proc disclaim, bool keeps_referents) {
  if (!is_made(kind))
    messages_abort("GC_register_disclaim_proc of a kind that was not made");
  kinds[kind].disclaim = (struct kind_disclaim){disclaim, keeps_referents};
}

struct kind_disclaim
kinds_disclaim(unsigned kind) {
  return kinds[kind].disclaim;
}

/* ---- collection ---- */

void
kinds_scan_block(struct marker *marker, const struct cgc_span *span, uintptr_t addr) {
  const struct kind *kind = &kinds[span->client_kind];
  size_t bytes = span_block_bytes(span);
  descriptor_scan(marker, addr, bytes, kind->descriptor + (kind->adds_size ? bytes : 0));
}

/* A block's own descriptor may name a procedure, too. */
bool
kinds_want_program(const struct cgc_span *span) {
  GC_word tag = kinds[span->client_kind].descriptor & GC_DS_TAGS;
  return tag == GC_DS_PROC || (tag == GC_DS_PER_OBJECT && descriptor_has_procedures());
}

void
kinds_close_windows_stw(void) {
  for (unsigned i = KIND_FIRST_MADE; i < kind_count; i++)
    thread_cache_flush(kinds[i].cache);
}

void
kinds_adopt_fork(void) {
  for (unsigned i = KIND_FIRST_MADE; i < kind_count; i++)
    thread_cache_forget(kinds[i].cache);
}

void
kinds_adopt_span(struct cgc_span *span) {
  span->next = span->prev = NULL;
  thread_cache_add(kinds[span->client_kind].cache, span);
}

static void
visit_span(struct cgc_span *span, void (*visit)(void *block, bool is_marked)) {
  for (size_t slot = 0; slot < span->slot_count; slot++) {
    unsigned word = (unsigned)(slot / 64);
    uint64_t bit = (uint64_t)1 << slot % 64;
    if (!(span_word_free(span, word) & bit))
      visit((void *)span_slot_addr(span, slot), atom_load_rlx(&span->words[word].mark) & bit);
  }
}

void
kinds_visit_stw(unsigned kind, void (*visit)(void *block, bool is_marked)) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    if (span_is_used(span) && span->client_kind == kind)
      visit_span(span, visit);
  }
}
