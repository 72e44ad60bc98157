/* SPDX-License-Identifier: MIT */
/* The pages of blocks that may hold pointers, written during a cycle.  Of the collector's thread. */
#ifndef CGC_GC_DIRTY_HEAP_H
#define CGC_GC_DIRTY_HEAP_H

#include "gc/crew.h"
#include "world/dirty.h"

struct dirty_pages {
  struct {
    const struct dirty_range *ranges;
    size_t count;
  } parts[CREW_MAX];
  unsigned part_count;
  size_t   page_count;   /* of ARCH_PAGE_BYTES */
};

/* Begins to watch the heap.  0 or an errno code; then there is nothing to end. */
int  dirty_heap_begin(void);
void dirty_heap_end(void);

/* Several threads look at a large heap at once: for when the program waits for it. */
enum dirty_haste { DIRTY_ALONE, DIRTY_BY_CREW };

/* The pages written since the last call.  Those of memory that is new to the heap count as written.  0, or why they
 * cannot be told: then any may have been written.  Valid until the next call. */
int dirty_heap_collect(enum dirty_haste haste, struct dirty_pages *result);

#endif
