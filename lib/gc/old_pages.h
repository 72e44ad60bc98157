/* SPDX-License-Identifier: MIT */
/*
 * Old blocks, which a cycle has found alive and whose marks are kept from then on, and the pages they lie on.
 *
 * These are watched from one cycle to the next.  Where they have not been written to, all that old blocks point to is
 * marked already: a partial cycle marks from the roots and the written pages alone.  Pages of spans of which little is
 * old are not watched, for the program is about to allocate from them, and count as written all the time.
 *
 * All of it in stops, on the thread that has stopped the world.  Whatever fails, the next cycle is a whole one.
 *
 * Invariant, between cycles while marks are kept
 *   [old.clean]  what a word of an old block on a watched page that has not been written to points to is marked, unless
 *                it has been allocated since
 */
#ifndef CGC_GC_OLD_PAGES_H
#define CGC_GC_OLD_PAGES_H

#include "gc/dirty_heap.h"

/* Tells the pages with old blocks that may have been written to since the last call, and watches them from now on: what
 * is written after this call is told by the next.  Watches what is new to the heap too.  0, or an errno code: then
 * any may have been written, and nothing is watched.  Valid until the next call. */
int old_pages_collect_stw(struct dirty_pages *result);

/* Whether marks are kept; who has kept them in the sweep says so. */
bool old_pages_has_marks(void);
void old_pages_note_kept(void);

/* No block is old any more. */
void old_pages_clear_marks(void);

/* The same, and nothing is watched.  Tens of ms; beside the program, with the cycle lock. */
void old_pages_forget(void);

/* In a forked child, where all marks have been cleared. */
void old_pages_adopt_fork(void);

#endif
