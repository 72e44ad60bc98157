/* SPDX-License-Identifier: MIT */
/* Source: Drepper, "Futexes Are Tricky", 2011, third mutex. */
#include "base/lock.h"

#include "base/fatal.h"
#include "base/platform.h"

enum { LOCK_FREE, LOCK_HELD, LOCK_CONTENDED, LOCK_SPINS = 40 };

bool
lock_try_acquire(struct lock *lock) {
  return atom_int_cas_full(&lock->state, LOCK_FREE, LOCK_HELD);
}

void
lock_acquire(struct lock *lock) {
  for (int i = 0; i < LOCK_SPINS; i++) {
    if (lock_try_acquire(lock))
      return;
    atom_pause();
  }
  while (atom_int_swap_full(&lock->state, LOCK_CONTENDED) != LOCK_FREE)
    platform_futex_wait(&lock->state, LOCK_CONTENDED, UINT64_MAX);
}

void
lock_release(struct lock *lock) {
  unsigned before = atom_int_swap_full(&lock->state, LOCK_FREE);
  CGC_ASSERT(before != LOCK_FREE);
  if (before == LOCK_CONTENDED)
    platform_futex_wake(&lock->state, 1);
}

uint64_t
lock_acquire_blocked(struct lock *lock) {
  uint64_t mask = platform_block_signals();
  lock_acquire(lock);
  return mask;
}

void
lock_release_blocked(struct lock *lock, uint64_t mask) {
  lock_release(lock);
  platform_restore_signals(mask);
}

void
lock_reset(struct lock *lock) {
  atom_int_store_rel(&lock->state, LOCK_FREE);
}
