/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_MERGE_H
#define CGC_TOOL_MERGE_H

#include "record.h"

/*
 * Resolves the addresses of a record and adds its processes, leaks and growing places to a report.  What was allocated
 * at one place by several processes, or by one at several stacks that look the same, is one entry.
 */
void merge_record(struct record *record, struct leak_report *report);

#endif
