/* SPDX-License-Identifier: MIT */
/* Standing still on demand: single threads, by a signal of their own, and the world. */
#include "boehm/suspend.h"

#include "base/atom.h"
#include "base/lock.h"
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
#include <string.h>

/* ---- single threads ---- */

enum { SUSPENDED_MAX = 256, END_POLL_NS = 1000000 };

/* A thread's entry is found by its name, by the thread itself without the lock.  It stays the thread's until the table is
 * full of others.  asked is odd while the thread is to stand still; it does when answered is the same. */
struct suspended {
  atom_word thread;
  atom_int  asked;       /* futex of the thread */
  atom_int  answered;    /* futex of who asked */
};

static struct suspended suspended[SUSPENDED_MAX];

/* Held until the thread stands still, which it can do as well where it waits for this lock. */
static struct lock suspended_lock = LOCK_INITIALIZER(LOCK_RANK_CLIENT);

static bool
is_asked(const struct suspended *entry) {
  return atom_int_load_acq(&entry->asked) & 1;
}

static struct suspended *
find(uintptr_t thread) {
  for (unsigned i = 0; i < SUSPENDED_MAX; i++) {
    if (atom_load_rlx(&suspended[i].thread) == thread)
      return &suspended[i];
  }
  return NULL;
}

static struct suspended *
find_idle(void) {
  for (unsigned i = 0; i < SUSPENDED_MAX; i++) {
    if (!is_asked(&suspended[i]))
      return &suspended[i];
  }
  return NULL;
}

/* Locked.  Only when the whole table lacks the thread may it get an entry, or it could have two. */
static struct suspended *
find_or_add(pthread_t thread) {
  struct suspended *entry = find((uintptr_t)thread);
  if (entry)
    return entry;
  entry = find(0);
  if (!entry)
    entry = find_idle();
  if (!entry)
    messages_abort("Too many suspended threads");
  atom_store_rlx(&entry->thread, (uintptr_t)thread);
  return entry;
}

static int
suspend_signal(void) {
  return SIGRTMAX - 7;
}

/* Until it is asked no more; asked once more meanwhile, it answers again.  The entry can be another's by then: its name
 * is read after asked, and written before. */
static void
stand_still(struct suspended *self) {
  for (;;) {
    unsigned asked = atom_int_load_acq(&self->asked);
    if (!(asked & 1) || atom_load_rlx(&self->thread) != (uintptr_t)pthread_self())
      return;
    atom_int_store_rel(&self->answered, asked);
    platform_futex_wake(&self->answered, INT32_MAX);
    platform_futex_wait(&self->asked, asked, UINT64_MAX);
  }
}

/* The world can be stopped meanwhile: only this signal is blocked here. */
static void
stand_still_sig(int signal) {
  (void)signal;
  int errno_before = errno;
  struct suspended *self = find((uintptr_t)pthread_self());
  if (self)
    stand_still(self);
  errno = errno_before;
}

static void
install_handler(void) {
  struct sigaction action = {.sa_handler = stand_still_sig, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (sigaction(suspend_signal(), &action, NULL))
    messages_abort("The handler to suspend threads cannot be installed");
}

/* It takes no signals any more when it is about to end; libc knows no clock of a thread that has ended. */
static bool
has_ended(pthread_t thread) {
  clockid_t clock;
  return pthread_getcpuclockid(thread, &clock) == ESRCH;
}

static void
wait_for_answer(struct suspended *entry, pthread_t thread) {
  unsigned asked = atom_int_load_rlx(&entry->asked), answered;
  while ((answered = atom_int_load_acq(&entry->answered)) != asked && !has_ended(thread))
    platform_futex_wait(&entry->answered, answered, END_POLL_NS);
}

/* As in bdwgc, a second call changes nothing, and a thread that has ended counts as suspended. */
void
GC_suspend_thread(pthread_t thread) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  start_once();
  pthread_once(&once, install_handler);
  bool is_self = pthread_equal(thread, pthread_self());

  lock_acquire(&suspended_lock);
  struct suspended *entry = find_or_add(thread);
  bool is_new = !is_asked(entry);
  if (is_new)
    atom_int_store_rel(&entry->asked, atom_int_load_rlx(&entry->asked) + 1);
  if (is_new && !is_self) {
    pthread_kill(thread, suspend_signal());
    wait_for_answer(entry, thread);
  }
  lock_release(&suspended_lock);

  if (is_new && is_self)
    pthread_kill(thread, suspend_signal());
}

void
GC_resume_thread(pthread_t thread) {
  lock_acquire(&suspended_lock);
  struct suspended *entry = find((uintptr_t)thread);
  if (entry && is_asked(entry)) {
    atom_int_store_rel(&entry->asked, atom_int_load_rlx(&entry->asked) + 1);
    platform_futex_wake(&entry->asked, INT32_MAX);
  }
  lock_release(&suspended_lock);
}

int
GC_is_thread_suspended(pthread_t thread) {
  const struct suspended *entry = find((uintptr_t)thread);
  return entry && is_asked(entry);
}

void
suspend_adopt_fork(void) {
  memset(suspended, 0, sizeof suspended);
  lock_reset(&suspended_lock);
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
