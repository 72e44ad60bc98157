/* SPDX-License-Identifier: MIT */
#include "heap/thread_cache.h"

#include "base/fatal.h"
#include "base/meta.h"
#include "heap/central.h"
#include "heap/page_heap.h"
#include "heap/span_sweep.h"

#include <string.h>

static struct span_owner nobody;
struct thread_cache thread_cache_none = {.owner = &nobody}, thread_cache_parked = {.owner = &nobody};
__thread struct thread_cache *thread_cache_self = &thread_cache_none;

enum {
  RETAINED_PAGES_MAX = CGC_CONFIG_HOSTILE ? 8 : 128,
  REMOTE_SPANS_STEP = CGC_CONFIG_HOSTILE ? 1 : 32,
  REMOTE_REFILLS = CGC_CONFIG_HOSTILE ? 2 : 16,
  FULL_FRACTION = 32,   /* a span with fewer free slots than this part of all counts as full */
};

bool
thread_cache_init(struct thread_cache *cache) {
  if (!cache->owner)
    cache->owner = meta_alloc(sizeof *cache->owner);
  return cache->owner != NULL;
}

/* ---- windows ---- */

static void
open_window(struct thread_cache *cache, struct cgc_span *span, unsigned index) {
  struct alloc_window *window = &cache->windows[span->span_class];
  struct span_word *word = &span->words[index];
  uint64_t free = span_word_collect_remote(word), condemned = atom_load_rlx(&word->condemned);
  /* A free slot will be allocated anew: what was found out about it before does not hold. */
  if (CGC_UNLIKELY(condemned & free))
    atom_store_rlx(&word->condemned, condemned & ~free);
  span->window_word = (uint8_t)index;
  window->base_addr = span_slot_addr(span, (size_t)index * 64);
  window->free = &word->free;
  cache->handed_bytes += count_bits(free) * (size_t)span->slot_bytes;
}

static void
close_window(struct thread_cache *cache, struct cgc_span *span) {
  struct alloc_window *window = &cache->windows[span->span_class];
  window->free = NULL;
  window->span = NULL;
  span->window_word = SPAN_NO_WINDOW;
}

/* Opens a window on the next word of the span that has free slots, from that one on and round. */
static bool
move_window(struct thread_cache *cache, struct cgc_span *span, unsigned from) {
  unsigned words = span_word_count(span);
  for (unsigned i = from; i < from + words; i++) {
    unsigned word = i < words ? i : i - words;
    if (span_word_free(span, word)) {
      open_window(cache, span, word);
      return true;
    }
  }
  return false;
}

/* ---- lists ---- */

static struct cgc_span **
list_of(struct thread_cache *cache, const struct cgc_span *span) {
  struct span_lists *lists = &cache->lists[span->span_class];
  return span->state == SPAN_PARTIAL ? &lists->partial : &lists->full;
}

/* A full span counts as partial again when it has gained this many slots: then taking it up pays. */
static unsigned
slots_worth_taking(const struct cgc_span *span) {
  unsigned slots = span->slot_count / FULL_FRACTION;
  return slots ? slots : 1;
}

/* Lists a small span by its free slots, so many, and sets its countdown to the next event. */
static void
link_span(struct thread_cache *cache, struct cgc_span *span, unsigned free) {
  unsigned worth = slots_worth_taking(span);
  span->state = free >= worth ? SPAN_PARTIAL : SPAN_FULL;
  span->countdown = free < worth               ? (int32_t)(worth - free)
                    : free < span->slot_count ? (int32_t)(span->slot_count - free)
                                              : SPAN_NO_COUNTDOWN;
  span_list_push(list_of(cache, span), span);
}

static void
unlink_span(struct thread_cache *cache, struct cgc_span *span) {
  span_list_remove(list_of(cache, span), span);
  if (span->is_retained) {
    span->is_retained = false;
    cache->retained_pages -= span->page_count;
  }
}

/* An empty span is kept for its class's next use as long as there are not too many of them. */
static void
settle_span(struct thread_cache *cache, struct cgc_span *span) {
  unlink_span(cache, span);
  span_ensure_swept(span);
  span_collect_remote(span);
  unsigned free = span_free_slots(span);
  bool is_empty = free == span->slot_count;
  if (is_empty && cache->retained_pages + span->page_count > RETAINED_PAGES_MAX) {
    page_heap_free(span);
    return;
  }
  link_span(cache, span, free);
  if (is_empty) {
    span->is_retained = true;
    cache->retained_pages += span->page_count;
  }
}

static void
retire_current(struct thread_cache *cache, struct cgc_span *span) {
  span_ensure_swept(span);
  close_window(cache, span);
  link_span(cache, span, span_free_slots(span));
}

static void
make_current(struct thread_cache *cache, struct cgc_span *span) {
  span_ensure_swept(span);
  span->state = SPAN_CURRENT;
  span->countdown = SPAN_NO_COUNTDOWN;
  cache->windows[span->span_class].span = span;
  cache->windows[span->span_class].slot_bytes = span->slot_bytes;
  move_window(cache, span, 0);
}

/* ---- operations ---- */

bool
thread_cache_collect_remote(struct thread_cache *cache, unsigned spans_max) {
  for (unsigned i = 0; i < spans_max; i++) {
    if (!cache->pending && atom_load_rlx(&cache->owner->remote_spans))
      cache->pending = span_owner_take_remote(cache->owner);
    struct cgc_span *span = cache->pending;
    if (!span)
      return false;
    cache->pending = span->remote_next;
    atom_int_store_rel(&span->is_remote_listed, 0);
    if (atom_load_rlx(&span->owner) != (uintptr_t)cache->owner)
      span_list_remote(span);
    else if (span->state != SPAN_CURRENT)
      settle_span(cache, span);
  }
  return true;
}

