/* SPDX-License-Identifier: MIT */
/*
 * Which signal stops threads, and signal masks as the program sees them.
 *
 * The signal ("ours") is a real-time one that the program has no handler for.  The program cannot block
 * it: it is taken out of every mask.  A mask that is read back shows it as blocked exactly if its two
 * neighbours are; so masks need not be remembered, and stay right when siglongjmp, fork or a new thread
 * carry them along.  A program that treats ours unlike its neighbours, waits for it, or sets a handler
 * means that very signal: then another becomes ours.  Threads go over one by one; each record says which
 * signal stops its thread.
 */
#ifndef CGC_WORLD_STOP_SIGNAL_H
#define CGC_WORLD_STOP_SIGNAL_H

#include "base/platform.h"
#include "world/thread.h"

/* The one that threads go over to; 0 before the start. */
int stop_signal_now(void);

/* sigprocmask(2) as the program means it; `before` is not NULL.  0 or an errno code. */
int stop_signal_change_mask(int how, const uint64_t *set, uint64_t *before);

/* The kernel's mask as the program sees it. */
uint64_t stop_signal_shown(uint64_t mask);

/* Before exec: makes the kernel's mask what the program sees; returns the one to be restored if exec fails. */
uint64_t stop_signal_show_mask(void);

/* The set without ours, which is what the kernel must get of a mask: `set` itself, or *copy. */
const sigset_t *signal_without_ours(const sigset_t *set, sigset_t *copy);

/* The same for a set of signals that the program waits for. */
const sigset_t *signal_awaited_without_ours(const sigset_t *set, sigset_t *copy);

/* Blocks all signals but faults, the one that setuid(2) waits for, and ours; returns the mask before, as the program
 * sees it. */
uint64_t stop_signal_block_others(void);
void     stop_signal_unblock_others(uint64_t shown);

void stop_signal_follow_slow(struct cgc_thread *thread);

/* Lets the calling thread go over to the signal that is ours now. */
CGC_INLINE void
stop_signal_follow(void) {
  struct cgc_thread *thread = thread_self();
  if (thread && CGC_UNLIKELY((int)atom_int_load_rlx(&thread->stop_signal) != stop_signal_now()))
    stop_signal_follow_slow(thread);
}

/* ---- for world/ ---- */

/* Before a stop, and before one thread gets a signal: makes sure that our handler is in place.  0 or an errno
 * code. */
int stop_signal_ensure(void);
int stop_signal_ensure_for(const struct cgc_thread *thread);

/* The calling thread is new, or its record is: unblocks ours for it. */
void stop_signal_start_thread(struct cgc_thread *thread);

/* In our handler: lets the thread go over to the signal that is ours now. */
void stop_signal_follow_sig(struct cgc_thread *thread, void *context);

/* In our handler, before the program's is called: lets the thread go over, and unblocks its signal, which the
 * handler's mask may contain. */
void stop_signal_enter_sig(void *context);

/* While stopping: a thread that blocks these signals may have got back a mask that was saved before it went
 * over.  Then its signal is the one before. */
void stop_signal_repair(struct cgc_thread *thread, uint64_t blocked);

/* In our handler, for a signal that is the program's: if the program blocks it, blocks it and queues it
 * again. */
bool stop_signal_hold_sig(int signal, const siginfo_t *info, void *context);

/* The program is about to set a handler, in a thread with that mask: chooses another signal if this one is
 * ours. */
void stop_signal_leave_locked(int signal, uint64_t shown);

#endif
