/* SPDX-License-Identifier: MIT */
/*
 * Words of the program's that are in other hands, where no scan sees them, noted by who passes them on.  They are roots
 * until they come back.
 *
 *   requests      the kernel works on for io_submit(2): the address of each and the program's word in it, until
 *                 io_getevents or io_cancel returns the two, or their context is destroyed.
 *   return values of threads, until others have joined them.  libc keeps them in the thread's descriptor, from which
 *                 pthread_join takes them before it gives the descriptor's memory back: in a parked region, and so
 *                 perhaps when a collector has looked at the one place and not yet at the other.
 *
 * Not async-signal-safe, and not between runtime_enter and _leave.
 */
#ifndef CGC_WORLD_HELD_WORDS_H
#define CGC_WORLD_HELD_WORDS_H

#include "base/array.h"
#include "base/compiler.h"

#include <stdbool.h>

struct held_words {
  uintptr_t holder;     /* an io_context_t, or a pthread_t: the address of something that exists */
  uintptr_t words[2];
};

/* False if there is no memory. */
bool held_words_add(const struct held_words *held);

/* In place of all others of that holder.  Without memory there are none. */
void held_words_replace(const struct held_words *held);

/* Takes one like this out, if there is one; or all of a holder. */
void held_words_remove(const struct held_words *held);
void held_words_remove_all(uintptr_t holder);

/* Adds all words to an array.  0 or an errno code. */
int held_words_list_stw(struct array *words);

/* In a forked child, where nobody gives them back. */
void held_words_adopt_fork(void);

#endif
