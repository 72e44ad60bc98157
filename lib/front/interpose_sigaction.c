/* SPDX-License-Identifier: MIT */
/*
 * sigaction, and libc's functions that go around it.  Results are those of glibc 2.36.
 * libc's own uses (system, abort, posix_spawn) ask the kernel and find our handler in place of the program's;
 * they put back what they found.
 */
#include "front/interpose_signal.h"
#include "world/signal_action.h"

#include <errno.h>
#include <signal.h>

#define ALIAS(of) __attribute__((visibility("default"), alias(#of))) CGC_COPY_ATTRIBUTES(of)

static bool
is_valid(int signal) {
  return signal > 0 && signal <= PLATFORM_SIGNAL_MAX && signal != 32 && signal != 33;   /* two are libc's */
}

static int
change(int signal, const struct platform_action *action, struct platform_action *before) {
  interpose_signal_start();
  int err = is_valid(signal) ? signal_action_change(signal, action, before) : EINVAL;
  if (err)
    errno = err;
  return err ? -1 : 0;
}

CGC_EXPORT int
sigaction(int signal, const struct sigaction *action, struct sigaction *before) {
  struct platform_action new, old;
  if (action)
    new = (struct platform_action){(uintptr_t)action->sa_handler, (uint64_t)action->sa_flags,
                                   interpose_signal_bits(&action->sa_mask)};
  int result = change(signal, action ? &new : NULL, &old);
  if (!result && before) {
    before->sa_handler = (sighandler_t)old.handler;
    before->sa_flags = (int)old.flags;
    interpose_signal_set_bits(&before->sa_mask, old.mask);
    before->sa_restorer = NULL;
  }
  return result;
}

CGC_EXPORT int __sigaction(int signal, const struct sigaction *action, struct sigaction *before) ALIAS(sigaction);

/* ---- signal and its relatives ---- */

static sighandler_t
set_handler(int signal, sighandler_t handler, uint64_t flags, uint64_t mask) {
  struct platform_action action = {(uintptr_t)handler, flags, mask}, before;
  if (handler == SIG_ERR) {
    errno = EINVAL;
    return SIG_ERR;
  }
  return change(signal, &action, &before) ? SIG_ERR : (sighandler_t)before.handler;
}

static atom_word interrupting;   /* signals for which siginterrupt was called */

CGC_EXPORT sighandler_t
signal(int number, sighandler_t handler) {
  uint64_t bit = is_valid(number) ? platform_signal_bit(number) : 0;
  return set_handler(number, handler, atom_load_rlx(&interrupting) & bit ? 0 : SA_RESTART, bit);
}

CGC_EXPORT sighandler_t ssignal(int number, sighandler_t handler) ALIAS(signal);
CGC_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler);
CGC_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler) ALIAS(signal);

CGC_EXPORT sighandler_t
sysv_signal(int number, sighandler_t handler) {
  return set_handler(number, handler, SA_NODEFER | (uint64_t)SA_RESETHAND, 0);
}

CGC_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) ALIAS(sysv_signal);

CGC_EXPORT int
siginterrupt(int number, int interrupts) {
  struct platform_action action;
  if (change(number, NULL, &action))
    return -1;
  uint64_t bit = platform_signal_bit(number), others = atom_load_rlx(&interrupting) & ~bit;
  atom_store_rlx(&interrupting, interrupts ? others | bit : others);
  action.flags &= ~(uint64_t)SA_RESTART;
  action.flags |= interrupts ? 0 : SA_RESTART;
  return change(number, &action, &action);
}

CGC_EXPORT int
sigignore(int number) {
  return set_handler(number, SIG_IGN, 0, 0) == SIG_ERR ? -1 : 0;
}

static sighandler_t
hold(int number) {
  struct platform_action action;
  uint64_t bit = platform_signal_bit(number), before;
  stop_signal_change_mask(SIG_BLOCK, &bit, &before);
  if (before & bit)
    return SIG_HOLD;
  return change(number, NULL, &action) ? SIG_ERR : (sighandler_t)action.handler;
}

CGC_EXPORT sighandler_t
sigset(int number, sighandler_t handler) {
  if (!is_valid(number) || handler == SIG_ERR) {
    errno = EINVAL;
    return SIG_ERR;
  }
  interpose_signal_start();
  if (handler == SIG_HOLD)
    return hold(number);
  uint64_t bit = platform_signal_bit(number), mask;
  sighandler_t before = set_handler(number, handler, 0, 0);
  if (before == SIG_ERR)
    return SIG_ERR;
  stop_signal_change_mask(SIG_UNBLOCK, &bit, &mask);
  return mask & bit ? SIG_HOLD : before;
}
