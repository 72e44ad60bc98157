/* SPDX-License-Identifier: MIT */
/*
 * Values of signals that wait in the kernel: those of sigqueue and pthread_sigqueue, and of mq_notify.
 *
 * The kernel tells which signals are pending and how many, but not their values.  They are noted when sent, in
 * a queue per signal and destination, and dropped when they cannot be pending any more:
 *
 *   the signal is pending nowhere in the process: all of its values;
 *   a real-time signal, which the kernel delivers in the order of sending: all but as many of the last
 *   ones as signals are queued at all;
 *   what is known of other signals, one of which may be pending while later ones are lost: nothing more.
 *
 * A value that could not be noted makes the list fail until that signal is pending nowhere.  So memory is bounded,
 * and no value is missed.
 */
#ifndef CGC_WORLD_HELD_SIGNALS_H
#define CGC_WORLD_HELD_SIGNALS_H

#include "base/array.h"
#include "base/compiler.h"

#include <stdbool.h>

/* Around the sending of a signal, with nothing between them but the system call, so that values are noted in the
 * order in which they are sent.  All signals are blocked meanwhile.  Any thread may be in a signal handler of the
 * program's, but not between runtime_enter and _leave. */
uint64_t held_signals_begin(void);
void held_signals_end(uint64_t mask, int signal, uintptr_t destination, uintptr_t value);   /* 0: none was sent */

/* A signal was sent with a value that could not be noted.  Async-signal-safe anywhere. */
void held_signals_lose(int signal);

/* Room for the value of a message queue; false if there is no memory.  Then: the queue's value. 0: none. */
bool held_signals_reserve(int message_queue);
void held_signals_set(int message_queue, uintptr_t value);

/* Adds all values to an array of words.  0, or an errno code if some are not known. */
int held_signals_list_stw(struct array *words);

/* In a forked child, for which no signal is pending. */
void held_signals_adopt_fork(void);

#endif
