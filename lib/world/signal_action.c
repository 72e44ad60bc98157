/* SPDX-License-Identifier: MIT */
#include "world/signal_action.h"

#include "base/lock.h"
#include "base/meta.h"
#include "world/park.h"
#include "world/stop.h"
#include "world/stop_signal.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

enum { BY_DEFAULT = 0, IGNORED = 1 };   /* the kernel's numbers; handlers are above */

struct disposition {
  /* Lock: signals.  What the program set last. */
  atom_word handler;   /* the last that was a handler, unless the signal is taken; read by anybody */
  uint64_t  flags;
  uint64_t  mask;
  atom_int  is_taken;  /* likewise; never taken back */
};

static struct lock action_lock = LOCK_INITIALIZER(LOCK_RANK_SIGNALS);

static struct disposition dispositions[PLATFORM_SIGNAL_MAX + 1];

/* Constant, but for a fork. */
static int action_process_id;

/* A forked child that has not been adopted is alone, and its lock is as it was in the parent. */
uint64_t
signal_lock(void) {
  uint64_t mask = platform_block_signals();
  if (meta_is_native())
    lock_acquire(&action_lock);
  return mask;
}

void
signal_unlock(uint64_t mask) {
  if (meta_is_native())
    lock_release(&action_lock);
  platform_restore_signals(mask);
}

uint64_t
signal_context_mask(const void *context) {
  uint64_t mask;
  memcpy(&mask, &((const ucontext_t *)context)->uc_sigmask, sizeof mask);
  return mask;
}

void
signal_context_set_mask(void *context, uint64_t mask) {
  memcpy(&((ucontext_t *)context)->uc_sigmask, &mask, sizeof mask);
}

/* ---- our handler ---- */

/* The one place where the program's handlers are entered and left; some leave by a jump.  In a parked thread the
 * handler is the program's code as any. */
static void
run_handler(uintptr_t handler, int signal, siginfo_t *info, void *context) {
  struct park_interrupted parked = park_interrupt();
  ((platform_handler *)handler)(signal, info, context);
  park_resume(&parked);
}

static bool
is_fault(int signal, const siginfo_t *info) {
  return (platform_signal_bit(signal) & PLATFORM_FAULTS) && info->si_code > 0;
}

/* Whether the signal interrupts a slow path of this thread and can wait for its end.  A vfork child and a
 * thread that has no thread-local storage of its own see another thread's record. */
static bool
is_to_be_put_off(int signal, const siginfo_t *info) {
  struct thread_cache *cache = thread_cache_self;
  return CGC_UNLIKELY(atom_int_load_rlx(&cache->is_inside)) && !is_fault(signal, info) &&
         (int)atom_int_load_rlx(&thread_self()->tid) == platform_thread_id();
}

static bool
put_off_sig(int signal, const siginfo_t *info, void *context) {
  struct cgc_thread *thread = thread_self();
  uint64_t blocked = ~PLATFORM_FAULTS | platform_signal_bit(signal), mask;
  platform_signal_mask(SIG_BLOCK, &blocked, &mask);   /* from here on no other is put off */
  if (platform_resend_signal(platform_thread_id(), signal, info)) {
    platform_restore_signals(mask);
    return false;   /* the queue is full: rather now than never */
  }
  thread->put_off_mask = signal_context_mask(context);
  thread->has_put_off = true;
  signal_context_set_mask(context, thread->put_off_mask | blocked);
  atom_int_store_rlx(&thread->cache.is_stop_wanted, 1);   /* stop_world_yield restores the mask */
  return true;
}

static void reset_taken(int signal, uintptr_t handler);

/* A taken signal that is the program's; returns what to call. */
CGC_COLD static uintptr_t
handler_of_taken_sig(int signal, const siginfo_t *info, void *context) {
  const struct disposition *disposition = &dispositions[signal];
  if (stop_signal_hold_sig(signal, info, context))
    return IGNORED;
  uintptr_t handler = atom_load_acq(&disposition->handler);
  if (handler == BY_DEFAULT)
    platform_die_of(signal);
  if (handler > IGNORED && disposition->flags & (unsigned)SA_RESETHAND)
    reset_taken(signal, handler);
  return handler;
}

