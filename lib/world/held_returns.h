/* SPDX-License-Identifier: MIT */
/*
 * What threads have returned, until others have joined them.  libc keeps it in the thread's descriptor, from which
 * pthread_join takes it before it gives the descriptor's memory back: in a parked region, and so perhaps when a
 * collector has looked at the one place and not yet at the other.  Not async-signal-safe.
 */
#ifndef CGC_WORLD_HELD_RETURNS_H
#define CGC_WORLD_HELD_RETURNS_H

#include "base/array.h"
#include "base/compiler.h"

/* The thread ends with that value.  What an earlier one of this name has returned is in other hands by now.  Without
 * memory it stays where libc has it. */
void held_returns_add(uintptr_t thread, uintptr_t value);

/* It is in the hands of who has joined the thread. */
void held_returns_remove(uintptr_t thread, uintptr_t value);

/* Adds all values to an array.  0 or an errno code. */
int held_returns_list_stw(struct array *words);

/* In a forked child, where nobody can join them. */
void held_returns_adopt_fork(void);

#endif
