/* SPDX-License-Identifier: MIT */
/*
 * The thread that collects beside the program.  It exists for the length of one cycle and is unknown to libc, as the
 * crew is, whose work it shares out.  It has a thread block of its own, in which the library's thread-local variable
 * says that this thread is not registered; those of others are all 0.
 */
#ifndef CGC_GC_COLLECTOR_H
#define CGC_GC_COLLECTOR_H

#include <stdbool.h>

/* Runs work(arg) on it.  The caller holds the cycle lock, which work releases at its very end.  False if the thread
 * cannot be made. */
bool collector_start(void (*work)(void *arg), void *arg);

/* With the cycle lock, so that no other is started: waits until there is none. */
void collector_await_end(void);

/* In a forked child. */
void collector_adopt_fork(void);

#endif
