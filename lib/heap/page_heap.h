/* SPDX-License-Identifier: MIT */
/*
 * The page heap: runs of pages of 8 KiB, in arenas apart for scanned and pointer-free blocks.
 *
 * Free runs are always coalesced (heap/free_runs.h), the best fit is taken, and their memory goes back to the system
 * in time (heap/scavenger.h).
 *
 * A used span's state is written last when it is made and first when it is freed: a process image
 * taken at any moment, as fork does, tells from the span table alone which pages are used.
 */
#ifndef CGC_HEAP_PAGE_HEAP_H
#define CGC_HEAP_PAGE_HEAP_H

#include "heap/heap_map.h"

void page_heap_init(void);

/* A span of that many pages whose base is a multiple of align_pages (a power of two), or NULL if
 * there is no memory.  For span_class of a small size class the span is cut into slots, all free, in
 * state SPAN_FULL, in no list; else it is a large block.  is_touched tells whether its pages may hold
 * other than zeroes.  Takes LOCK_RANK_PAGE_HEAP. */
struct cgc_span *page_heap_alloc(unsigned span_class, size_t page_count, size_t align_pages);

/* Frees a used and swept span that is in no list, or one that is in limbo already, but not freed.  Takes
 * LOCK_RANK_PAGE_HEAP. */
void page_heap_free(struct cgc_span *span);

/* A round of a mark beside the program begins (heap/heap_map.h).  No span is being made at that moment. */
void page_heap_begin_round(bool is_first);

/* From now on structures and pages that are freed are kept as they are, in limbo, for markers that look at them. */
void page_heap_defer_reuse(void);
bool page_heap_has_limbo(void);

/* All markers have let go, since the last call, of what they had found: what was hidden then becomes free runs, and
 * what has been freed since is hidden: the page map does not lead to it, and a marker that has it listed finds no
 * slots. */
void page_heap_turn_limbo(void);

/* No marker looks at anything: what was freed so far becomes free runs.  is_deferred: what is freed from now on is kept
 * again. */
void page_heap_let_reuse(bool is_deferred);

/* Lengthens a large span in place.  False if the pages after it are not free. */
bool page_heap_extend(struct cgc_span *span, size_t page_count);

/* Gives the pages of a large span after the first page_count back. */
void page_heap_shrink(struct cgc_span *span, size_t page_count);

/* Gives free memory back to the system until at most keep_bytes of it remain.
 * Returns the bytes given back. */
size_t page_heap_scavenge(size_t keep_bytes);

/* Gives back some of the memory that has been free for long, now and then: to be called often.  Takes
 * LOCK_RANK_PAGE_HEAP. */
void page_heap_give_back_old(void);

/* The heap is expected to grow by so much, so that this much free memory is worth keeping for a while. */
void page_heap_expect_growth(size_t bytes);

/* Used spans together will not take more than that; then there is no memory.  SIZE_MAX: no limit, as at first. */
void page_heap_set_limit(size_t bytes);

size_t page_heap_used_bytes(void);      /* in used spans */
size_t page_heap_retained_bytes(void);  /* free, but held in memory */
size_t page_heap_mapped_bytes(void);

/* In a forked child: rebuilds all from the used spans in the span table. */
void page_heap_rebuild(void);

/* Checks lists, tree, page map and counters.  Nothing else may run. */
void page_heap_check(void);

#endif
