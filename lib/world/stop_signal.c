/* SPDX-License-Identifier: MIT */
#include "world/stop_signal.h"

#include "base/options.h"
#include "world/signal_action.h"

#include <errno.h>
#include <string.h>

enum { LOWEST = PLATFORM_REAL_TIME_MIN, HIGHEST = PLATFORM_SIGNAL_MAX, COUNT = HIGHEST - LOWEST + 1 };

/* Lock: signals, but for reads.  0 until somebody asks. */
static atom_int signal_now;

int
stop_signal_now(void) {
  unsigned now = atom_int_load_rlx(&signal_now);
  return now ? (int)now : (int)option(OPTION_STOP_SIGNAL);
}

static int
signal_of_self(void) {
  const struct cgc_thread *thread = thread_self();
  return thread ? (int)atom_int_load_rlx(&thread->stop_signal) : stop_signal_now();
}

/* ---- masks ---- */

/* The neighbours; at an end the two next ones. */
static uint64_t
neighbours(int signal) {
  int left = signal == LOWEST ? LOWEST + 1 : signal == HIGHEST ? HIGHEST - 2 : signal - 1;
  int right = signal == LOWEST ? LOWEST + 2 : signal == HIGHEST ? HIGHEST - 1 : signal + 1;
  return platform_signal_bit(left) | platform_signal_bit(right);
}

static uint64_t
shown_for(int signal, uint64_t mask) {
  bool is_shown = (mask & neighbours(signal)) == neighbours(signal);
  return is_shown ? mask | platform_signal_bit(signal) : mask;
}

/* Whether the program can have this mask while the signal is ours. */
static bool
suits(int signal, uint64_t shown) {
  uint64_t others = shown & ~platform_signal_bit(signal);
  return shown_for(signal, others) == shown;
}

uint64_t
stop_signal_shown(uint64_t mask) {
  return shown_for(signal_of_self(), mask);
}

/* ---- choice ---- */

static int
find_locked(enum signal_use use, uint64_t avoided, uint64_t shown) {
  int wanted = (int)option(OPTION_STOP_SIGNAL);
  for (int i = 0; i < COUNT; i++) {
    int candidate = wanted - i >= LOWEST ? wanted - i : wanted - i + COUNT;
    if (!(avoided & platform_signal_bit(candidate)) && suits(candidate, shown) &&
        signal_action_use_locked(candidate) == use)
      return candidate;
  }
  return 0;
}

static int
find_free_locked(uint64_t avoided, uint64_t shown) {
  int found = find_locked(SIGNAL_BY_DEFAULT, avoided, shown);
  return found ? found : find_locked(SIGNAL_IGNORED, avoided, shown);
}

static void
set_now_locked(int signal) {
  atom_int_store_rlx(&signal_now, (unsigned)signal);
  signal_action_unblock_locked(signal);
}

/* Chooses another signal, if there is one for a thread with that mask.  The old one stays taken, for threads
 * that have not followed. */
static void
move_locked(uint64_t avoided, uint64_t shown) {
  int old = stop_signal_now(), found = find_free_locked(avoided | platform_signal_bit(old), shown);
  if (found && !(signal_action_is_taken(old) && signal_action_take_locked(found)))
    set_now_locked(found);
}

void
stop_signal_leave_locked(int signal, uint64_t shown) {
  if (signal == stop_signal_now())
    move_locked(0, shown);
}

/* The last choice is a signal that the program has a handler for: it is shared. */
static int
choose_locked(void) {
  int now = stop_signal_now();
  enum signal_use use = signal_action_use_locked(now);
  int found = use <= SIGNAL_IGNORED ? now : find_free_locked(0, 0);
  if (!found)
    found = use == SIGNAL_HANDLED ? now : find_locked(SIGNAL_HANDLED, 0, 0);
  return found;
}

/* A signal with a raw handler must not be sent any more. */
static void
replace_locked(int old, int new) {
  for (struct cgc_thread *thread = thread_first(); thread && new != old; thread = thread->next)
    if ((int)atom_int_load_rlx(&thread->stop_signal) == old)
      atom_int_store_rlx(&thread->stop_signal, (unsigned)new);
  set_now_locked(new);
}

static int
ensure_locked(void) {
  int now = stop_signal_now(), found = choose_locked();
  int err = found ? signal_action_take_locked(found) : EBUSY;
  if (!err)
    replace_locked(now, found);
  return err;
}

/* Looked at in each stop, for a raw system call may have replaced our handler. */
int
stop_signal_ensure(void) {
  uint64_t mask = signal_lock();
  int err = signal_action_is_in_place_locked(stop_signal_now()) ? 0 : ensure_locked();
  signal_unlock(mask);
  return err;
}

/* The thread may not have followed from a signal that was ours before the first stop. */
int
stop_signal_ensure_for(const struct cgc_thread *thread) {
  int signal = (int)atom_int_load_rlx(&thread->stop_signal);
  if (signal_action_is_taken(signal))
    return 0;
  uint64_t mask = signal_lock();
  int err = signal_action_use_locked(signal) == SIGNAL_HANDLED_RAW ? EBUSY : signal_action_take_locked(signal);
  signal_unlock(mask);
  return err;
}

/* ---- threads ---- */

/* The kernel's mask for one that the program wants, after the thread has gone over to the signal that is
 * ours now, if it can. */
static uint64_t
follow(struct cgc_thread *thread, uint64_t shown) {
  int now = stop_signal_now();
  if (suits(now, shown))
    atom_int_store_rlx(&thread->stop_signal, (unsigned)now);
  return shown & ~platform_signal_bit((int)atom_int_load_rlx(&thread->stop_signal));
}

