/* SPDX-License-Identifier: MIT */
/* Spans without a thread, per span class: left behind by threads that ended. */
#ifndef CGC_HEAP_CENTRAL_H
#define CGC_HEAP_CENTRAL_H

#include "heap/span.h"

/* Takes over a small span that is in no list, from its owner or (world stopped, or fork) for it.
 * An empty one goes to the page heap.  Takes LOCK_RANK_CENTRAL, then LOCK_RANK_PAGE_HEAP. */
void central_adopt(struct cgc_span *span);

/* A span of that class with free slots, in no list, for the given new owner; or NULL. */
struct cgc_span *central_take(unsigned span_class, struct span_owner *owner);

/* Links what was freed remotely; empty spans go to the page heap. */
void central_collect(unsigned span_class);

/* In a forked child: forgets all lists. */
void central_reset(void);

#endif
