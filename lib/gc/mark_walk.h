/* SPDX-License-Identifier: MIT */
/*
 * Marking block by block where few are grey, as in a list: then nothing waits for memory meanwhile, and to queue the
 * span of each block, look for its grey ones and empty the FIFOs costs five times what the block itself does.
 */
#ifndef CGC_GC_MARK_WALK_H
#define CGC_GC_MARK_WALK_H

#include "gc/mark.h"

/* Scans grey blocks of a span that is in no queue, whose slots the marker scans itself, and what they lead to, until
 * many are grey or enough has been done.  What is left is queued.  The marker's FIFOs are empty, before and after. */
void mark_walk(struct marker *marker, struct cgc_span *span);

#endif
