/* SPDX-License-Identifier: MIT */
/*
 * Which pages of the heap the program writes to during a cycle: the write barrier of a collector that cannot change the
 * program.
 *
 * The pages are watched by userfaultfd in asynchronous write-protect mode: the kernel lifts the protection of a page at
 * the first write to it, its own writes included, and PAGEMAP_SCAN lists such pages and protects them again, page by
 * page in one step (Linux 6.7).  What is not watched, or not any more, counts as written; a child process watches
 * nothing.
 *
 * The collector's thread watches, with descriptors of its own, of which the program knows nothing.
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

/* Whether pages can be watched, as far as is known. */
bool dirty_is_available(void);

/* The program is going to watch memory itself: a page has one watcher, so there are no cycles with ours from now on.
 * While there is none. */
void dirty_leave_to_program(void);

/* Gives the thread that is going to look at pages a table of descriptors of its own.  0, or an errno code as that of
 * dirty_begin.  platform_forget_descriptors says why the world is stopped. */
int dirty_take_descriptors_stw(void);

/* Around a cycle, on that thread.  0, or an errno code if the system does not offer it: then nothing
 * is there to end, and it is not available any more. */
int  dirty_begin(void);
void dirty_end(void);

/* Watches a range from now on; all of it counts as written until it has been collected.  0 or an errno code. */
int  dirty_watch(uintptr_t start_addr, uintptr_t end_addr);
void dirty_unwatch(uintptr_t start_addr, uintptr_t end_addr);

/* Adds to an array (struct dirty_range) the pages of a watched range written since the last call for them, up to
 * pages_max of them: takes those from *pages_max, and when none are left some may be for the next call.  0, or an
 * errno code: then nothing is known of them. */
int dirty_collect(uintptr_t start_addr, uintptr_t end_addr, size_t *pages_max, struct array *ranges);

#endif
