/* SPDX-License-Identifier: MIT */
/* Standing still on demand: single threads, by a signal of their own, and the world. */
#include "base/atom.h"
#include "base/platform.h"
#include "boehm/alloc_lock.h"
#include "boehm/messages.h"
#include "boehm/start.h"
#include "gc/cycle.h"
#include "world/stop.h"

#include <gc/gc.h>
#include <gc/javaxfc.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>

/* ---- single threads ---- */

enum { SUSPENDED_MAX = 256 };

/* A thread's entry is found by its name.  How often it was told to stand still is odd while it is to: as bdwgc, a
 * second call changes nothing. */
struct suspended {
  atom_word thread;
  atom_int  is_wanted;     /* futex of the thread */
  atom_int  is_reached;    /* futex of who asked for it */
};

static struct suspended suspended[SUSPENDED_MAX];

static struct suspended *
find(pthread_t thread, bool adds) {
  for (unsigned i = 0; i < SUSPENDED_MAX; i++) {
    if (atom_load_rlx(&suspended[i].thread) == (uintptr_t)thread ||
        (adds && !atom_load_rlx(&suspended[i].thread) && atom_cas_full(&suspended[i].thread, 0, (uintptr_t)thread)))
      return &suspended[i];
  }
  return NULL;
}

static int
suspend_signal(void) {
  return SIGRTMAX - 7;
}

/* The world can be stopped meanwhile: only this signal is blocked here. */
static void
stand_still_sig(int signal) {
  (void)signal;
  int errno_before = errno;
  struct suspended *self = find(pthread_self(), false);
  if (self) {
    atom_int_store_rel(&self->is_reached, 1);
    platform_futex_wake(&self->is_reached, INT32_MAX);
    while (atom_int_load_acq(&self->is_wanted))
      platform_futex_wait(&self->is_wanted, 1, UINT64_MAX);
  }
  errno = errno_before;
}

static void
install_handler(void) {
  struct sigaction action = {.sa_handler = stand_still_sig, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (sigaction(suspend_signal(), &action, NULL))
    messages_abort("The handler to suspend threads cannot be installed");
}

void
GC_suspend_thread(pthread_t thread) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  start_once();
  pthread_once(&once, install_handler);
  struct suspended *entry = find(thread, true);
  if (!entry)
    messages_abort("Too many suspended threads");
  if (atom_int_swap_full(&entry->is_wanted, 1))
    return;
  atom_int_store_rlx(&entry->is_reached, 0);
  if (pthread_kill(thread, suspend_signal())) {
    atom_int_store_rlx(&entry->is_wanted, 0);
    return;
  }
  while (thread != pthread_self() && !atom_int_load_acq(&entry->is_reached))
    platform_futex_wait(&entry->is_reached, 0, UINT64_MAX);
}

void
GC_resume_thread(pthread_t thread) {
  struct suspended *entry = find(thread, false);
  if (!entry)
    return;
  atom_int_store_rel(&entry->is_wanted, 0);
  platform_futex_wake(&entry->is_wanted, INT32_MAX);
  atom_store_rel(&entry->thread, 0);
}

int
GC_is_thread_suspended(pthread_t thread) {
  const struct suspended *entry = find(thread, false);
  return entry && atom_int_load_acq(&entry->is_wanted);
}

/* ---- the world ---- */

static uint64_t held;

/* No cycle runs meanwhile. */
void
GC_stop_world_external(void) {
  struct stop_result result;
  start_once();
  runtime_prepare();
  held = cycle_hold_off();
  if (stop_world_begin(&result))
    messages_abort("The world does not stop");
}

void
GC_start_world_external(void) {
  stop_world_end();
  cycle_let_go_on(held);
}
