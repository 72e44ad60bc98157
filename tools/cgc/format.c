/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <string.h>

const struct format formats[] = {
  {"text", "as LeakSanitizer's, and more after its SUMMARY", format_text},
  {"json", "all that is known (doc/leaks.schema.json)", format_json},
  {"sarif", "SARIF 2.1.0, for code scanning", format_sarif},
  {"junit", "JUnit XML, for views of tests", format_junit},
  {"gitlab", "GitLab's Code Quality", format_gitlab},
  {"github", "annotations of GitHub Actions, and its summary", format_github},
  {"folded", "a line per stack, for flame graphs", format_folded},
  {"pprof", "a profile for pprof", format_pprof},
  {"html", "a page with a table and a flame graph", format_html},
  {NULL, NULL, NULL},
};

const struct format *
format_find(const char *name, size_t length_bytes) {
  for (const struct format *format = formats; format->name; format++)
    if (strlen(format->name) == length_bytes && memcmp(format->name, name, length_bytes) == 0)
      return format;
  return NULL;
}
