/* SPDX-License-Identifier: MIT */
/* A file of leaks that are known and do not count; a document (document.h) with one leak per line, sorted. */
#ifndef CGC_TOOL_BASELINE_H
#define CGC_TOOL_BASELINE_H

#include "leaks.h"

/* Gives leaks whose fingerprints are in the file their verdict. */
void baseline_apply(const char *path, struct leak_report *report);

/* Writes what counts now; the file is replaced as a whole. */
void baseline_write(const char *path, const struct leak_report *report);

#endif
