/* SPDX-License-Identifier: MIT */
/*
 * The thread that collects beside the program.  It exists for the length of one cycle and is unknown to libc, as the
 * crew is, whose work it shares out.  It has a thread block of its own, in which the library's thread-local variable
 * says that this thread is not registered; those of others are all 0.
 */
#ifndef CGC_GC_COLLECTOR_H
#define CGC_GC_COLLECTOR_H

/* Makes it, with descriptors of its own; with the cycle lock, and the one before has ended.  0 or an errno code: then
 * there is none. */
int collector_start_stw(void);

/* It runs work(arg), which releases the cycle lock at its very end, and ends. */
void collector_run(void (*work)(void *arg), void *arg);

/* With the cycle lock, so that no other is started: waits until there is none. */
void collector_await_end(void);

/* In a forked child. */
void collector_adopt_fork(void);

#endif