static void
on_signal_sig(int signal, siginfo_t *info, void *context) {
  if (stop_world_take_sig(info, context))
    return;
  if (is_to_be_put_off(signal, info) && put_off_sig(signal, info, context))
    return;
  uintptr_t handler = atom_load_acq(&dispositions[signal].handler);   /* pairs with remember_locked */
  if (CGC_UNLIKELY(atom_int_load_acq(&dispositions[signal].is_taken)))
    handler = handler_of_taken_sig(signal, info, context);
  if (handler <= IGNORED)
    return;
  stop_signal_enter_sig(context);
  run_handler(handler, signal, info, context);
}

/* ---- the kernel's side ---- */

/* Signals that are only ours do not use alternate stacks. */
static atom_int stays_on_stack;

/* Tells the kernel about a handler that is remembered, or that the signal is taken. */
static int
install_locked(int signal, struct platform_action *before) {
  const struct disposition *disposition = &dispositions[signal];
  bool is_taken = atom_int_load_rlx(&disposition->is_taken);
  if (is_taken && atom_load_rlx(&disposition->handler) <= IGNORED) {
    platform_signal_action(signal, NULL, before);
    return platform_set_handler(signal, on_signal_sig, !atom_int_load_rlx(&stays_on_stack));
  }
  struct platform_action action = {
    .handler = (uintptr_t)on_signal_sig,
    .flags = disposition->flags | SA_SIGINFO,
    .mask = disposition->mask & ~platform_signal_bit(stop_signal_now()),
  };
  if (is_taken)
    action.flags &= ~(uint64_t)(unsigned)SA_RESETHAND;   /* ours does not reset the program's */
  return platform_signal_action(signal, &action, before);
}

static void
remember_locked(int signal, const struct platform_action *action) {
  struct disposition *disposition = &dispositions[signal];
  disposition->flags = action->flags;
  disposition->mask = action->mask & ~(platform_signal_bit(SIGKILL) | platform_signal_bit(SIGSTOP));
  if (action->handler > IGNORED || atom_int_load_rlx(&disposition->is_taken))
    atom_store_rel(&disposition->handler, action->handler);   /* pairs with on_signal_sig */
}

/* What the program sees of what the kernel told: the kernel does not keep flags that it does not know. */
static void
show(const struct disposition *disposition, struct platform_action *action) {
  const uint64_t ours = SA_SIGINFO | (uint64_t)(unsigned)SA_RESETHAND;
  if (action->handler > IGNORED && action->handler != (uintptr_t)on_signal_sig)
    return;
  if (action->handler > IGNORED)
    action->handler = atom_load_rlx(&disposition->handler);
  bool is_kernels = action->handler > IGNORED || !atom_int_load_rlx(&disposition->is_taken);
  action->flags = is_kernels ? (action->flags & ~ours) | (disposition->flags & ours) : disposition->flags;
  action->mask = disposition->mask;
}

static int
set_locked(int signal, const struct platform_action *action, struct platform_action *before) {
  bool is_kernels = action->handler <= IGNORED && !atom_int_load_rlx(&dispositions[signal].is_taken);
  if (signal == SIGKILL || signal == SIGSTOP)
    return EINVAL;
  remember_locked(signal, action);
  return is_kernels ? platform_signal_action(signal, action, before) : install_locked(signal, before);
}

static int
change_locked(int signal, const struct platform_action *action, struct platform_action *before) {
  struct disposition *disposition = &dispositions[signal], old = *disposition;
  int err = action ? set_locked(signal, action, before) : platform_signal_action(signal, NULL, before);
  if (!err)
    show(&old, before);
  return err;
}

/* A vfork child has dispositions of its own, but our memory is its parent's. */
static int
change_in_vfork_child(int signal, const struct platform_action *action, struct platform_action *before) {
  int err = platform_signal_action(signal, action, before);
  if (!err)
    show(&dispositions[signal], before);
  return err;
}

