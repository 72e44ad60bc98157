/* SPDX-License-Identifier: MIT */
/*
 * Signal masks: the signal that stops threads is never blocked, and what is read back is what the program
 * set.  sigpending needs no wrapper, for what is not blocked is not pending; nor do thread attributes and
 * posix_spawn's, since a new thread or program unblocks the signal itself.
 */
#include "front/interpose_signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

/* libc keeps these two out of every mask as well. */
#define LIBC_SIGNALS (platform_signal_bit(32) | platform_signal_bit(33))

static int
change_mask(int how, const sigset_t *set, sigset_t *before) {
  uint64_t bits = set ? interpose_signal_bits(set) & ~LIBC_SIGNALS : 0, bits_before;
  interpose_signal_start();
  int err = stop_signal_change_mask(how, set ? &bits : NULL, &bits_before);
  if (!err && before)
    interpose_signal_set_bits(before, bits_before);
  return err;
}

CGC_EXPORT int
pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  return change_mask(how, set, before);
}

static int
or_errno(int err) {
  if (err)
    errno = err;
  return err ? -1 : 0;
}

CGC_EXPORT int
sigprocmask(int how, const sigset_t *set, sigset_t *before) {
  return or_errno(change_mask(how, set, before));
}

/* ---- of one signal ---- */

static int
change_one(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  return sigaddset(&set, signal) ? -1 : or_errno(change_mask(how, &set, NULL));
}

CGC_EXPORT int
sighold(int signal) {
  return change_one(SIG_BLOCK, signal);
}

CGC_EXPORT int
sigrelse(int signal) {
  return change_one(SIG_UNBLOCK, signal);
}

/* ---- sets that are read from ---- */

CGC_EXPORT int
signalfd(int fd, const sigset_t *set, int flags) {
  sigset_t copy;
  interpose_signal_start();
  int result = platform_signalfd(fd, interpose_signal_bits(signal_awaited_without_ours(set, &copy)), flags);
  if (result >= 0)
    return result;
  errno = -result;
  return -1;
}
