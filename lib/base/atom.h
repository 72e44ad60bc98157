/* SPDX-License-Identifier: MIT */
/*
 * Atomics by libatomic_ops, with the memory order in the name:
 * rlx relaxed, acq acquire, rel release, full both and a full barrier.
 * A word is AO_t (as wide as a pointer), a futex word is an unsigned int.
 */
#ifndef CGC_BASE_ATOM_H
#define CGC_BASE_ATOM_H

#include "base/compiler.h"

#define AO_REQUIRE_CAS
#include <atomic_ops.h>
#include <stdbool.h>

typedef AO_t atom_word;                  /* accessed by atom_* only */
typedef volatile unsigned int atom_int;  /* accessed by atom_int_* only */

CGC_INLINE uintptr_t
atom_load_rlx(const volatile atom_word *at) {
  return AO_load(at);
}

CGC_INLINE uintptr_t
atom_load_acq(const volatile atom_word *at) {
  return AO_load_acquire(at);
}

CGC_INLINE void
atom_store_rlx(volatile atom_word *at, uintptr_t value) {
  AO_store(at, value);
}

CGC_INLINE void
atom_store_rel(volatile atom_word *at, uintptr_t value) {
  AO_store_release(at, value);
}

CGC_INLINE uintptr_t
atom_add_full(volatile atom_word *at, uintptr_t by) {
  return AO_fetch_and_add_full(at, by);
}

/* Returns whether *at was old and is now value. */
CGC_INLINE bool
atom_cas_full(volatile atom_word *at, uintptr_t old, uintptr_t value) {
  return AO_compare_and_swap_full(at, old, value);
}

CGC_INLINE uintptr_t
atom_swap_full(volatile atom_word *at, uintptr_t value) {
  uintptr_t old;
  do
    old = AO_load(at);
  while (!AO_compare_and_swap_full(at, old, value));
  return old;
}

/* Returns the bits as they were before. */
CGC_INLINE uintptr_t
atom_or_full(volatile atom_word *at, uintptr_t bits) {
  uintptr_t old = AO_load(at);
  for (;;) {
    uintptr_t seen = AO_fetch_compare_and_swap_full(at, old, old | bits);
    if (seen == old)
      return old;
    old = seen;
  }
}

CGC_INLINE unsigned
atom_int_load_rlx(const atom_int *at) {
  return AO_int_load(at);
}

CGC_INLINE unsigned
atom_int_load_acq(const atom_int *at) {
  return AO_int_load_acquire(at);
}

CGC_INLINE void
atom_int_store_rlx(atom_int *at, unsigned value) {
  AO_int_store(at, value);
}

CGC_INLINE void
atom_int_store_rel(atom_int *at, unsigned value) {
  AO_int_store_release(at, value);
}

CGC_INLINE unsigned
atom_int_add_full(atom_int *at, int by) {
  return AO_int_fetch_and_add_full(at, (unsigned)by);
}

CGC_INLINE bool
atom_int_cas_full(atom_int *at, unsigned old, unsigned value) {
  return AO_int_compare_and_swap_full(at, old, value);
}

CGC_INLINE unsigned
atom_int_swap_full(atom_int *at, unsigned value) {
  unsigned old;
  do
    old = AO_int_load(at);
  while (!AO_int_compare_and_swap_full(at, old, value));
  return old;
}

CGC_INLINE void
atom_barrier_full(void) {
  AO_nop_full();
}

/* Orders this thread against its own signal handlers only. */
CGC_INLINE void
atom_barrier_compiler(void) {
  __asm__ volatile("" ::: "memory");
}

CGC_INLINE void
atom_pause(void) {
  __builtin_ia32_pause();
}

#endif
