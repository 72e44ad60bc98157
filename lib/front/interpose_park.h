/* SPDX-License-Identifier: MIT */
/* libc's functions with the thread parked, for wrappers that do more than that. */
#ifndef CGC_FRONT_INTERPOSE_PARK_H
#define CGC_FRONT_INTERPOSE_PARK_H

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <time.h>

int interpose_parked_pthread_join(pthread_t thread, void **value);
int interpose_parked_pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *end);
int interpose_parked_pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock, const struct timespec *end);

int interpose_parked_sigwait(const sigset_t *set, int *signal);
int interpose_parked_sigwaitinfo(const sigset_t *set, siginfo_t *info);
int interpose_parked_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);

int interpose_parked_posix_spawn(pid_t *id, const char *path, const posix_spawn_file_actions_t *actions,
                                 const posix_spawnattr_t *attributes, char *const arguments[],
                                 char *const environment[]);
int interpose_parked_posix_spawnp(pid_t *id, const char *file, const posix_spawn_file_actions_t *actions,
                                  const posix_spawnattr_t *attributes, char *const arguments[],
                                  char *const environment[]);
int interpose_parked_system(const char *command);

/* libc's syscall, without and with parking. */
typedef long syscall_function(long number, long a, long b, long c, long d, long e, long f);
syscall_function interpose_next_syscall, interpose_parked_syscall;

/* libaio's functions, as integers. */
typedef int interpose_io_submit_function(long context, long count, long list);
typedef int interpose_io_getevents_function(long context, long min, long max, long events, long timeout);
typedef int interpose_io_pgetevents_function(long context, long min, long max, long events, long timeout,
                                             long signals);
typedef int interpose_io_cancel_function(long context, long request, long event);
typedef int interpose_io_destroy_function(long context);
interpose_io_submit_function interpose_parked_io_submit;
interpose_io_getevents_function interpose_parked_io_getevents;
interpose_io_pgetevents_function interpose_parked_io_pgetevents;
interpose_io_cancel_function interpose_parked_io_cancel;
interpose_io_destroy_function interpose_parked_io_destroy;

#endif
