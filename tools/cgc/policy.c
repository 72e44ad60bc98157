/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include "baseline.h"
#include "merge.h"
#include "message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- suppressions ---- */

/* The value of an option in "name=value:name=value", with : or , or spaces between; NULL if it is not there. */
static const char *
lsan_option(const char *options, const char *name) {
  static const char separators[] = ":, \t\n";
  size_t name_length = strlen(name);
  for (options += strspn(options, separators); *options; options += strspn(options, separators)) {
    size_t length = strcspn(options, separators);
    if (length > name_length && options[name_length] == '=' && memcmp(options, name, name_length) == 0)
      return memory_copy(options + name_length + 1, length - name_length - 1);
    options += length;
  }
  return NULL;
}

static void
read_if_named(struct suppressions *suppressions, const char *path) {
  if (path && *path)
    suppression_read_file(suppressions, path);
}

static void
read_suppressions(struct policy *policy) {
  const char *lsan_options = getenv("LSAN_OPTIONS");
  LIST_EACH(path, &policy->settings->suppression_paths)
    suppression_read_file(&policy->suppressions, *path);
  read_if_named(&policy->suppressions, getenv("CGC_SUPPRESSIONS"));
  read_if_named(&policy->suppressions, lsan_options ? lsan_option(lsan_options, "suppressions") : NULL);
}

static void
add_suppressions_of_programs(struct policy *policy, const struct record *record) {
  LIST_EACH(text, &record->suppressions)
    suppression_parse(&policy->suppressions, *text, "the program's __lsan_default_suppressions");
}

/* ---- verdicts ---- */

struct policy
policy_read(const struct settings *settings) {
  struct policy policy = {.settings = settings};
  read_suppressions(&policy);
  if (settings->style.baseline_path && !settings->updates_baseline)
    policy.baseline = baseline_read(settings->style.baseline_path, &policy.known);
  return policy;
}

static void
apply_baseline(struct policy *policy, struct leak_report *report) {
  if (policy->settings->updates_baseline)
    baseline_write(policy->settings->style.baseline_path, report, &policy->known);
  LIST_EACH(leak, &report->leaks) {
    (*leak)->is_in_baseline = *table_slot(&policy->known, (*leak)->fingerprint);
    if ((*leak)->verdict == LEAK_VERDICT_NEW && (*leak)->is_in_baseline)
      (*leak)->verdict = LEAK_VERDICT_KNOWN;
  }
}

static void
find_gone(const struct policy *policy, struct leak_report *report) {
  struct table found = {NULL, 0, 0};
  LIST_EACH(leak, &report->leaks)
    *table_slot(&found, (*leak)->fingerprint) = *leak;
  LIST_EACH(leak, &policy->baseline)
    if ((*leak)->verdict == LEAK_VERDICT_NEW && !*table_slot(&found, (*leak)->fingerprint))
      *LIST_ADD(&report->gone) = *leak;
}

static void
apply_min_bytes(const struct settings *settings, struct leak_report *report) {
  LIST_EACH(leak, &report->leaks)
    if ((*leak)->verdict == LEAK_VERDICT_NEW && (*leak)->bytes < settings->min_bytes)
      (*leak)->verdict = LEAK_VERDICT_SMALL;
}

void
policy_apply(struct policy *policy, const struct record *record, struct leak_report *report) {
  add_suppressions_of_programs(policy, record);
  suppression_apply(&policy->suppressions, report);
  if (policy->settings->suppresses_indirect)
    suppression_apply_to_indirect(report);
  merge_places(report);
  apply_min_bytes(policy->settings, report);
  apply_baseline(policy, report);
  find_gone(policy, report);
}

/* ---- the exit status ---- */

static bool
has_leaks_that_count(const struct settings *settings, const struct leak_report *report) {
  enum leak_kind kind = settings->fail_on == FAIL_ON_DIRECT ? LEAK_KIND_DIRECT : LEAK_KIND_COUNT;
  if (settings->fail_on == FAIL_ON_NONE)
    return false;
  if (settings->fail_on == FAIL_ON_GROWTH && report->growths.count > 0)
    return true;
  return leak_report_total(report, kind, LEAK_VERDICT_NEW).leaks > 0;
}

/* Returns how many processes were not checked. */
static unsigned
tell_unchecked(const struct leak_report *report) {
  unsigned count = 0;
  LIST_EACH(each, &report->processes) {
    const struct process *process = *each;
    if (!process->error)
      continue;
    message("not checked: process %" PRId64 " (%s): %s", process->pid, *process->exe ? process->exe : "unknown program",
            process->error);
    count++;
  }
  return count;
}

static bool
is_any_checked(const struct leak_report *report) {
  LIST_EACH(process, &report->processes)
    if ((*process)->is_checked)
      return true;
  return false;
}

static int
status_of_checks(const struct settings *settings, const struct leak_report *report) {
  unsigned unchecked = tell_unchecked(report);
  bool is_any = is_any_checked(report);
  if (!is_any)
    message("nothing was checked%s",
            report->left_out > 0 && report->processes.count == 0 ? ": no program matches --only and --skip" : "");
  if (has_leaks_that_count(settings, report))
    return settings->exit_code;
  return !is_any || (unchecked > 0 && !settings->allows_unchecked) ? STATUS_UNCHECKED : 0;
}

int
policy_status(const struct policy *policy, const struct leak_report *report, int command_status) {
  int status = status_of_checks(policy->settings, report);
  if (command_status && !(policy->settings->exit_code_wins && status))
    return command_status;
  return status;
}
