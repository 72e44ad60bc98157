/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <string.h>

const struct format formats[] = {
  {"text", "as LeakSanitizer's, and more after its SUMMARY", format_text},
  {"json", "all that is known (doc/leaks.schema.json)", format_json},
  {NULL, NULL, NULL},
};

const struct format *
format_find(const char *name, size_t length_bytes) {
  for (const struct format *format = formats; format->name; format++)
    if (strlen(format->name) == length_bytes && memcmp(format->name, name, length_bytes) == 0)
      return format;
  return NULL;
}
