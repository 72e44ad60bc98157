/* SPDX-License-Identifier: MIT */
/*
 * Each thread registers before it runs the program's code, so that its stack's bounds are known.  Threads that start
 * otherwise are found when the world stops.  What a thread returns is held for who joins it.
 */
#include "base/hull.h"
#include "front/interpose_park.h"
#include "front/next.h"
#include "front/recorded.h"
#include "gc/alloc.h"
#include "gc/runtime.h"
#include "world/held_words.h"
#include "world/stop_signal.h"

#include <errno.h>
#include <pthread.h>

struct thread_start {
  void *(*function)(void *);
  void *arg;
};

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* A forked child must have taken over the heap while it is alone. */
static void
adopt_fork_first(void) {
  if (!meta_is_native())
    runtime_prepare();
}

static void
register_this_thread(void) {
  if (runtime_prepare())   /* else its allocations will fail, and a stop will still find it */
    thread_note_stack();
}

/* Of a thread; false if the value is a number. */
static bool
returns_pointer(pthread_t thread, void *value, struct held_words *held) {
  *held = (struct held_words){.holder = thread, .words = {(uintptr_t)value}};
  return hull_has_tagged((uintptr_t)value);
}

/* What an earlier thread of this name has returned is in other hands by now. */
static void
hold_for_join(void *value) {
  struct held_words held;
  if (returns_pointer(pthread_self(), value, &held))
    held_words_replace(&held);
}

static void *
run_thread(void *arg) {
  struct thread_start *start = arg, copy = *start;
  free_block(start);
  register_this_thread();
  void *value = copy.function(copy.arg);
  thread_clear_dead_stack();   /* libc's functions come to lie on part of it */
  hold_for_join(value);
  return value;
}

/* The start record is a block of the heap, for the argument in it is a root: libc's descriptor of the new
 * thread holds the record until it runs. */
CGC_EXPORT int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg) {
  adopt_fork_first();
  struct thread_start *start = alloc_block(sizeof *start, recorded_kind_of_own());
  if (!start)
    return EAGAIN;
  *start = (struct thread_start){function, arg};
  stop_signal_follow();   /* the new thread inherits the mask */
  static atom_word next;
  int err = ((create_function *)next_function(&next, "pthread_create"))(thread, attributes, run_thread, start);
  if (err)
    free_block(start);
  return err;
}

typedef void exit_function(void *);

CGC_EXPORT void
pthread_exit(void *value) {
  static atom_word next;
  adopt_fork_first();
  hold_for_join(value);
  ((exit_function *)next_function(&next, "pthread_exit"))(value);
  __builtin_unreachable();
}

/* ---- joining ---- */

static int
joined(int err, pthread_t thread, void *value, void **result) {
  if (err)
    return err;
  if (result)
    *result = value;
  struct held_words held;
  if (returns_pointer(thread, value, &held))
    held_words_remove(&held);   /* by now a later thread of that name may have another */
  return 0;
}

CGC_EXPORT int
pthread_join(pthread_t thread, void **result) {
  void *value = NULL;
  int err = interpose_parked_pthread_join(thread, &value);
  return joined(err, thread, value, result);
}

CGC_EXPORT int
pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *end) {
  void *value = NULL;
  int err = interpose_parked_pthread_timedjoin_np(thread, &value, end);
  return joined(err, thread, value, result);
}

CGC_EXPORT int
pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *end) {
  void *value = NULL;
  int err = interpose_parked_pthread_clockjoin_np(thread, &value, clock, end);
  return joined(err, thread, value, result);
}

typedef int tryjoin_function(pthread_t, void **);

CGC_EXPORT int
pthread_tryjoin_np(pthread_t thread, void **result) {
  static atom_word next;
  void *value = NULL;
  int err = ((tryjoin_function *)next_function(&next, "pthread_tryjoin_np"))(thread, &value);
  return joined(err, thread, value, result);
}