/* The program's mask is unlike what it would see: it means our signal. */
CGC_COLD static void
give_way(struct cgc_thread *thread, uint64_t shown) {
  uint64_t mask = signal_lock();
  if (!suits(stop_signal_now(), shown))
    move_locked(0, shown);
  signal_unlock(mask);
  platform_restore_signals(follow(thread, shown));
}

void
stop_signal_follow_slow(struct cgc_thread *thread) {
  uint64_t mask = platform_block_signals();
  platform_restore_signals(follow(thread, stop_signal_shown(mask)));
}

void
stop_signal_start_thread(struct cgc_thread *thread) {
  uint64_t mask = 0;
  platform_signal_mask(SIG_BLOCK, NULL, &mask);
  uint64_t shown = shown_for((int)atom_int_load_rlx(&thread->stop_signal), mask);
  if (!suits(stop_signal_now(), shown))
    give_way(thread, shown);
  else if (follow(thread, shown) != mask)
    platform_restore_signals(follow(thread, shown));
}

void
stop_signal_follow_sig(struct cgc_thread *thread, void *context) {
  int before = (int)atom_int_load_rlx(&thread->stop_signal);
  if (before != stop_signal_now())
    signal_context_set_mask(context, follow(thread, shown_for(before, signal_context_mask(context))));
}

void
stop_signal_enter_sig(void *context) {
  struct cgc_thread *thread = thread_self();
  if (!thread || CGC_LIKELY((int)atom_int_load_rlx(&thread->stop_signal) == stop_signal_now()))
    return;
  stop_signal_follow_sig(thread, context);
  uint64_t ours = platform_signal_bit((int)atom_int_load_rlx(&thread->stop_signal));
  platform_signal_mask(SIG_UNBLOCK, &ours, NULL);
}

void
stop_signal_repair(struct cgc_thread *thread, uint64_t blocked) {
  if (!(blocked & platform_signal_bit((int)atom_int_load_rlx(&thread->stop_signal))))
    return;
  for (int i = LOWEST; i <= HIGHEST; i++)
    if (!(blocked & platform_signal_bit(i)) && signal_action_is_taken(i))
      atom_int_store_rlx(&thread->stop_signal, (unsigned)i);
}

/* Sent to a thread by its id; else any thread of the process may take it. */
static int
addressee(const siginfo_t *info) {
  return info->si_code == SI_TKILL ? platform_thread_id() : 0;
}

bool
stop_signal_hold_sig(int signal, const siginfo_t *info, void *context) {
  struct cgc_thread *thread = thread_self();
  uint64_t shown = shown_for(signal, signal_context_mask(context));
  if (!thread || signal != signal_of_self() || !(shown & platform_signal_bit(signal)))
    return false;
  platform_block_signals();   /* until the handler returns */
  uint64_t mask = signal_lock();
  stop_signal_leave_locked(signal, shown);
  signal_unlock(mask);
  signal_context_set_mask(context, follow(thread, shown) | platform_signal_bit(signal));
  platform_resend_signal(addressee(info), signal, info);
  return true;
}

/* ---- what the program calls ---- */

static uint64_t
applied(int how, uint64_t mask, uint64_t set) {
  if (how == SIG_SETMASK)
    return set & ~(platform_signal_bit(SIGKILL) | platform_signal_bit(SIGSTOP));
  return how == SIG_BLOCK ? mask | set : mask & ~set;
}

int
stop_signal_change_mask(int how, const uint64_t *set, uint64_t *before) {
  int ours = signal_of_self();
  uint64_t kept = set ? *set & ~platform_signal_bit(ours) : 0, mask = 0;
  int err = platform_signal_mask(how, set ? &kept : NULL, &mask);
  if (err)
    return err;
  mask = shown_for(ours, mask);
  struct cgc_thread *thread = thread_self();
  if (set && thread && !suits(ours, applied(how, mask, *set)))
    give_way(thread, applied(how, mask, *set));
  *before = mask;
  return 0;
}

static uint64_t
bits_of(const sigset_t *set) {
  uint64_t bits;
  memcpy(&bits, set, sizeof bits);
  return bits;
}

const sigset_t *
signal_without_ours(const sigset_t *set, sigset_t *copy) {
  uint64_t ours = platform_signal_bit(signal_of_self());
  if (!set || !(bits_of(set) & ours))
    return set;
  uint64_t rest = bits_of(set) & ~ours;
  memset(copy, 0, sizeof *copy);
  memcpy(copy, &rest, sizeof rest);
  return copy;
}

/* Whoever waits for every signal does not mean ours; who waits for a few does. */
const sigset_t *
signal_awaited_without_ours(const sigset_t *set, sigset_t *copy) {
  const uint64_t real_time = ~(uint64_t)0 << (LOWEST - 1);
  if (set && bits_of(set) & platform_signal_bit(stop_signal_now()) &&
      count_bits(bits_of(set) & real_time) <= COUNT / 2) {
    uint64_t mask = signal_lock();
    move_locked(bits_of(set), stop_signal_shown(mask));
    signal_unlock(mask);
    stop_signal_follow();
  }
  return signal_without_ours(set, copy);
}

uint64_t
stop_signal_show_mask(void) {
  uint64_t mask = platform_block_signals();
  platform_restore_signals(stop_signal_shown(mask));
  return mask;
}

uint64_t
stop_signal_block_others(void) {
  uint64_t passed = PLATFORM_FAULTS | platform_signal_bit(PLATFORM_LIBC_SETXID) | platform_signal_bit(signal_of_self());
  uint64_t set = ~passed, mask = 0;
  platform_signal_mask(SIG_BLOCK, &set, &mask);
  return stop_signal_shown(mask);
}

void
stop_signal_unblock_others(uint64_t shown) {
  platform_block_signals();   /* the thread does not go over now */
  platform_restore_signals(shown & ~platform_signal_bit(signal_of_self()));
}
