/* SPDX-License-Identifier: MIT */
/* A check's leaks as LeakSanitizer prints them, without symbols: those are found by what reads "(MODULE+OFFSET)". */
#ifndef CGC_REPORT_LEAK_TEXT_H
#define CGC_REPORT_LEAK_TEXT_H

#include "report/leak_check.h"

/* To the log.  Nothing if there are no leaks.  Joins the result's groups: what hangs off different leaks is told
 * together. */
void leak_text_write(const struct leak_result *result);

#endif
