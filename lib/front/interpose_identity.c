/* SPDX-License-Identifier: MIT */
/*
 * Calls that change who the process is, or what it sees: libc makes the first ones for each of its threads, and the
 * kernel refuses the others to a process of several.  So they are made while there is no thread of ours.  Likewise the
 * one that lets a program watch memory, as the collector's thread does.
 */
#include "front/interpose_identity.h"

#include "front/interpose_park.h"
#include "front/next.h"
#include "gc/cycle.h"
#include "world/dirty.h"
#include "world/signal_action.h"

#include <stdint.h>
#include <sys/syscall.h>

/* Arguments are integers and pointers, three at most. */
typedef int identity_function(long a, long b, long c);

/* May be called in signal handlers.  A vfork child changes itself alone. */
static int
call_alone(identity_function *next, long a, long b, long c) {
  if (signal_action_is_vfork_child() || !next_is_prepared_sig())
    return next(a, b, c);
  uint64_t shown = cycle_hold_off();
  int result = next(a, b, c);
  cycle_let_go_on(shown);
  return result;
}

#define WRAP(function)                                                                               \
  CGC_EXPORT identity_function interpose_##function __asm__(#function);                             \
  int interpose_##function(long a, long b, long c) {                                                \
    static atom_word found;                                                                         \
    return call_alone((identity_function *)next_function(&found, #function), a, b, c);              \
  }

WRAP(setuid)
WRAP(setgid)
WRAP(seteuid)
WRAP(setegid)
WRAP(setreuid)
WRAP(setregid)
WRAP(setresuid)
WRAP(setresgid)
WRAP(setgroups)
WRAP(initgroups)
WRAP(unshare)
WRAP(setns)

static int
watch_memory(long flags, long b, long c) {
  int fd = (int)interpose_next_syscall(SYS_userfaultfd, flags, b, c, 0, 0, 0);
  if (fd >= 0)
    dirty_leave_to_program();
  return fd;
}

/* libc has no function for it. */
long
interpose_userfaultfd(long flags) {
  return call_alone(watch_memory, flags, 0, 0);
}
