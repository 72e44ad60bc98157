/* SPDX-License-Identifier: MIT */
/*
 * Formats of reports.  Each has a file of its own, format_NAME.c with one function of type format_function, and a row
 * in the table of format.c.
 */
#ifndef CGC_TOOL_FORMAT_H
#define CGC_TOOL_FORMAT_H

#include "leaks.h"

#include <stdio.h>

struct format_style {
  bool is_shown[LEAK_KIND_COUNT];   /* of text: which kinds */
  bool has_details, has_source, has_color;
  const char *source_root, *baseline_path;   /* the second NULL without --baseline */
};

/* Errors are left in the file's error flag. */
typedef void format_function(FILE *file, const struct leak_report *report, const struct format_style *style);

format_function format_text, format_json, format_sarif, format_junit, format_gitlab, format_github, format_folded,
  format_pprof, format_html;

struct format {
  const char      *name, *help;
  format_function *write;
};

extern const struct format formats[];   /* up to one without a name */

/* NULL if there is none of that name. */
const struct format *format_find(const char *name, size_t length_bytes);

#endif
