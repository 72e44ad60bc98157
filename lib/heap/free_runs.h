/* SPDX-License-Identifier: MIT */
/*
 * Free runs of pages, those of arenas for scanned and for pointer-free blocks apart, coalesced with their
 * neighbours; runs of the two never touch (page_heap.c, pages_unused_at).  Runs below 128 pages stand in a list
 * each, longer ones in a tree: best fit, and in the tree the lowest address first.  Which pages hold memory is known
 * per page, so that runs in any state coalesce. Lock: the page heap's.
 */
#ifndef CGC_HEAP_FREE_RUNS_H
#define CGC_HEAP_FREE_RUNS_H

#include "heap/heap_map.h"

/* Makes an unused structure the free run of these pages, `touched` of which hold memory, coalesced with its
 * neighbours. */
void free_runs_add_locked(struct cgc_span *span, unsigned kind, uintptr_t addr, size_t pages, uint32_t touched);

/* The same for pages that have no free neighbours. */
void free_runs_put_locked(struct cgc_span *span, unsigned kind, uintptr_t addr, size_t pages, uint32_t touched);

/* Takes a run out.  Its structure is unused then. */
void free_runs_remove_locked(struct cgc_span *span);

/* The smallest run of at least that many pages, or NULL. */
struct cgc_span *free_runs_best_fit_locked(unsigned kind, size_t pages);

/* The free run that begins or ends with the page at addr, or NULL. */
struct cgc_span *free_runs_at_locked(uintptr_t addr);

/* Visits the runs from the largest on, of each kind, until visit returns false. */
void free_runs_visit_locked(bool (*visit)(struct cgc_span *span, void *arg), void *arg);

/* How many free pages hold memory; and less of them, as that many of a run's were discarded. */
size_t free_runs_touched_pages(void);
void   free_runs_note_discarded_locked(struct cgc_span *span, uint32_t pages);

/* Forgets all runs, whose structures are for the caller to deal with. */
void free_runs_forget_locked(void);

/* Checks one run and returns its pages that hold memory. */
size_t free_runs_check(const struct cgc_span *span);

#endif
