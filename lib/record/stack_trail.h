/* SPDX-License-Identifier: MIT */
/*
 * A thread's trail: the frames of its last recorded stack, with where in the stack each return address lies.  The next
 * stack mostly has the same outer frames.  The words at the same places being the same, the frames are, and need not be
 * unwound, hashed and stored again: only the words are compared.
 *
 * Invariants
 *   [trail.frame]  what a frame's caller is follows from where its return address lies, from that, from rbp, and from the
 *                  words that the rule of its return site reads: with all of these the same the caller's frame is, too
 *   [trail.owner]  the owner of a frame is a stack of the depot that has it and all outer ones as its outermost
 */
#ifndef CGC_RECORD_STACK_TRAIL_H
#define CGC_RECORD_STACK_TRAIL_H

#include "record/return_site.h"
#include "record/stack_depot.h"

#include <stddef.h>

struct trail_frame {
  uintptr_t bp;            /* rbp in the function returned to, if it needs that */
  site_word site;
  uint64_t  hash;          /* of this one and all outer ones */
  uint32_t  owner;
  bool      needs_bp;      /* some frame further outside is found by it */
};

/* What a walk has found of a frame. */
struct fresh_frame {
  uintptr_t return_at, return_addr, bp;
  site_word site;
};

/* Owned by one thread.  Of frames the outermost come first, but for those of a walk. */
struct stack_trail {
  unsigned count;
  unsigned generation;     /* of the return sites */
  uint32_t number;         /* the last stack's; 0: none */
  uint8_t  function;
  bool     is_cut;         /* the outermost frame has a caller that is not known */
  unsigned needs_bp_count; /* frames that need it are among so many */
  uintptr_t return_at[STACK_FRAMES_MAX];     /* where the return address lies */
  uintptr_t return_addr[STACK_FRAMES_MAX];
  struct trail_frame frames[STACK_FRAMES_MAX];
  struct fresh_frame fresh[STACK_FRAMES_MAX];    /* the innermost first; in a walk only */
};

/* The frame where a walk begins: a function that was just called, or is entered. */
struct stack_start {
  uintptr_t return_at;     /* where its return address lies */
  uintptr_t bp;            /* the caller's rbp */
  uintptr_t low_addr, end_addr;   /* the stack's; end_addr 0: not known */
};

/* The number of the stack there, stored if it is new; 0 if there was no memory.  Of more than depth frames the innermost. */
uint32_t stack_trail_record(struct stack_trail *trail, const struct stack_start *start, unsigned function,
                            unsigned depth);

/* The stack pointer in what has called the function whose code lies at [code_addr, code_addr + code_bytes); 0 if no frame
 * of that is found. */
uintptr_t stack_find_caller(const struct stack_start *start, uintptr_t code_addr, size_t code_bytes);

#endif