bool
signal_action_is_vfork_child(void) {
  return meta_is_native() && platform_process_id() != action_process_id;
}

int
signal_action_change(int signal, const struct platform_action *action, struct platform_action *before) {
  if (action && signal_action_is_vfork_child())
    return change_in_vfork_child(signal, action, before);
  uint64_t mask = signal_lock();
  if (action && action->handler > IGNORED)
    stop_signal_leave_locked(signal, stop_signal_shown(mask));
  int err = change_locked(signal, action, before);
  signal_unlock(mask);
  stop_signal_follow();
  return err;
}

/* ---- taken signals ---- */

/* SA_RESETHAND. */
static void
reset_taken(int signal, uintptr_t handler) {
  uint64_t mask = signal_lock();
  if (atom_load_rlx(&dispositions[signal].handler) == handler) {
    atom_store_rel(&dispositions[signal].handler, BY_DEFAULT);
    install_locked(signal, NULL);
  }
  signal_unlock(mask);
}

enum signal_use
signal_action_use_locked(int signal) {
  uintptr_t handler = platform_handler_of(signal);
  if (handler == (uintptr_t)on_signal_sig)
    handler = atom_load_rlx(&dispositions[signal].handler);
  else if (handler > IGNORED)
    return SIGNAL_HANDLED_RAW;
  return handler == BY_DEFAULT ? SIGNAL_BY_DEFAULT : handler == IGNORED ? SIGNAL_IGNORED : SIGNAL_HANDLED;
}

int
signal_action_take_locked(int signal) {
  struct platform_action kernel;
  int err = platform_signal_action(signal, NULL, &kernel);
  if (err)
    return err;
  if (kernel.handler != (uintptr_t)on_signal_sig)
    atom_store_rel(&dispositions[signal].handler, kernel.handler);
  atom_int_store_rel(&dispositions[signal].is_taken, 1);
  err = install_locked(signal, NULL);
  if (err)
    atom_int_store_rel(&dispositions[signal].is_taken, 0);
  return err;
}

void
signal_action_stay_on_stack(void) {
  if (atom_int_load_rlx(&stays_on_stack))
    return;
  uint64_t mask = signal_lock();
  atom_int_store_rlx(&stays_on_stack, 1);
  for (int i = PLATFORM_REAL_TIME_MIN; i <= PLATFORM_SIGNAL_MAX; i++)
    if (signal_action_is_in_place_locked(i))
      install_locked(i, NULL);
  signal_unlock(mask);
}

bool
signal_action_is_taken(int signal) {
  return atom_int_load_acq(&dispositions[signal].is_taken);
}

bool
signal_action_is_in_place_locked(int signal) {
  return signal_action_is_taken(signal) && platform_handler_of(signal) == (uintptr_t)on_signal_sig;
}

void
signal_action_unblock_locked(int signal) {
  struct platform_action kernel;
  for (int i = 1; i <= PLATFORM_SIGNAL_MAX; i++)
    if (platform_signal_action(i, NULL, &kernel) == 0 && kernel.handler == (uintptr_t)on_signal_sig &&
        kernel.mask & platform_signal_bit(signal) && atom_load_rlx(&dispositions[i].handler) > IGNORED)
      install_locked(i, NULL);
}

/* Without the lock: often in a child that was forked for nothing but exec. */
void
signal_action_show_ignored(bool are_shown) {
  for (int i = PLATFORM_REAL_TIME_MIN; i <= PLATFORM_SIGNAL_MAX; i++) {
    const struct disposition *disposition = &dispositions[i];
    if (!atom_int_load_rlx(&disposition->is_taken) || atom_load_rlx(&disposition->handler) != IGNORED)
      continue;
    if (are_shown)
      platform_signal_action(i, &(struct platform_action){.handler = IGNORED}, NULL);
    else
      install_locked(i, NULL);
  }
}

/* ---- start, fork ---- */

void
signal_action_init(void) {
  action_process_id = platform_process_id();
}

void
signal_action_adopt_fork(void) {
  action_process_id = platform_process_id();
  lock_reset(&action_lock);
}
