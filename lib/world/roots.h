/* SPDX-License-Identifier: MIT */
/*
 * The roots: where pointers that keep blocks may lie outside of the heap.
 *
 *   registers   of every stopped thread, as the kernel saved them, vector state included
 *   stacks      from the stack pointer (less the red zone) up
 *   data        all other pages that hold private data, less the dead part of stacks; or, by the policy, what of them
 *               is static data or thread-local (world/named_roots.h)
 *   shared      small mappings that the program shares with its children (world/shared_memory.h)
 *   registered  ranges that the program named
 *   held        words that only the kernel has (world/kernel_held.h), and alternate signal stacks
 *
 * The list is made with the world stopped and cut into pieces for markers to share.
 */
#ifndef CGC_WORLD_ROOTS_H
#define CGC_WORLD_ROOTS_H

#include "world/thread.h"

#include <sys/types.h>

enum root_kind {
  ROOT_STACK,   /* a word may also point just past the end of its block */
  ROOT_DATA,
};

struct root {
  uintptr_t start_addr;
  uintptr_t end_addr;
  enum root_kind kind;
};

struct root_list {
  const struct root *roots;
  size_t count;
  size_t data_index;   /* from there on they are pages of data, in ascending order */
  size_t bytes;
};

/* Lists the roots; the caller's stack counts from stack_pointer, or not at all (0).  0, or an errno code if they
 * cannot be told: then nothing may be reclaimed.  Valid until the next call. */
int roots_list_stw(uintptr_t stack_pointer, struct root_list *result);

/* Whether what was listed may be unmapped even with the world stopped: by a thread that could not be, as it sleeps with
 * all signals blocked, which libc's end of a thread does. */
extern bool roots_may_vanish;

/* Copies memory of a root, which may be unmapped or out of bounds of its file by now.  Returns the bytes
 * copied from the start, 0 if nothing is there, or a negative errno code if it cannot be read. */
ssize_t roots_read(void *to, uintptr_t from, size_t bytes);

/* Registers [start, end) as roots, or takes back what lies in it.  0 or ENOMEM, EINVAL. */
int roots_add(uintptr_t start_addr, uintptr_t end_addr);
int roots_remove(uintptr_t start_addr, uintptr_t end_addr);

/* In a forked child. */
void roots_adopt_fork(void);

#endif
