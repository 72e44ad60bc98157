/* SPDX-License-Identifier: MIT */
/* Of several groups of indirect leaks one: those of one stack, which differ in what they hang off. */
#ifndef CGC_REPORT_LEAK_JOIN_H
#define CGC_REPORT_LEAK_JOIN_H

#include "report/leak_check.h"

/* The first of those that differ in their owners alone takes over the blocks and bytes of the others, which then have
 * none; all else stays as it was.  Takes no memory, and time as for sorting. */
void leak_join(struct leak_group *groups, size_t count);

#endif
