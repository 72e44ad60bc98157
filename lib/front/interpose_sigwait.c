/* SPDX-License-Identifier: MIT */
/* Waiting for signals: never for the one that stops threads. */
#include "front/interpose_park.h"
#include "front/interpose_signal.h"

#include <signal.h>

CGC_EXPORT int
sigwait(const sigset_t *set, int *signal) {
  sigset_t copy;
  interpose_signal_start();
  return interpose_parked_sigwait(signal_awaited_without_ours(set, &copy), signal);
}

CGC_EXPORT int
sigwaitinfo(const sigset_t *set, siginfo_t *info) {
  sigset_t copy;
  interpose_signal_start();
  return interpose_parked_sigwaitinfo(signal_awaited_without_ours(set, &copy), info);
}

CGC_EXPORT int
sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) {
  sigset_t copy;
  interpose_signal_start();
  return interpose_parked_sigtimedwait(signal_awaited_without_ours(set, &copy), info, timeout);
}
