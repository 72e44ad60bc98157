/* SPDX-License-Identifier: MIT */
#include "utf_8.h"

#include "memory.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

static bool
is_utf_8(const char *text) {
  json_t *string = json_string(text);
  json_decref(string);
  return string != NULL;
}

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

const char *
utf_8_text(const char *text) {
  return is_utf_8(text) ? text : from_latin_1(text);
}
