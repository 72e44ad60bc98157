/* SPDX-License-Identifier: MIT */
/* A file of leaks that are known and do not count; a document (document.h) with one leak per line, sorted. */
#ifndef CGC_TOOL_BASELINE_H
#define CGC_TOOL_BASELINE_H

#include "leaks.h"
#include "table.h"

/* The leaks of the file; gives each fingerprint a value in the table. */
struct leaks baseline_read(const char *path, struct table *known);

/* Writes what counts now and adds it to the table; the file is replaced as a whole. */
void baseline_write(const char *path, const struct leak_report *report, struct table *known);

#endif
