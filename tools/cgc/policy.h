/* SPDX-License-Identifier: MIT */
/* Which leaks count, and what the exit status is. */
#ifndef CGC_TOOL_POLICY_H
#define CGC_TOOL_POLICY_H

#include "record.h"
#include "settings.h"
#include "suppression.h"

struct policy {
  const struct settings *settings;
  struct suppressions    suppressions;
  struct table           known;          /* fingerprints of the baseline */
  struct leaks           baseline;
};

/* Reads the files that the settings name: before a command is run, so that a wrong name costs no run. */
struct policy policy_read(const struct settings *settings);

/* Gives the leaks their verdicts, and writes the baseline if that is asked for. */
void policy_apply(struct policy *policy, const struct record *record, struct leak_report *report);

/* Also tells on standard error which processes were not checked.  command_status: 0 if there was no command. */
int policy_status(const struct policy *policy, const struct leak_report *report, int command_status);

#endif
