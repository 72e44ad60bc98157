/* SPDX-License-Identifier: MIT */
/*
 * The filters of system calls that the program has put on itself (seccomp(2)).  A call that they answer with death
 * or a signal is not made: it fails, as if they had answered with an error.  They are run here on the very
 * arguments, so that what they allow is still used.  What filters do that were there before the program started is
 * found out by child processes (base/syscall_probe.h).
 *
 * A filter counts for the whole process, though the kernel may know it for one thread only.
 */
#ifndef CGC_BASE_SYSCALL_FILTER_H
#define CGC_BASE_SYSCALL_FILTER_H

#include "base/atom.h"

#include <linux/filter.h>
#include <stdbool.h>

/* Filters noted so far. */
extern atom_int syscall_filter_count;

CGC_INLINE bool
syscall_filter_is_known(void) {
  return CGC_UNLIKELY(atom_int_load_acq(&syscall_filter_count) != 0);
}

/* Notes a filter, before it is put in force: its number, SYSCALL_FILTER_NONE if the program cannot be read, or
 * SYSCALL_FILTER_FULL if there is no room; then nothing is permitted any more. */
enum { SYSCALL_FILTER_NONE = -1, SYSCALL_FILTER_FULL = -2 };
int syscall_filter_add(uintptr_t program_addr);

/* It was not put in force. */
void syscall_filter_forget(int number);

/* From now on nothing is permitted: strict mode. */
void syscall_filter_forbid_all(void);

/* Nor that one, whatever its arguments are. */
void syscall_filter_forbid(long number);

bool syscall_filter_permits_slow(long number, const uint64_t arguments[6]);

/* Whether a system call may be made.  Async-signal-safe. */
CGC_INLINE bool
syscall_filter_permits(long number, long a, long b, long c, long d, long e, long f) {
  if (!syscall_filter_is_known())
    return true;
  uint64_t arguments[] = {(uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d, (uint64_t)e, (uint64_t)f};
  return syscall_filter_permits_slow(number, arguments);
}

#endif
