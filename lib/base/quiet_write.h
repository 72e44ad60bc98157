/* SPDX-License-Identifier: MIT */
/*
 * Writing what the library tells, unnoticed by the program: that a pipe has no reader, or a file may not grow, is told
 * to whoever writes by a signal too, of which a program dies.
 */
#ifndef CGC_BASE_QUIET_WRITE_H
#define CGC_BASE_QUIET_WRITE_H

#include <stddef.h>

/* Writes all of it, to a file, a pipe or a socket: 0 or an errno code; then the rest is lost.  No SIGPIPE or SIGXFSZ
 * comes of it, and one that the program has blocked and that was pending before still is.  A handler of the program
 * that interrupts it runs with the two blocked.  Where a filter of system calls forbids to take the signal, that stays
 * blocked for good.  Async-signal-safe.
 *
 * Not inside a slow path, unless the process ends: a signal that is put off there saves the mask, to be restored. */
int quiet_write(int fd, const char *buffer, size_t bytes);

#endif
