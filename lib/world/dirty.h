/* SPDX-License-Identifier: MIT */
/*
 * Which pages of the heap the program has written to: the write barrier of a collector that cannot change the program.
 *
 * The pages are watched by userfaultfd in asynchronous write-protect mode: the kernel lifts the protection of a page at
 * the first write to it, its own writes included, and PAGEMAP_SCAN lists such pages and protects them again, page by
 * page in one step (Linux 6.7).  What is not watched, or not any more, since the program has closed our descriptors, say,
 * counts as written; a child process watches nothing.
 *
 * Owned by whoever holds the cycle lock.
 */
#ifndef CGC_WORLD_DIRTY_H
#define CGC_WORLD_DIRTY_H

#include "base/array.h"
#include "base/compiler.h"

#include <stdbool.h>

struct dirty_range {
  uintptr_t start_addr;
  uintptr_t end_addr;
};

/* Whether pages can be watched.  Opens what is needed for that at the first call, and again if it is lost. */
bool dirty_is_available(void);

/* Adds to an array (struct dirty_range) the pages of [start_addr, end_addr) written since the last call for them, which
 * are watched anew; all of them at the first call.  0, or an errno code: then nothing is known of them, and the
 * descriptors have to be opened again. */
int dirty_collect(uintptr_t start_addr, uintptr_t end_addr, struct array *ranges);

/* In a forked child. */
void dirty_adopt_fork(void);

#endif
