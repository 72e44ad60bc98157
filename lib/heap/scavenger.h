/* SPDX-License-Identifier: MIT */
/*
 * Gives memory of free runs back to the system: at once when there is more of it than option retain, an eighth of the
 * heap, and what the heap is expected to take again; and otherwise when it has been free for option retain-ms.  Memory
 * that is asked for again soon after raises what is retained.
 * Lock: the page heap's.
 */
#ifndef CGC_HEAP_SCAVENGER_H
#define CGC_HEAP_SCAVENGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Discards what was freed before that time, the largest runs first, until at most keep_pages are left.  Returns the
 * bytes given back. */
size_t scavenger_discard_locked(size_t keep_pages, uint64_t before_ns);

/* The heap is expected to take so many pages more, from now on until it is told anew. */
void scavenger_expect_locked(size_t pages);

/* Whether it is time to look for memory that has been free for long.  Any thread. */
bool scavenger_is_due(void);

/* If so, discards some of it. */
void scavenger_discard_old_locked(void);

/* After a free, with so many pages in use. */
void scavenger_after_free_locked(size_t used_pages);

/* Pages that hold no memory are about to be used, with which so many are in use. */
void scavenger_regret_locked(size_t untouched_pages, size_t used_pages);

#endif
