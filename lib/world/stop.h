/* SPDX-License-Identifier: MIT */
/*
 * Stopping the world: every thread of the process but the caller.
 *
 * A real-time signal (world/stop_signal.h) carries the thread's record.  The handler publishes the interrupted stack
 * pointer and registers, and waits on a futex.  A thread inside an allocation slow path puts the
 * stop off until it leaves.  The truth about which threads exist is /proc/self/task: it is listed
 * until a listing shows nobody new.  A thread that blocks every signal and sleeps in a system call
 * is taken as stopped where the kernel says it sleeps; whether it has run meanwhile is asked again
 * before anything is reclaimed.
 *
 * While the world is stopped no lock is held by anybody but the stopper, for slow paths are the
 * only places that lock.
 */
#ifndef CGC_WORLD_STOP_H
#define CGC_WORLD_STOP_H

#include "world/thread.h"

#include <signal.h>

struct stop_result {
  unsigned threads;          /* stopped, without the caller */
  unsigned kernel_parked;    /* of them, asleep with all signals blocked */
  int      silent_tid;       /* a thread that did not stop in time, or 0 */
};

/* Stops the world.  Returns 0; ETIMEDOUT if a thread did not answer within option stop-timeout,
 * ENOMEM, or another errno code if threads cannot be listed: then the world runs. */
int stop_world_begin(struct stop_result *result);
void stop_world_end(void);

/* Whether the thread is stopped, with the world stopped. */
bool stop_world_has(const struct cgc_thread *thread);

/* In our signal handler: if the signal is one that was sent to stop this thread, stops it or puts that off.
 * Any signal may have carried it. */
bool stop_world_take_sig(const siginfo_t *info, void *context);

/* Whether the kernel-parked threads have slept throughout. */
bool stop_world_is_still_parked(void);

/* Lets a stop that is going on, or what was put off, happen to this thread.  Outside of slow paths. */
void stop_world_yield(struct thread_cache *cache);

/* Odd while the world is being stopped or is stopped. */
extern atom_int stop_world_generation;

CGC_INLINE bool
stop_world_is_on(void) {
  return CGC_UNLIKELY(atom_int_load_acq(&stop_world_generation) & 1);
}

/* Sleeps until the stop of that generation has ended. */
void stop_world_await_resume(unsigned generation);

/* Whether it is on by another thread than this one. */
bool stop_world_is_on_by_other(void);

/* In a forked child. */
void stop_world_adopt_fork(void);

#endif
