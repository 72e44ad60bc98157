/* SPDX-License-Identifier: MIT */
/*
 * pthread_create: each thread registers before it runs the program's code, so that its stack's
 * bounds are known.  Threads that start otherwise are found when the world stops.
 */
#include "front/next.h"
#include "gc/alloc.h"
#include "gc/runtime.h"
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

static void *
run_thread(void *arg) {
  struct thread_start *start = arg, copy = *start;
  free_block(start);
  register_this_thread();
  return copy.function(copy.arg);
}

/* The start record is a block of the heap, for the argument in it is a root: libc's descriptor of the new
 * thread holds the record until it runs. */
CGC_EXPORT int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg) {
  adopt_fork_first();
  struct thread_start *start = alloc_block(sizeof *start, 0);
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