static struct cgc_span *
take_span(struct thread_cache *cache, unsigned span_class) {
  struct cgc_span *span = cache->lists[span_class].partial;
  if (!span)
    return cache->is_apart ? NULL : central_take(span_class, cache->owner);
  span = span->prev;
  unlink_span(cache, span);
  return span;
}

/* With a span at hand others' frees are looked at now and then only: who frees next in a span that was taken has to push
 * it again, onto a word that all of them write. */
static bool
is_remote_due(const struct thread_cache *cache, unsigned span_class) {
  return !cache->lists[span_class].partial || cache->refill_count % REMOTE_REFILLS == 0;
}

bool
thread_cache_refill(struct thread_cache *cache, unsigned span_class) {
  struct cgc_span *current = cache->windows[span_class].span;
  cache->refill_count++;
  if (current) {
    span_ensure_swept(current);
    if (move_window(cache, current, current->window_word + 1u))
      return true;
    retire_current(cache, current);
  }
  struct cgc_span *span;
  bool has_more;
  do {
    has_more = is_remote_due(cache, span_class) && thread_cache_collect_remote(cache, REMOTE_SPANS_STEP);
    span = take_span(cache, span_class);
  } while (!span && has_more);
  if (!span)
    return false;
  make_current(cache, span);
  return true;
}

void
thread_cache_install(struct thread_cache *cache, struct cgc_span *span) {
  CGC_ASSERT(!cache->windows[span->span_class].span);
  /* rel: the span is complete; pairs with span_list_remote */
  atom_store_rel(&span->owner, (uintptr_t)cache->owner);
  make_current(cache, span);
}

void
thread_cache_add(struct thread_cache *cache, struct cgc_span *span) {
  span_ensure_swept(span);
  span_collect_remote(span);
  span->window_word = SPAN_NO_WINDOW;
  span->is_retained = false;
  atom_store_rel(&span->owner, (uintptr_t)cache->owner);   /* as in thread_cache_install */
  link_span(cache, span, span_free_slots(span));
}

void
thread_cache_free_event(struct thread_cache *cache, struct cgc_span *span) {
  if (atom_load_rlx(&span->owner) != (uintptr_t)cache->owner)
    return;   /* taken away with the world stopped, after the countdown ran out */
  span->countdown = SPAN_NO_COUNTDOWN;
  if (span->state == SPAN_CURRENT)
    return;   /* counted down over many windows; its slots are found when the window moves */
  settle_span(cache, span);
}

bool
thread_cache_absolve(struct cgc_span *span, uintptr_t addr) {
  span_ensure_swept(span);
  size_t slot = span_slot_of(span, addr);
  struct span_word *word = &span->words[slot / 64];
  uint64_t bit = (uint64_t)1 << slot % 64;
  if (span_word_free(span, (unsigned)(slot / 64)) & bit)
    return false;
  atom_store_rlx(&word->condemned, atom_load_rlx(&word->condemned) & ~bit);
  return true;
}

void
thread_cache_flush(struct thread_cache *cache) {
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    if (cache->windows[i].span)
      retire_current(cache, cache->windows[i].span);
}

static void
abandon_list(struct cgc_span **list) {
  while (*list) {
    struct cgc_span *span = *list;
    span_list_remove(list, span);
    span->is_retained = false;
    central_adopt(span);
  }
}

void
thread_cache_abandon(struct thread_cache *cache) {
  thread_cache_flush(cache);
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++) {
    abandon_list(&cache->lists[i].partial);
    abandon_list(&cache->lists[i].full);
  }
  cache->retained_pages = 0;
  thread_cache_collect_remote(cache, UINT32_MAX);   /* to their owners from now on */
}

static void
clear_spans(struct thread_cache *cache) {
  memset(cache->windows, 0, sizeof cache->windows);
  memset(cache->lists, 0, sizeof cache->lists);
  cache->retained_pages = 0;
  cache->pending = NULL;
}

static bool
has_spans(const struct thread_cache *cache) {
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    if (cache->windows[i].span || cache->lists[i].partial || cache->lists[i].full)
      return true;
  return false;
}

/* Who frees a slot may have read the span's owner already, and lists the span for it later: such a span is found when
 * the detached cache collects once more. */
bool
thread_cache_detach_stw(struct thread_cache *cache, struct thread_cache *detached) {
  if (!has_spans(cache))
    return false;
  struct span_owner *fresh = detached->owner;
  detached->owner = cache->owner;
  cache->owner = fresh;
  memcpy(detached->windows, cache->windows, sizeof cache->windows);
  memcpy(detached->lists, cache->lists, sizeof cache->lists);
  detached->retained_pages = cache->retained_pages;
  detached->pending = cache->pending;
  clear_spans(cache);
  return true;
}

void
thread_cache_forget(struct thread_cache *cache) {
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    if (cache->windows[i].span)
      close_window(cache, cache->windows[i].span);
  clear_spans(cache);
  atom_store_rlx(&cache->owner->remote_spans, 0);
  atom_int_store_rlx(&cache->is_inside, 0);
  atom_int_store_rlx(&cache->is_stop_wanted, 0);
}
