/* SPDX-License-Identifier: MIT */
/*
 * A futex lock.  Locks are taken in ascending rank, never two of one rank.
 * No lock is held across fork: a child that finds itself forked (base/meta.h,
 * the fork sentinel) resets every lock and rebuilds what the lock protected.
 */
#ifndef CGC_BASE_LOCK_H
#define CGC_BASE_LOCK_H

#include "base/atom.h"

enum lock_rank {
  LOCK_RANK_CHECK,       /* one leak check at a time; waited for as a stoppable thread */
  LOCK_RANK_CYCLE,       /* one collection at a time; waited for as a stoppable thread */
  LOCK_RANK_CLIENT,      /* tables of the interface above */
  LOCK_RANK_ROOTS,       /* registered roots */
  LOCK_RANK_HELD,        /* values that the kernel holds */
  LOCK_RANK_THREADS,     /* registry of threads */
  LOCK_RANK_SIGNALS,     /* dispositions, and which signal stops threads */
  LOCK_RANK_SITES,       /* return sites and modules */
  LOCK_RANK_DEPOT,       /* stacks of allocations */
  LOCK_RANK_RECORDS,     /* arrays of records */
  LOCK_RANK_CENTRAL,     /* one per span class */
  LOCK_RANK_PAGE_HEAP,   /* free pages, spans, arenas */
  LOCK_RANK_META,        /* metadata memory: everyone may need it */
};

struct lock {
  atom_int state;        /* 0 free, 1 held, 2 held and waited for */
  enum lock_rank rank;
};

#define LOCK_INITIALIZER(rank) {0, rank}

void lock_acquire(struct lock *lock);
bool lock_try_acquire(struct lock *lock);
void lock_release(struct lock *lock);

/* With all signals blocked, so that no thread is stopped inside; the mask before is what the second wants. */
uint64_t lock_acquire_blocked(struct lock *lock);
void     lock_release_blocked(struct lock *lock, uint64_t mask);

/* In a forked child, whose other threads are gone. */
void lock_reset(struct lock *lock);

CGC_INLINE bool
lock_is_held(const struct lock *lock) {
  return atom_int_load_rlx(&lock->state) != 0;
}

#endif
