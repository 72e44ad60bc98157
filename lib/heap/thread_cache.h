/* SPDX-License-Identifier: MIT */
/*
 * A thread's own spans, and the fast paths of malloc and free.
 *
 * Per span class the cache holds a window: one word (64 slots) of free bits of the class's current
 * span.  Allocation takes the lowest bit of that word; a free by the owner sets a free bit in
 * whatever word it is.  Neither takes a lock or writes to the block.
 *
 * Stopped anywhere in a fast path, a thread leaves nothing half done that a collection would trip
 * over: sweeps leave the window's word and the free bits alone, and a pointer being freed stays in a
 * register or on the stack until it is free (CGC_KEEP_ALIVE).  Slow paths run between
 * thread_cache_enter and _leave: inside them a stop is put off until the thread leaves.
 */
#ifndef CGC_HEAP_THREAD_CACHE_H
#define CGC_HEAP_THREAD_CACHE_H

#include "heap/heap_map.h"

struct alloc_window {   /* half a cache line */
  atom_word *free;           /* the free bits of the window's word, or NULL */
  uintptr_t base_addr;       /* of the word's first slot */
  uint32_t  slot_bytes;
  struct cgc_span *span;     /* the current span, or NULL */
} CGC_ALIGNED(32);

struct span_lists {
  struct cgc_span *partial;
  struct cgc_span *full;
};

struct thread_cache {
  /* The thread is what its spans point to as their owner.  Set once, but for thread_cache_detach_stw. */
  struct span_owner *owner;

  /* Owner; read by collections with the world stopped. */
  struct alloc_window windows[SPAN_CLASS_COUNT];
  struct span_lists   lists[SPAN_CLASS_COUNT];
  struct cgc_span *pending;  /* taken off the remote spans, and not looked at yet; linked by remote_next */
  size_t retained_pages;     /* in empty spans kept for the next use */
  bool is_apart;             /* constant: its spans neither come from the central lists nor go there */
  size_t handed_bytes;       /* in slots that came into windows, since the owner last took it */
  uint32_t refill_count;

  /* Owner and its signal handler. */
  atom_int is_inside;        /* in a slow path: must not be stopped here */
  atom_int is_stop_wanted;   /* a stop or a signal was put off until the thread leaves */
};

/* This thread's cache; the empty one until the thread is registered.  The only thread-local
 * variable of the library. */
extern __thread struct thread_cache *thread_cache_self __attribute__((tls_model("initial-exec")));

/* Have no free slot and own no span, so that every path ends up in the slow one: of a thread that is not
 * registered, and of one that is parked (world/park.h). */
extern struct thread_cache thread_cache_none, thread_cache_parked;

CGC_INLINE bool
thread_cache_is_empty(const struct thread_cache *cache) {
  return cache == &thread_cache_none || cache == &thread_cache_parked;
}

/* The slot that the next pop takes, or NULL if the window has none: still free, so nobody takes it for a block. */
CGC_INLINE void *
thread_cache_peek(const struct thread_cache *cache, unsigned span_class) {
  const struct alloc_window *window = &cache->windows[span_class];
  uint64_t free = window->free ? atom_load_rlx(window->free) : 0;
  return free ? (void *)(window->base_addr + (unsigned)__builtin_ctzll(free) * window->slot_bytes) : NULL;
}

/* A slot of the window, or NULL if it has none. */
CGC_INLINE void *
thread_cache_try_pop(struct thread_cache *cache, unsigned span_class) {
  struct alloc_window *window = &cache->windows[span_class];
  if (CGC_UNLIKELY(!window->free))
    return NULL;
  uint64_t free = atom_load_rlx(window->free);
  if (CGC_UNLIKELY(!free))
    return NULL;
  unsigned slot = (unsigned)__builtin_ctzll(free);
  atom_store_rlx(window->free, free & (free - 1));
  void *block = (void *)(window->base_addr + slot * window->slot_bytes);
  if (!block)
    __builtin_unreachable();
  return block;
}

