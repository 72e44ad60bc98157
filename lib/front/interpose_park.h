/* SPDX-License-Identifier: MIT */
/* libc's functions with the thread parked, for wrappers that do more than that. */
#ifndef CGC_FRONT_INTERPOSE_PARK_H
#define CGC_FRONT_INTERPOSE_PARK_H

#include <signal.h>
#include <time.h>

int interpose_parked_sigwait(const sigset_t *set, int *signal);
int interpose_parked_sigwaitinfo(const sigset_t *set, siginfo_t *info);
int interpose_parked_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);

#endif
