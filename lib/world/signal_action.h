/* SPDX-License-Identifier: MIT */
/*
 * What signals do: the program's dispositions, and our one handler, which stands in the kernel for all
 * handlers of the program.
 *
 * Ours takes out the signals that stop threads (world/stop.h), puts off what interrupts a slow path, and
 * calls the program's handler for the rest, with the kernel's own siginfo and context.  Flags and mask are
 * the program's, so that the kernel does what they say.  A signal is put off by queueing it once more and
 * blocking all signals until the slow path is left: then the kernel delivers it.
 *
 * A signal without a handler is the kernel's business, unless it was taken to stop threads.  A taken one
 * keeps our handler for ever, since one of ours may be pending somewhere: we do what the program wants.
 */
#ifndef CGC_WORLD_SIGNAL_ACTION_H
#define CGC_WORLD_SIGNAL_ACTION_H

#include "base/platform.h"

/* sigaction(2) as the program means it; `before` is not NULL.  0 or an errno code.  After the start. */
int signal_action_change(int signal, const struct platform_action *action, struct platform_action *before);

/* Whether this is another process on the same memory. */
bool signal_action_is_vfork_child(void);

/* Before exec: what the program ignores must be ignored in the new program.  Undone if exec fails. */
void signal_action_show_ignored(bool are_shown);

/* Held with all signals blocked: the lock of dispositions and of the choice of the stop signal. */
uint64_t signal_lock(void);
void     signal_unlock(uint64_t mask);

enum signal_use {
  SIGNAL_BY_DEFAULT,
  SIGNAL_IGNORED,
  SIGNAL_HANDLED,       /* by the program, through our handler */
  SIGNAL_HANDLED_RAW,   /* by a handler that did not come through sigaction */
};

enum signal_use signal_action_use_locked(int signal);

/* Makes our handler stand for the signal whatever the program wants of it.  0 or an errno code. */
int signal_action_take_locked(int signal);

bool signal_action_is_taken(int signal);

/* From now on those that the program has no handler for do not use alternate stacks, which may be no such thing: an
 * array in a function that has returned, where others' frames are by now.  Small stacks of coroutines are not provided
 * for then. */
void signal_action_stay_on_stack(void);

/* Whether it was taken and our handler is still there: a raw system call may have replaced it. */
bool signal_action_is_in_place_locked(int signal);

/* Lets no handler of the program block the signal. */
void signal_action_unblock_locked(int signal);

/* The mask to which a handler returns. */
uint64_t signal_context_mask(const void *context);
void     signal_context_set_mask(void *context, uint64_t mask);

void signal_action_init(void);
void signal_action_adopt_fork(void);

#endif
