/* SPDX-License-Identifier: MIT */
#include "suppression.h"

static bool
matches(const struct suppression *suppression, const struct leak *leak) {
  return suppression->is_rule ? suppression_rule_matches(suppression, leak)
                              : suppression_pattern_matches(suppression, leak);
}

static void
suppress(struct leak *leak, const char *pattern) {
  leak->verdict = LEAK_VERDICT_SUPPRESSED;
  leak->suppressed_by = pattern;
}

static void
apply_to_leak(struct suppressions *suppressions, struct leak *leak) {
  LIST_EACH(suppression, suppressions)
    if (matches(suppression, leak)) {
      suppress(leak, suppression->name);
      suppression->use.blocks += leak->blocks;
      suppression->use.bytes += leak->bytes;
      return;
    }
}

/* The pattern of the first of the direct leaks that it hangs off; NULL if one of them is not suppressed. */
static const char *
pattern_of_all_owners(const struct leak *leak) {
  LIST_EACH(owner, &leak->owners)
    if (!*owner || (*owner)->verdict != LEAK_VERDICT_SUPPRESSED)
      return NULL;
  return leak->owners.count ? leak->owners.items[0]->suppressed_by : NULL;
}

static void
apply_to_owned(struct leak *leak) {
  const char *pattern = leak->verdict == LEAK_VERDICT_NEW ? pattern_of_all_owners(leak) : NULL;
  if (pattern)
    suppress(leak, pattern);
}

void
suppression_apply(struct suppressions *suppressions, struct leak_report *report) {
  LIST_EACH(leak, &report->leaks)
    apply_to_leak(suppressions, *leak);
  LIST_EACH(leak, &report->leaks)
    apply_to_owned(*leak);
  LIST_EACH(suppression, suppressions)
    if (suppression->use.blocks > 0) {
      suppression->use.pattern = suppression->name;
      *LIST_ADD(&report->suppressions) = suppression->use;
    }
}

/* ---- what may hang off suppressed leaks ---- */

static bool
shares_process(const struct leak *a, const struct leak *b) {
  LIST_EACH(left, &a->processes)
    LIST_EACH(right, &b->processes)
      if (*left == *right)
        return true;
  return false;
}

/* The pattern of a direct leak that it may hang off; NULL if it may hang off one that is not suppressed. */
static const char *
pattern_of_owners(const struct leak_report *report, const struct leak *indirect) {
  const char *pattern = NULL;
  LIST_EACH(each, &report->leaks) {
    const struct leak *leak = *each;
    if (leak->kind != LEAK_KIND_DIRECT || !shares_process(leak, indirect))
      continue;
    if (leak->verdict != LEAK_VERDICT_SUPPRESSED)
      return NULL;
    pattern = leak->suppressed_by;
  }
  return pattern;
}

void
suppression_apply_to_indirect(struct leak_report *report) {
  LIST_EACH(leak, &report->leaks) {
    const char *pattern = (*leak)->kind == LEAK_KIND_INDIRECT ? pattern_of_owners(report, *leak) : NULL;
    if (pattern && (*leak)->verdict == LEAK_VERDICT_NEW)
      suppress(*leak, pattern);
  }
}
