/* SPDX-License-Identifier: MIT */
/* The pages of blocks that may hold pointers, written since they were collected last. */
#ifndef CGC_GC_DIRTY_HEAP_H
#define CGC_GC_DIRTY_HEAP_H

#include "world/dirty.h"

struct dirty_pages {
  const struct dirty_range *ranges;
  size_t range_count;
  size_t page_count;   /* of ARCH_PAGE_BYTES */
};

/* Collects them; the first time in a cycle for their being watched from then on.  0, or why they cannot be told: then any
 * may have been written.  Valid until the next call.  Owned by whoever holds the cycle lock. */
int dirty_heap_collect(struct dirty_pages *result);

#endif
