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
  size_t   page_count;    /* of ARCH_PAGE_BYTES */
  bool     is_complete;   /* else there may be more, which the next call tells */
};

/* Begins to watch the heap.  0 or an errno code; then there is nothing to end. */
int  dirty_heap_begin(uint64_t expected_bytes);
void dirty_heap_end(void);

/* Of the program's own mappings that are watched too (gc/dirty_roots), the pages that are to be scanned. */
void dirty_heap_arm_roots(struct dirty_pages *result);

/* The pages written since the last call.  Those of memory that is new to the heap count as written.  0, or why they
 * cannot be told: then any may have been written.  Valid until the next call. */
int dirty_heap_collect(bool keeps_open, struct dirty_pages *result);

/* The same, for when the program leaves its processors idle: by several threads in a large heap, and of not many more
 * pages than pages_max. */
int dirty_heap_collect_by_crew(size_t pages_max, struct dirty_pages *result);

#endif
