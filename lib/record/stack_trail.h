/* SPDX-License-Identifier: MIT */
/*
 * A thread's trail: the frames of its last recorded stack, with where in the stack each return address lies.  The next
 * stack mostly has the same outer frames.  The words at the same places being the same, the frames are, and need not be
 * unwound and written down again: only the words are compared.
 *
 * Invariant
 *   [trail.frame]  what a frame's caller is follows from where its return address lies, from that, from rbp, and from the
 *                  words that the rule of its return site reads: with all of these the same the caller's frame is, too
 */
#ifndef CGC_RECORD_STACK_TRAIL_H
#define CGC_RECORD_STACK_TRAIL_H

#include "record/return_site.h"
#include "record/stack_depot.h"

#include <stddef.h>

enum { TRAIL_PADDING = 3 };   /* frames behind the last, which are looked at and do not count */

struct trail_frame {
  uintptr_t return_at;     /* where the return address lies */
  uintptr_t return_addr;
  uintptr_t bp;            /* rbp in the function returned to, if it needs that */
  site_word site;
};

/* Owned by one thread. */
struct stack_trail {
  unsigned count;
  unsigned generation;     /* of the return sites */
  bool     is_of_use;      /* for the next walk: only a stack with known bounds can be compared word by word */
  bool     is_cut;         /* the outermost frame has a caller that is not known */
  unsigned needs_bp_count; /* frames that need it are among so many */
  bool     needs_bp[STACK_FRAMES_MAX];           /* some frame further outside is found by rbp */
  struct trail_frame frames[STACK_FRAMES_MAX + TRAIL_PADDING];   /* the outermost first */
  struct trail_frame fresh[STACK_FRAMES_MAX];    /* the innermost first; in a walk only */
};

/* The frame where a walk begins: a function that was just called, or is entered. */
struct stack_start {
  uintptr_t return_at;     /* where its return address lies */
  uintptr_t bp;            /* the caller's rbp */
  uintptr_t low_addr;      /* the stack's */
  size_t    word_room;     /* words that begin so far above can be read; 0: not known */
  uintptr_t page;          /* elsewhere that could be read in this walk; 0: none */
};

/* Makes it the trail of the stack there; of more than depth frames the innermost.  Returns how many of the outermost are
 * those of the stack before, and writes the numbers of the others' sites, the innermost first: up to depth. */
unsigned stack_trail_follow(struct stack_trail *trail, struct stack_start *start, unsigned depth, uint32_t *sites);

void stack_trail_forget(struct stack_trail *trail);

/* The stack pointer in what has called the function whose code lies at [code_addr, code_addr + code_bytes); 0 if no frame
 * of that is found. */
uintptr_t stack_find_caller(struct stack_start *start, uintptr_t code_addr, size_t code_bytes);

#endif