enum free_result {
  FREE_DONE,
  FREE_DONE_EVENT,    /* freed; the span's countdown has run out: call thread_cache_free_event */
  FREE_NOT_OWNED,     /* nothing done: large, another thread's, free, or no block at all */
  FREE_UNUSUAL,       /* nothing done: free already, or condemned: call thread_cache_absolve */
  FREE_NO_SPAN,       /* nothing done: no span lies there */
};

/* Frees a slot of one of this thread's own spans. */
CGC_INLINE enum free_result
thread_cache_free_own(struct thread_cache *cache, struct cgc_span *span, uintptr_t addr) {
  size_t slot;
  if (CGC_UNLIKELY(atom_load_rlx(&span->owner) != (uintptr_t)cache->owner || !span_slot_starts_at(span, addr, &slot)))
    return FREE_NOT_OWNED;
  struct span_word *word = span_word_of(span, slot);
  uint64_t free = atom_load_rlx(&word->free);
  if (CGC_UNLIKELY((free | atom_load_rlx(&word->remote) | atom_load_rlx(&word->condemned)) >> slot % 64 & 1))
    return FREE_UNUSUAL;
  atom_store_rlx(&word->free, free | (uint64_t)1 << slot % 64);
  CGC_KEEP_ALIVE(addr);
  return --span->countdown ? FREE_DONE : FREE_DONE_EVENT;
}

/* Whether addr is the start of an allocated slot of one of this thread's own spans. */
CGC_INLINE bool
thread_cache_owns(const struct thread_cache *cache, const struct cgc_span *span, uintptr_t addr) {
  size_t slot;
  if (atom_load_rlx(&span->owner) != (uintptr_t)cache->owner || !span_slot_starts_at(span, addr, &slot))
    return false;
  return !span_slot_is_free(span, slot);
}

/* Gives a cache without one an owner.  False if there is no memory. */
bool thread_cache_init(struct thread_cache *cache);

/* ---- slow paths: between enter and leave ---- */

CGC_INLINE void
thread_cache_enter(struct thread_cache *cache) {
  atom_int_store_rlx(&cache->is_inside, 1);   /* rlx: only this thread's handler reads it */
  atom_barrier_compiler();
}

/* True if a stop or a signal was put off: the caller must let it happen now. */
CGC_INLINE bool
thread_cache_leave(struct thread_cache *cache) {
  atom_barrier_compiler();
  atom_int_store_rlx(&cache->is_inside, 0);
  atom_barrier_compiler();
  return CGC_UNLIKELY(atom_int_load_rlx(&cache->is_stop_wanted));
}

/* Fills the window from this thread's spans or the central lists.  False if they are dry. */
bool thread_cache_refill(struct thread_cache *cache, unsigned span_class);

/* Makes a fresh span of page_heap_alloc the current one, after a refill has failed. */
void thread_cache_install(struct thread_cache *cache, struct cgc_span *span);

/* The same for one of any state that is in no list, without making it current: it is listed. */
void thread_cache_add(struct thread_cache *cache, struct cgc_span *span);

/* A span's countdown has run out: lists it, retains it or gives it back. */
void thread_cache_free_event(struct thread_cache *cache, struct cgc_span *span);

/* For FREE_UNUSUAL: if the slot is allocated, takes its condemnation back, for it may be allocated anew from
 * the window; then it can be freed.  False if it is free already. */
bool thread_cache_absolve(struct cgc_span *span, uintptr_t addr);

/* Closes all windows, so that a sweep judges their words.  The owner only. */
void thread_cache_flush(struct thread_cache *cache);

/* Collects what others freed; gives empty spans that are not worth keeping back.  Up to so many spans: a sweep may have
 * left very many.  True if there are more. */
bool thread_cache_collect_remote(struct thread_cache *cache, unsigned spans_max);

/* Gives all spans to the central lists.  The owner, or for a thread that is gone. */
void thread_cache_abandon(struct thread_cache *cache);

/* Moves all that the cache of a thread has to an empty one, for its spans to be abandoned while the thread runs.  The
 * thread is stopped outside of the library, and finds its cache empty.  False if it had no span. */
bool thread_cache_detach_stw(struct thread_cache *cache, struct thread_cache *detached);

/* In a forked child, for the cache of a thread that exists in the parent only: forgets the spans. */
void thread_cache_forget(struct thread_cache *cache);

#endif
