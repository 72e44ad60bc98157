/* SPDX-License-Identifier: MIT */
/* JSON documents with a list of leaks: those of --format json, and baselines, which have the names only. */
#ifndef CGC_TOOL_DOCUMENT_H
#define CGC_TOOL_DOCUMENT_H

#include "leaks.h"

/* False if the file is no such document. */
bool document_try_read(const char *path, struct leak_report *report);

#endif
