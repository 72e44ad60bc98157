/* SPDX-License-Identifier: MIT */
/*
 * A stop of the world that is ahead: threads that take memory let it come first.
 *
 * Who is about to stop the world may lose its processor before that, and again behind it when all others wake up, before
 * it has set the next goal: if they went on meanwhile they would take several times the goal.  And what they write just
 * before the last stop of a mark beside the program has to be marked in it.
 */
#ifndef CGC_GC_STOP_AHEAD_H
#define CGC_GC_STOP_AHEAD_H

#include <stdbool.h>

/* By the thread that will stop the world, with the cycle lock; it may allocate meanwhile itself, in the program's code.
 * Whoever waits goes on after the second. */
void stop_ahead_begin(void);
void stop_ahead_end(void);

/* Whether another thread's is ahead; and waits until it is over, some milliseconds at most.  Not inside a slow path. */
bool stop_ahead_is_seen(void);
void stop_ahead_await(void);

void stop_ahead_adopt_fork(void);

#endif
