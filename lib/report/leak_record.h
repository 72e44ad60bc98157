/* SPDX-License-Identifier: MIT */
/* The record of leak checks, a file for a tool to read: doc/report-format.md. */
#ifndef CGC_REPORT_LEAK_RECORD_H
#define CGC_REPORT_LEAK_RECORD_H

#include "report/leak_check.h"

/* Whether option `report` names a file. */
bool leak_record_is_wanted(void);

/* A process image has started, or a child been forked. */
void leak_record_process(bool is_forked);

/* What the program's __lsan_default_suppressions says. */
void leak_record_suppressions(const char *text);

/* A check was made.  is_last: no other will be. */
void leak_record_check(const struct leak_result *result, const char *reason, bool is_last);

/* The program is about to exec another; the process ends with that status. */
void leak_record_exec(const char *path);
void leak_record_end(int status);

#endif
