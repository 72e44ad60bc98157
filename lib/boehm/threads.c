/* SPDX-License-Identifier: MIT */
#include "boehm/threads.h"

#include "base/options.h"
#include "base/platform.h"
#include "boehm/alloc.h"
#include "boehm/start.h"
#include "boehm/uncollectable.h"
#include "gc/cycle.h"
#include "gc/runtime.h"
#include "world/held_words.h"
#include "world/stop_signal.h"

#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <gc/gc_pthread_redirects.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

enum { THREAD_IS_REGISTERED = 1 };

static struct cgc_thread *
this_thread(void) {
  start_once();
  if (!runtime_prepare())
    GC_abort_on_oom();
  return thread_self();
}

static void
register_this_thread(void) {
  struct cgc_thread *thread = this_thread();
  if (!thread->stack_end_addr)
    thread_note_stack();
  atom_int_store_rlx(&thread->client_state, THREAD_IS_REGISTERED);
}

void
threads_start(void) {
  register_this_thread();
  GC_stackbottom = (char *)thread_self()->stack_end_addr;
}

/* ---- stacks ---- */

int
GC_get_stack_base(struct GC_stack_base *base) {
  pthread_attr_t attributes;
  void *low;
  size_t bytes;
  if (pthread_getattr_np(pthread_self(), &attributes))
    return GC_UNIMPLEMENTED;
  int err = pthread_attr_getstack(&attributes, &low, &bytes);
  pthread_attr_destroy(&attributes);
  if (err)
    return GC_UNIMPLEMENTED;
  base->mem_base = (char *)low + bytes;
  return GC_SUCCESS;
}

__attribute__((noinline)) void *
GC_call_with_stack_base(GC_stack_base_func function, void *arg) {
  struct GC_stack_base base = {.mem_base = __builtin_frame_address(0)};
  void *result = function(&base, arg);
  __asm__ volatile("" : : "r"(&base) : "memory");   /* not a tail call */
  return result;
}

void *
GC_get_my_stackbottom(struct GC_stack_base *base) {
  struct cgc_thread *thread = this_thread();
  base->mem_base = (void *)thread->stack_end_addr;
  return thread;
}

/* Of a coroutine that the thread goes over to: it is live from where the thread is to there. */
void
GC_set_stackbottom(void *handle, const struct GC_stack_base *base) {
  struct cgc_thread *thread = handle ? handle : this_thread();
  thread->stack_end_addr = (uintptr_t)base->mem_base;
  thread->stack_low_addr = 0;   /* not known */
}

/* Both are looked at as far as they are live, whichever the thread is on. */
void
GC_register_altstack(void *normal_stack, GC_word normal_bytes, void *alternate_stack, GC_word alternate_bytes) {
  (void)normal_stack, (void)normal_bytes, (void)alternate_bytes;
  atom_store_rlx(&this_thread()->alternate_stack_addr, (uintptr_t)alternate_stack);
}

/* ---- registration ---- */

/* It always is allowed, as where bdwgc has marking threads. */
void
GC_allow_register_threads(void) {
  start_once();
}

int
GC_register_my_thread(const struct GC_stack_base *base) {
  (void)base;   /* libc knows better */
  if (atom_int_load_rlx(&this_thread()->client_state) & THREAD_IS_REGISTERED)
    return GC_DUPLICATE;
  register_this_thread();
  return GC_SUCCESS;
}

int
GC_unregister_my_thread(void) {
  atom_int_store_rlx(&this_thread()->client_state, 0);
  return GC_SUCCESS;
}

int
GC_thread_is_registered(void) {
  return (int)atom_int_load_rlx(&this_thread()->client_state) & THREAD_IS_REGISTERED;
}

/* ---- making and joining ---- */

struct thread_start {
  void *(*function)(void *);
  void *arg;
};

/* What a thread returns is on no stack until another has joined it. */
static bool
is_pointer(pthread_t thread, void *value, struct held_words *held) {
  *held = (struct held_words){.holder = thread, .words = {(uintptr_t)value}};
  return GC_is_heap_ptr(value);
}

static void
hold_for_join(void *value) {
  struct held_words held;
  if (is_pointer(pthread_self(), value, &held))
    held_words_replace(&held);
}

static void *
run_thread(void *arg) {
  struct thread_start *start = arg, copy = *start;
  register_this_thread();
  GC_free(start);
  void *value = copy.function(copy.arg);
  hold_for_join(value);
  GC_unregister_my_thread();
  return value;
}

int
GC_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg) {
  start_once();
  struct thread_start *start = uncollectable_alloc(sizeof *start, false);
  if (!start)
    return EAGAIN;
  *start = (struct thread_start){function, arg};
  int err = pthread_create(thread, attributes, run_thread, start);
  if (err)
    GC_free(start);
  return err;
}

int
GC_pthread_join(pthread_t thread, void **result) {
  void *value = NULL;
  int err = pthread_join(thread, &value);
  if (err)
    return err;
  if (result)
    *result = value;
  struct held_words held;
  if (is_pointer(thread, value, &held))
    held_words_remove(&held);
  return 0;
}

int
GC_pthread_detach(pthread_t thread) {
  return pthread_detach(thread);
}

int
GC_pthread_cancel(pthread_t thread) {
  return pthread_cancel(thread);
}

void
GC_pthread_exit(void *value) {
  hold_for_join(value);
  pthread_exit(value);
}

/* ---- signals ---- */

/* A thread that blocks the signal that stops it is found asleep, or delays a cycle. */
int
GC_pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  sigset_t without;
  if (set && how != SIG_UNBLOCK) {
    without = *set;
    sigdelset(&without, GC_get_suspend_signal());
    set = &without;
  }
  return pthread_sigmask(how, set, before);
}

int
GC_get_suspend_signal(void) {
  return GC_is_init_called() ? stop_signal_now() : (int)option(OPTION_STOP_SIGNAL);
}

/* Threads go on by themselves: no second signal is needed. */
int
GC_get_thr_restart_signal(void) {
  return GC_get_suspend_signal();
}

/* Only a real-time signal can be queued with the record of the thread that it is for. */
void
GC_set_suspend_signal(int signal) {
  enum { SIGNAL_MIN = 34, SIGNAL_MAX = 64 };
  if (!GC_is_init_called() && signal >= SIGNAL_MIN && signal <= SIGNAL_MAX)
    options_preset(OPTION_STOP_SIGNAL, (uint64_t)signal);
}

void
GC_set_thr_restart_signal(int signal) {
  (void)signal;
}

/* ---- dlopen: an object's static data is found however it is loaded ---- */

void *
GC_dlopen(const char *path, int flags) {
  return dlopen(path, flags);
}

/* ---- markers are made for each mark ---- */

void
GC_start_mark_threads(void) {
}
