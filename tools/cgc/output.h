/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_OUTPUT_H
#define CGC_TOOL_OUTPUT_H

#include "settings.h"

/* Writes the report in every format that was asked for.  standard: where to if no file is named. */
void output_write(const struct settings *settings, const struct leak_report *report, FILE *standard);

#endif
