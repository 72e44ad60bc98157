/* SPDX-License-Identifier: MIT */
/* Waiting for signals: never for the one that stops threads.  libc's functions do it: they are cancellation
 * points. */
#include "front/interpose_signal.h"
#include "front/next.h"

#include <signal.h>

CGC_EXPORT int
sigwait(const sigset_t *set, int *signal) {
  static atom_word found;
  sigset_t copy;
  interpose_signal_start();
  int (*next)(const sigset_t *, int *) = (int (*)(const sigset_t *, int *))next_function(&found, "sigwait");
  return next(signal_awaited_without_ours(set, &copy), signal);
}

CGC_EXPORT int
sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) {
  static atom_word found;
  sigset_t copy;
  interpose_signal_start();
  int (*next)(const sigset_t *, siginfo_t *, const struct timespec *) =
    (int (*)(const sigset_t *, siginfo_t *, const struct timespec *))next_function(&found, "sigtimedwait");
  return next(signal_awaited_without_ours(set, &copy), info, timeout);
}

CGC_EXPORT int
sigwaitinfo(const sigset_t *set, siginfo_t *info) {
  return sigtimedwait(set, info, NULL);
}
