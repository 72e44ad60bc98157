/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_CONCLUDE_H
#define CGC_TOOL_CONCLUDE_H

#include "policy.h"

/* From a record that was read to the report, written as the settings say, and the exit status.  standard: where to if no
 * file is named. */
int conclude(struct policy *policy, struct record *record, struct leak_report *report, int command_status,
             FILE *standard);

#endif
