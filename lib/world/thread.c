/* SPDX-License-Identifier: MIT */
#include "world/thread.h"

#include "base/arch_x86_64.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"
#include "base/syscall_filter.h"
#include "world/stop.h"
#include "world/stop_signal.h"

#include <limits.h>
#include <pthread.h>

/* Held with all signals blocked, so that no thread is stopped inside. */
static struct lock thread_lock = LOCK_INITIALIZER(LOCK_RANK_THREADS);

/* Lock: thread_lock.  Read by anyone: records are only ever added, at the front. */
static atom_word thread_records;

/* Lock: thread_lock. */
static unsigned record_count;
static unsigned taken_since_reap;

static pthread_key_t exit_key;
static bool has_exit_key;

struct cgc_thread *
thread_first(void) {
  return (struct cgc_thread *)atom_load_acq(&thread_records);   /* pairs with add_record_locked */
}

/* ---- thread exit ---- */

/* libc keeps the upper part of the stack for the next thread, with what ours and the program's functions have left there:
 * a leak would be taken for reachable. */
void
thread_clear_dead_stack(void) {
  enum { KEPT_BYTES = 16 * 1024 + ARCH_PAGE_BYTES };   /* PTHREAD_STACK_MIN, in whole pages */
  const struct cgc_thread *thread = thread_self();
  uintptr_t kept_addr = round_up(arch_stack_pointer() - KEPT_BYTES, sizeof(uintptr_t));
  if (option(OPTION_MODE) == OPTION_MODE_LEAK && thread && thread->stack_end_addr)
    arch_clear_stack_below(max_u64(kept_addr, thread->stack_low_addr));
}

/* Runs among the thread's other destructors; asks to be run again until the last round, since
 * those allocate and free too. */
static void
thread_on_exit(void *arg) {
  struct cgc_thread *thread = arg;
  if (++thread->destructor_rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
    pthread_setspecific(exit_key, thread);
    return;
  }
  thread_cache_enter(&thread->cache);
  thread_cache_abandon(&thread->cache);
  atom_int_store_rel(&thread->is_exiting, 1);
  if (thread_cache_leave(&thread->cache))
    stop_world_yield(&thread->cache);
  thread_clear_dead_stack();
}

void
thread_init(void) {
  has_exit_key = pthread_key_create(&exit_key, thread_on_exit) == 0;
}

/* ---- records ---- */

struct cgc_thread *
thread_find(int tid) {
  struct cgc_thread *thread = thread_first();
  while (thread && atom_int_load_rlx(&thread->tid) != (unsigned)tid)
    thread = thread->next;
  return thread;
}

static struct cgc_thread *
add_record_locked(void) {
  struct cgc_thread *thread = meta_alloc(sizeof *thread);
  if (!thread || !thread_cache_init(&thread->cache))
    return NULL;
  thread->next = thread_first();
  atom_store_rel(&thread_records, (uintptr_t)thread);   /* publishes the record */
  record_count++;
  return thread;
}

static void
take_cache_locked(struct cgc_thread *thread) {
  if (thread->has_cache)
    thread_cache_abandon(&thread->cache);
  thread->has_cache = false;
}

static void
clear_locked(struct cgc_thread *thread) {
  take_cache_locked(thread);
  atom_int_store_rlx(&thread->is_exiting, 0);
  thread->stack_low_addr = thread->stack_end_addr = 0;
  thread->destructor_rounds = 0;
  thread->block_addr = 0;
  atom_int_store_rlx(&thread->client_state, 0);
  atom_store_rlx(&thread->alternate_stack_addr, 0);
  atom_int_store_rlx(&thread->pending_signal, 0);
  atom_int_store_rlx(&thread->stopped_in, 0);
  atom_int_store_rlx(&thread->cache.is_stop_wanted, 0);
  atom_int_store_rlx(&thread->is_parked, 0);
  thread->has_put_off = false;
  thread->is_kernel_parked = false;
  thread->is_dead = false;
  atom_int_store_rel(&thread->tid, 0);
}

static void
reap_locked(void) {
  for (struct cgc_thread *thread = thread_first(); thread; thread = thread->next) {
    int tid = (int)atom_int_load_rlx(&thread->tid);
    if (tid && !platform_thread_exists(tid))
      clear_locked(thread);
  }
}

/* Looking whether threads exist costs a system call each: only when records run out, and many have been taken. */
static bool
is_reap_due_locked(void) {
  enum { TAKEN_MIN = CGC_CONFIG_HOSTILE ? 1 : 8, TAKEN_FRACTION = 4 };
  return taken_since_reap >= TAKEN_MIN && taken_since_reap >= record_count / TAKEN_FRACTION;
}

static struct cgc_thread *
take_record_locked(int tid) {
  struct cgc_thread *thread = thread_find(0);
  if (!thread && is_reap_due_locked()) {
    reap_locked();
    taken_since_reap = 0;
    thread = thread_find(0);
  }
  if (!thread)
    thread = add_record_locked();
  if (thread) {
    taken_since_reap++;
    atom_int_store_rlx(&thread->stop_signal, (unsigned)stop_signal_now());
    atom_int_store_rel(&thread->tid, (unsigned)tid);
  }
  return thread;
}

struct cgc_thread *
thread_find_or_add(int tid) {
  uint64_t mask = lock_acquire_blocked(&thread_lock);
  struct cgc_thread *thread = thread_find(tid);
  if (!thread)
    thread = take_record_locked(tid);
  lock_release_blocked(&thread_lock, mask);
  return thread;
}

