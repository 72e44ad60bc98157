/* SPDX-License-Identifier: MIT */
#include "gc/stop_ahead.h"

#include "base/arch_x86_64.h"
#include "base/atom.h"
#include "base/platform.h"
#include "world/park.h"

enum { STOP_FAR, STOP_NEAR, STOP_AWAITED };

static atom_int state;         /* futex of those who wait */
static atom_word stop_thread;

void
stop_ahead_begin(void) {
  atom_store_rlx(&stop_thread, (uintptr_t)thread_self());
  atom_int_cas_full(&state, STOP_FAR, STOP_NEAR);
}

void
stop_ahead_end(void) {
  if (atom_int_swap_full(&state, STOP_FAR) == STOP_AWAITED)
    platform_futex_wake(&state, INT32_MAX);
}

bool
stop_ahead_is_seen(void) {
  return CGC_UNLIKELY(atom_int_load_rlx(&state)) && atom_load_rlx(&stop_thread) != (uintptr_t)thread_self();
}

/* For a while only: a thread must not depend on another one here, which might be waiting for it.  Parked, the stop need
 * not wake it. */
static void
wait_parked(void *unused, uintptr_t stack_pointer) {
  enum { WAIT_NS = 5 * 1000 * 1000 };
  struct cgc_thread *thread = park_begin(stack_pointer);
  (void)unused;
  platform_futex_wait(&state, STOP_AWAITED, WAIT_NS);
  park_end(thread);
}

void
stop_ahead_await(void) {
  if (atom_int_load_rlx(&state) == STOP_AWAITED || atom_int_cas_full(&state, STOP_NEAR, STOP_AWAITED))
    arch_call_spilled(wait_parked, NULL);
}

void
stop_ahead_adopt_fork(void) {
  atom_int_store_rlx(&state, STOP_FAR);
}
