/* SPDX-License-Identifier: MIT */
/*
 * Threads in blocking calls.  A signal would end most of them early: so a thread parks before such a call, and
 * a stop takes it as it is, from the stack pointer that it has left behind.  Back from the call it waits while the
 * world is stopped.
 *
 * A parked thread must not run code of the program, nor malloc and free.  Its cache is the empty
 * thread_cache_parked, so that the latter come to a slow path, which ends the parking; a cancellation
 * comes by park_break, too.
 *
 * Parking and stopping meet as in Dekker's algorithm: the thread sets is_parked and then looks whether a stop is
 * on, the stopper begins the stop and then looks at is_parked.  The stopper's membarrier(2) stands for the
 * barriers of both; where the kernel has none the threads have theirs (park_needs_fence).
 */
#ifndef CGC_WORLD_PARK_H
#define CGC_WORLD_PARK_H

#include "base/meta.h"
#include "world/stop.h"

/* 1 if the stopper's barrier is not to be had. */
extern atom_int park_needs_fence;

/* Once, before there are threads; and once more when it is known what filters of system calls permit. */
void park_init(void);
void park_init_filtered(void);

/* The stopper's part, after the stop has begun: 0, or EAGAIN if this stop cannot tell who is parked. */
int park_synchronize(void);

/* The rare cases of the next two: a stop is on. */
void park_begin_slow(struct cgc_thread *thread);
void park_end_slow(struct cgc_thread *thread);

/* This thread, if it is parked; else NULL. */
struct cgc_thread *park_self(void);

/* Ends this thread's parking from within the call. */
void park_break(void);

/* The same for a time, while a signal handler of the program runs. */
struct park_interrupted {
  struct cgc_thread *thread;   /* NULL: was not parked */
  uintptr_t stack_pointer;
};

struct park_interrupted park_interrupt(void);
void                    park_resume(const struct park_interrupted *interrupted);

CGC_INLINE void
park_fence(void) {
  if (CGC_UNLIKELY(atom_int_load_rlx(&park_needs_fence)))
    atom_barrier_full();
  else
    atom_barrier_compiler();
}

/* Parks this thread, whose pointers all lie at or above stack_pointer.  Returns what park_end wants.  In a signal
 * handler that has interrupted a parked call, it ends that parking. */
CGC_INLINE struct cgc_thread *
park_begin(uintptr_t stack_pointer) {
  if (CGC_UNLIKELY(thread_cache_self == &thread_cache_parked))
    park_break();
  struct cgc_thread *thread = thread_self();
  if (CGC_UNLIKELY(!thread || !meta_is_native()))
    return NULL;   /* not known yet: a stop finds it and sends the signal */
  thread->parked_stack_pointer = stack_pointer;
  thread_cache_self = &thread_cache_parked;
  atom_int_store_rel(&thread->is_parked, 1);   /* pairs with stop.c take_parked */
  park_fence();
  if (stop_world_is_on())
    park_begin_slow(thread);
  return thread;
}

/* Ends it, unless that has happened meanwhile. */
CGC_INLINE void
park_end(struct cgc_thread *thread) {
  if (CGC_UNLIKELY(!thread || thread_cache_self != &thread_cache_parked))
    return;
  atom_int_store_rlx(&thread->is_parked, 0);
  park_fence();
  if (stop_world_is_on())
    park_end_slow(thread);
  thread_cache_self = &thread->cache;
}

#endif