/* Whether the thread is gone; then its cache is given back. */
static bool
reap_one_locked(struct cgc_thread *thread) {
  bool is_gone = thread != thread_self() && !stop_world_has(thread);
  if (thread->is_dead)
    take_cache_locked(thread);
  else if (is_gone)
    clear_locked(thread);
  return thread->is_dead || is_gone;
}

/* A kernel-parked thread may wake up in the middle of a fast path: its cache is left alone. */
static bool
may_collect_for(const struct cgc_thread *thread) {
  return thread->has_cache && (thread == thread_self() || !thread->is_kernel_parked);
}

static void
settle_all_stw(bool collects_remote) {
  uint64_t mask = lock_acquire_blocked(&thread_lock);
  for (struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    if (atom_int_load_rlx(&thread->tid) && !reap_one_locked(thread) && collects_remote && may_collect_for(thread))
      thread_cache_collect_remote(&thread->cache, UINT32_MAX);
  lock_release_blocked(&thread_lock, mask);
}

void
thread_reap_stw(void) {
  settle_all_stw(false);
}

void
thread_settle_stw(void) {
  settle_all_stw(true);
}

/* ---- idle threads ---- */

enum { DETACHED_MAX = 16 };   /* in one cycle; the others' turn comes in the next */

/* Owned by whoever holds the cycle lock. */
static struct thread_cache *detached[DETACHED_MAX];
static unsigned detached_count;

static struct thread_cache *
next_detached(void) {
  if (detached_count == DETACHED_MAX)
    return NULL;
  struct thread_cache **next = &detached[detached_count], *made = *next ? *next : meta_alloc(sizeof *made);
  if (made && thread_cache_init(made))
    *next = made;
  return *next;
}

/* A parked thread is outside of the library, and has left no fast path half done. */
static bool
is_idle_stw(struct cgc_thread *thread) {
  if (!atom_int_load_rlx(&thread->tid) || !thread->has_cache)
    return false;
  bool has_refilled = thread->cache.refill_count != thread->refills_seen;
  thread->refills_seen = thread->cache.refill_count;
  return !has_refilled && atom_int_load_acq(&thread->is_parked);
}

void
thread_detach_idle_stw(void) {
  for (struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    if (is_idle_stw(thread)) {
      struct thread_cache *next = next_detached();
      detached_count += next && thread_cache_detach_stw(&thread->cache, next);
    }
}

/* With those of earlier cycles: a span may have been listed for their owners meanwhile. */
void
thread_abandon_detached(void) {
  for (unsigned i = 0; i < DETACHED_MAX && detached[i]; i++)
    thread_cache_abandon(detached[i]);
  detached_count = 0;
}

/* ---- registration ---- */

struct cgc_thread *
thread_register_self(void) {
  int tid = platform_thread_id();
  if (tid < 0)
    return NULL;   /* a filter of system calls forbids the question */
  uint64_t mask = lock_acquire_blocked(&thread_lock);
  struct cgc_thread *thread = thread_find(tid);
  if (thread && thread->has_cache) {   /* of an earlier thread that had the same id */
    clear_locked(thread);
    thread = NULL;
  }
  if (!thread)
    thread = take_record_locked(tid);
  if (thread) {
    thread->has_cache = true;
    thread->block_addr = arch_thread_block();
    thread_cache_self = &thread->cache;
  }
  lock_release_blocked(&thread_lock, mask);
  if (thread)
    stop_signal_start_thread(thread);
  if (thread && has_exit_key)
    pthread_setspecific(exit_key, thread);
  return thread;
}

/* The key outlasts what thread_cache_self says, and a fork, after which the thread has another id. */
struct cgc_thread *
thread_registered_self(void) {
  struct cgc_thread *thread = has_exit_key ? pthread_getspecific(exit_key) : NULL;
  return thread ? thread : thread_find(platform_thread_id());
}

/* libc asks the kernel for the thread's processors on the way: not if a filter may punish that.  Then no part of the
 * stack is known to be dead. */
void
thread_note_stack(void) {
  struct cgc_thread *thread = thread_self();
  pthread_attr_t attributes;
  void *low;
  size_t bytes;
  if (!thread || syscall_filter_is_known() || pthread_getattr_np(pthread_self(), &attributes))
    return;
  if (pthread_attr_getstack(&attributes, &low, &bytes) == 0) {
    /* The thread descriptor lies at the top, if libc made the stack; it is scanned as data. */
    uintptr_t descriptor = (uintptr_t)pthread_self(), end = (uintptr_t)low + bytes;
    thread->stack_end_addr = descriptor - (uintptr_t)low < bytes ? descriptor : end;
    thread->stack_low_addr = (uintptr_t)low;
  }
  pthread_attr_destroy(&attributes);
}

/* ---- fork ---- */

void
thread_adopt_fork(void) {
  struct cgc_thread *self = thread_self();
  lock_reset(&thread_lock);
  for (unsigned i = 0; i < DETACHED_MAX && detached[i]; i++)
    thread_cache_forget(detached[i]);
  detached_count = 0;
  for (struct cgc_thread *thread = thread_first(); thread; thread = thread->next) {
    if (thread == self)
      continue;
    thread_cache_forget(&thread->cache);
    thread->has_cache = false;
    clear_locked(thread);
  }
  if (!self)
    return;
  atom_int_store_rlx(&self->tid, (unsigned)platform_thread_id());
  atom_int_store_rlx(&self->pending_signal, 0);
  atom_int_store_rlx(&self->stopped_in, 0);
  atom_int_store_rlx(&self->cache.is_stop_wanted, 0);
}
