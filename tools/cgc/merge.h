/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_MERGE_H
#define CGC_TOOL_MERGE_H

#include "record.h"

/*
 * Resolves the addresses of a record and adds its processes, leaks and growing places to a report.  What was allocated
 * at one place by several processes, or by one at several stacks that look the same, is one entry; but what is indirect
 * is one for all that hangs off the same direct leaks.
 */
void merge_record(struct record *record, struct leak_report *report);

/* Then, when leaks have their verdicts, or need none: those of one place and one verdict become one. */
void merge_places(struct leak_report *report);

#endif
