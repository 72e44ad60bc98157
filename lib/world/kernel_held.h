/* SPDX-License-Identifier: MIT */
/*
 * Pointers that the kernel holds for the program, which are roots like those in memory.
 *
 *   asked of the kernel in each cycle   epoll_event.data of every registration; sigev_value of every timer;
 *                                       words in the mapped rings of io_uring
 *   noted by the wrappers of lib/front  values of queued signals (world/held_signals.h); sigev_value of mq_notify;
 *                                       requests of io_submit (world/held_words.h); what threads
 *                                       returned (likewise), though it is libc that holds it
 *
 * What the kernel tells is exact, whoever registered it by whatever call, and needs no wrapper.  The rest it
 * does not tell.  Of alternate signal stacks it tells the calling thread's, in the frame of the signal that stops a
 * thread, and now; threads that stop otherwise have a note in their record (world/thread.h).
 */
#ifndef CGC_WORLD_KERNEL_HELD_H
#define CGC_WORLD_KERNEL_HELD_H

#include "base/compiler.h"

/* The words the kernel holds.  holder_tid is a thread that has the program's descriptors, 0 if the calling one has.
 * 0, or an errno code if they cannot be told: then nothing may be reclaimed. Valid until the next call. */
int kernel_held_list_stw(int holder_tid, const uintptr_t **words, size_t *count);

#endif
