/* SPDX-License-Identifier: MIT */
#include "selection.h"

#include <stdlib.h>
#include <string.h>

static int
compare_sizes(const void *a, const void *b) {
  const struct leak *left = *(struct leak *const *)a, *right = *(struct leak *const *)b;
  if (left->bytes != right->bytes)
    return left->bytes > right->bytes ? -1 : 1;
  if (left->kind != right->kind)
    return left->kind < right->kind ? -1 : 1;
  return strcmp(left->fingerprint, right->fingerprint);
}

struct leaks
selection_by_size(const struct leak_report *report, unsigned verdicts) {
  struct leaks selected = {NULL, 0, 0};
  LIST_EACH(leak, &report->leaks)
    if (verdicts & 1U << (*leak)->verdict)
      *LIST_ADD(&selected) = *leak;
  LIST_SORT(&selected, compare_sizes);
  return selected;
}

struct leaks
selection_shown(const struct leak_report *report, const bool is_shown[LEAK_KIND_COUNT]) {
  struct leaks selected = {NULL, 0, 0};
  LIST_EACH(each, &report->leaks) {
    struct leak *leak = *each;
    if (leak->verdict == LEAK_VERDICT_NEW || (leak->verdict == LEAK_VERDICT_UNSURE && is_shown[leak->kind]))
      *LIST_ADD(&selected) = leak;
  }
  return selected;
}

unsigned
selection_ordinal(struct table *seen, const char *key) {
  void **slot = table_slot(seen, key);
  uintptr_t ordinal = (uintptr_t)*slot + 1;
  *slot = (void *)ordinal;
  return (unsigned)ordinal;
}
