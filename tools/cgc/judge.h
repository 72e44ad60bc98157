/* SPDX-License-Identifier: MIT */
/* Which leaks count, and what the exit status is. */
#ifndef CGC_TOOL_JUDGE_H
#define CGC_TOOL_JUDGE_H

#include "record.h"
#include "settings.h"

/* The verdicts, by suppressions, baseline and size. */
void judge_leaks(const struct settings *settings, const struct record *record, struct leak_report *report);

/* Also tells on standard error which processes were not checked.  command_status: 0 if there was none. */
int judge_status(const struct settings *settings, const struct leak_report *report, int command_status);

#endif
