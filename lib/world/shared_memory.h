/* SPDX-License-Identifier: MIT */
/*
 * Memory that the program shares with the processes it forks: anonymous mappings that are not private.  A server that
 * keeps the state of its workers there keeps addresses of blocks there as well.
 *
 * Whoever else has the memory may have written to it, and where this process has not touched it since it was forked its
 * page tables tell nothing.  So mappings are looked at whole, and only small ones: large ones are caches and queues,
 * which have to be good for all processes, and cannot hold what is an address in one.
 */
#ifndef CGC_WORLD_SHARED_MEMORY_H
#define CGC_WORLD_SHARED_MEMORY_H

#include "base/array.h"

enum { SHARED_MEMORY_BYTES_MAX = 1 << 20 };   /* of a mapping that is listed */

/* Adds the mappings to an array (struct page_range), which with the world stopped are all.  0 or an errno code: then
 * they are not known.  By PROCMAP_QUERY (Linux 6.11), else from maps. */
int shared_memory_list_stw(struct array *ranges);

#endif
