/* SPDX-License-Identifier: MIT */
/*
 * The registry of threads: who has a thread cache, and where the stacks are.
 *
 * A thread registers at its first slow allocation or when pthread_create starts it; a stop adds
 * the others it finds.  A record stays until the kernel's thread is gone, for libc allocates and
 * frees after the last destructor of ours.  Records are reused, never unmapped.
 */
#ifndef CGC_WORLD_THREAD_H
#define CGC_WORLD_THREAD_H

#include "heap/thread_cache.h"

struct recorder;

struct cgc_thread {
  /* First, so that thread_cache_self points to the record. */
  struct thread_cache cache;

  /* Lock: threads.  tid is 0 for an unused record. */
  atom_int tid;
  bool has_cache;            /* thread_cache_self of that thread points here */
  bool has_own_descriptors;  /* of ours, and not the program's (platform_forget_descriptors) */
  atom_int is_exiting;       /* its destructors have run */
  struct cgc_thread *next;   /* all records ever; constant once listed */

  /* The thread itself, before it runs the program's code; 0: unknown.  The client may change them. */
  uintptr_t stack_low_addr;
  uintptr_t stack_end_addr;
  unsigned  destructor_rounds;

  /* The thread itself.  A root: else only the kernel knows.  0: none. */
  atom_word alternate_stack_addr;

  /* The thread itself, and whoever makes the record; read by the stopper. */
  atom_int stop_signal;          /* the one that the thread does not block (world/stop_signal.h) */

  /* The thread's signal handler and stop_world_yield: signals that wait for the end of a slow path. */
  bool     has_put_off;
  uint64_t put_off_mask;         /* of the slow path, to be restored */

  /* Stopper and the thread's signal handler (world/stop.c). */
  atom_int pending_signal;       /* sent to the thread and not yet taken, or 0 */
  atom_int stopped_in;           /* generation of the stop that it has answered */
  uintptr_t stack_pointer;       /* valid while stopped */
  const void *context;           /* ucontext_t of the signal, or NULL */

  /* The thread itself (world/park.h). */
  atom_int is_parked;
  uintptr_t parked_stack_pointer;   /* valid while parked */

  /* Stopper: the refills of its cache when a cycle last looked. */
  uint32_t refills_seen;

  /* Stopper: a thread that blocks all signals, seen asleep in the kernel. */
  bool     is_kernel_parked;
  bool     is_dead;              /* ended, though its id is still listed */
  uint64_t parked_fingerprint;

  /* The thread itself (record/recorder.c); NULL: has not recorded. */
  struct recorder *recorder;

  /* The thread itself, when it registers: its control block (arch_thread_block), or 0. */
  uintptr_t block_addr;

  /* The thread itself: what the client notes of it, 0 at first. */
  atom_int client_state;
};

/* Once, before any thread registers. */
void thread_init(void);

/* This thread's record, made if need be; NULL if there is no memory. */
struct cgc_thread *thread_register_self(void);

/* Notes the bounds of this thread's stack, which libc knows, in a registered thread. */
void thread_note_stack(void);

/* With mode=leak: zeroes what functions that have returned have left on this thread's stack, which ends. */
void thread_clear_dead_stack(void);

/* This thread's record, also while it is parked; NULL if it has none. */
struct cgc_thread *thread_registered_self(void);

/* The record of a thread that exists, made if need be; NULL if there is no memory. */
struct cgc_thread *thread_find_or_add(int tid);

/* The record of a thread, or NULL.  Without a lock: of the calling thread or one that is stopped. */
struct cgc_thread *thread_find(int tid);

/* The first record; the others follow by `next`.  Skip those whose tid is 0. */
struct cgc_thread *thread_first(void);

/* With the world stopped: gives back the caches of threads that are gone; the second also takes in, on behalf of the
 * stopped ones, what others freed for them. */
void thread_reap_stw(void);
void thread_settle_stw(void);

/* The spans of threads that sleep, and have not taken a slot since this was called the last time, are of no use to
 * others there.  The first takes them away, with the world stopped, and the second hands them on. */
void thread_detach_idle_stw(void);
void thread_abandon_detached(void);

/* In a forked child: forgets all threads but the calling one. */
void thread_adopt_fork(void);

/* Whose cache it is. */
CGC_INLINE struct cgc_thread *
thread_of_cache(struct thread_cache *cache) {
  return (struct cgc_thread *)cache;
}

/* The calling thread's record; NULL if it has none, or is parked. */
CGC_INLINE struct cgc_thread *
thread_self(void) {
  struct thread_cache *cache = thread_cache_self;
  return thread_cache_is_empty(cache) ? NULL : thread_of_cache(cache);
}

#endif
