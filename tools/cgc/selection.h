/* SPDX-License-Identifier: MIT */
/* Leaks of any kind by their size, for formats that cannot hold all. */
#ifndef CGC_TOOL_SELECTION_H
#define CGC_TOOL_SELECTION_H

#include "leaks.h"
#include "table.h"

/* verdicts: the sum of 1 << verdict; the largest first. */
struct leaks selection_by_size(const struct leak_report *report, unsigned verdicts);

/* Those with verdict new, and those of kinds that are shown though they do not count. */
struct leaks selection_shown(const struct leak_report *report, const bool is_shown[LEAK_KIND_COUNT]);

/* Fingerprints are not unique: the first, second, ... of those with one, in the order of the calls. */
unsigned selection_ordinal(struct table *seen, const char *key);

#endif
