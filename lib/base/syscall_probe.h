/* SPDX-License-Identifier: MIT */
/*
 * Filters of system calls that were in force before the program started, such as those of containers and of services:
 * nobody can read them, and some kill.  So each call that programs do not make as a rule is made once by a child
 * process, with arguments that make it fail.  What has killed the child is forbidden from then on
 * (base/syscall_filter.h).
 *
 * The children send no signal when they end, and wait(2) does not see them.
 */
#ifndef CGC_BASE_SYSCALL_PROBE_H
#define CGC_BASE_SYSCALL_PROBE_H

/* Before the first cycle; once, whoever calls it again.  Costs some 0.2 ms for each of a few calls if there is a
 * filter, else nothing. */
void syscall_probe(void);

#endif
