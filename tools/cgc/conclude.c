/* SPDX-License-Identifier: MIT */
#include "conclude.h"

#include "merge.h"
#include "output.h"

int
conclude(struct policy *policy, struct record *record, struct leak_report *report, int command_status,
         FILE *standard) {
  report->left_out = programs_select(&policy->settings->programs, record);
  merge_record(record, report);
  policy_apply(policy, record, report);
  output_write(policy->settings, report, standard);
  return policy_status(policy, report, command_status);
}
