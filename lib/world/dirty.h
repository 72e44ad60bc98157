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
 * The collector's thread watches, with descriptors of its own, of which the program knows nothing.  A watch from one
 * cycle to the next has neither: a request for asynchronous I/O on its descriptor, which waits for ever, keeps it when
 * that has been closed.
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

/* ---- from one cycle to the next: by the kernel alone, in a stop, on the thread that has stopped the world ---- */

/* As dirty_begin, to watch more and to keep that; or only to look at what is kept.  An error is none for good. */
int dirty_begin_kept_stw(bool watches_more);

/* What has been watched since dirty_begin_kept_stw stays so after dirty_end.  0 or an errno code: then it does not. */
int dirty_keep_stw(void);

/* Whether one more watch can be kept, as far as is known: there are few. */
bool dirty_may_keep(void);

/* Nothing is kept any more, and somebody else can watch it.  Takes tens of ms, if anything was kept.  With the cycle
 * lock. */
void dirty_let_go(void);

/* In a forked child, where nothing is. */
void dirty_adopt_fork(void);

/* ---- either ---- */

/* Watches a range from now on; all of it counts as written until it has been collected.  0 or an errno code. */
int  dirty_watch(uintptr_t start_addr, uintptr_t end_addr);
void dirty_unwatch(uintptr_t start_addr, uintptr_t end_addr);

/* Adds to an array (struct dirty_range) the pages of a watched range written since the last call for them, up to
 * pages_max of them: takes those from *pages_max, and when none are left some may be for the next call.  0, or an
 * errno code: then nothing is known of them. */
int dirty_collect(uintptr_t start_addr, uintptr_t end_addr, size_t *pages_max, struct array *ranges);

/* Adds the pages of a watched range written since they were collected last, which they are not; likewise. */
int dirty_list(uintptr_t start_addr, uintptr_t end_addr, struct array *ranges);

#endif
