/* SPDX-License-Identifier: MIT */
#include "gc/runtime.h"

#include "base/hull.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "gc/client.h"
#include "gc/cycle.h"
#include "heap/central.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"
#include "world/held_signals.h"
#include "world/held_words.h"
#include "world/park.h"
#include "world/signal_action.h"

enum { STATE_NEW, STATE_STARTING, STATE_READY, STATE_FAILED };

void (*runtime_fork_listener)(void);

static atom_int state;

/* ---- start ---- */

static unsigned
start(void) {
  options_read();
  if (!hull_init() || !meta_init())
    return STATE_FAILED;
  page_heap_init();
  signal_action_init();
  thread_init();
  park_init();
  cycle_init();
  return STATE_READY;
}

/* The first allocation of a process comes from ld.so or a constructor, before any of ours has run. */
static bool
ensure_started(void) {
  unsigned now = atom_int_load_acq(&state);
  if (now == STATE_NEW && atom_int_cas_full(&state, STATE_NEW, STATE_STARTING)) {
    now = start();
    atom_int_store_rel(&state, now);   /* publishes all that start() set up */
    platform_futex_wake(&state, INT32_MAX);
  }
  while (now != STATE_READY && now != STATE_FAILED) {
    platform_futex_wait(&state, STATE_STARTING, UINT64_MAX);
    now = atom_int_load_acq(&state);
  }
  return now == STATE_READY;
}

/* ---- fork ---- */

/* Spans of the parent's other threads go to the central lists; what any thread had in its hands at that
 * moment counts as allocated, and is reclaimed if it is unreachable. */
static void
adopt_span(struct cgc_span *span, struct thread_cache *self) {
  atom_int_store_rlx(&span->is_remote_listed, 0);
  if (!span_is_small(span))
    return;
  if (span->client_kind) {
    gc_client.adopt_span(span);
    return;
  }
  if (self && atom_load_rlx(&span->owner) == (uintptr_t)self->owner) {
    span_list_remote(span);   /* in case it held remote bits */
    return;
  }
  span->next = span->prev = NULL;
  span->window_word = SPAN_NO_WINDOW;
  span->is_retained = false;
  span->state = SPAN_FULL;
  central_adopt(span);
}

/* Locks and lists are as the other threads left them in the middle of whatever they did; the
 * span table tells what is true.  This thread is alone. */
static void
adopt_fork_blocked(void) {
  struct cgc_thread *thread = thread_self();
  meta_adopt_fork();
  signal_action_adopt_fork();
  stop_world_adopt_fork();
  roots_adopt_fork();
  held_signals_adopt_fork();
  held_words_adopt_fork();
  thread_adopt_fork();
  central_reset();
  page_heap_rebuild();
  cycle_adopt_fork();
  if (thread) {
    thread->cache.pending = NULL;
    atom_store_rlx(&thread->cache.owner->remote_spans, 0);
  }
  gc_client.adopt_fork();
  for (size_t i = 0, count = span_table_count(); i < count; i++)
    adopt_span(span_table_at(i), thread ? &thread->cache : NULL);
}

/* A handler of the program that allocates must find it done. */
static void
adopt_fork(void) {
  uint64_t mask = platform_block_signals();
  if (!meta_is_native()) {
    adopt_fork_blocked();
    if (runtime_fork_listener)
      runtime_fork_listener();
  }
  platform_restore_signals(mask);
}

/* ---- slow paths ---- */

void
runtime_await_resume(struct thread_cache *cache) {
  while (stop_world_is_on_by_other()) {
    thread_cache_leave(cache);
    stop_world_yield(cache);
    thread_cache_enter(cache);
  }
}

struct thread_cache *
runtime_enter_slow(void) {
  if (!ensure_started())
    return NULL;
  park_break();
  if (!meta_is_native())
    adopt_fork();
  struct thread_cache *cache = thread_cache_self;
  if (thread_cache_is_empty(cache)) {
    struct cgc_thread *thread = thread_register_self();
    if (!thread)
      return NULL;
    cache = &thread->cache;
  }
  runtime_enter_again(cache);
  return cache;
}
