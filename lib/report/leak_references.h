/* SPDX-License-Identifier: MIT */
/*
 * How blocks are referred to from all that can be reached: a pointer to the start is the usual case.  A block with none
 * but pointers into it is possibly lost; one that cannot be reached, and with a pointer just past its end, doubtfully.
 */
#ifndef CGC_REPORT_LEAK_REFERENCES_H
#define CGC_REPORT_LEAK_REFERENCES_H

#include "world/roots.h"

/* Looks at all roots and marked blocks.  After a mark, with the world stopped; the scanned bits of spans hold the
 * result from then on. */
void leak_references_find_stw(const struct root_list *roots);

/* Whether there is such a pointer: to the start of the block, if it is marked; else to its end. */
bool leak_references_has(struct cgc_span *span, size_t slot);

#endif
