/* SPDX-License-Identifier: MIT */
#include "json_text.h"

#include "memory.h"

#include <string.h>

static const char *
from_latin_1(const char *text) {
  char *utf_8 = memory_take(strlen(text) * 2 + 1), *next = utf_8;
  for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
    if (*byte < 0x80) {
      *next++ = (char)*byte;
      continue;
    }
    *next++ = (char)(0xc0 | *byte >> 6);
    *next++ = (char)(0x80 | (*byte & 0x3f));
  }
  return utf_8;
}

json_t *
json_text(const char *text) {
  if (!text)
    return json_null();
  json_t *string = json_string(text);
  return string ? string : json_string(from_latin_1(text));
}
