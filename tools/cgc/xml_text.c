/* SPDX-License-Identifier: MIT */
#include "xml_text.h"

#include "memory.h"
#include "utf_8.h"

#include <stdbool.h>
#include <string.h>

enum { ESCAPE_BYTES_MAX = 6 };

static const char *
escape_of(char c) {
  switch (c) {
  case '&': return "&amp;";
  case '<': return "&lt;";
  case '>': return "&gt;";
  case '"': return "&quot;";
  case '\r': return "&#13;";
  default: return (unsigned char)c < ' ' && !strchr("\t\n", c) ? "?" : NULL;
  }
}

static const char *
escape_in_attribute(char c) {
  return c == '\t' ? "&#9;" : c == '\n' ? "&#10;" : escape_of(c);
}

/* U+FFFE and U+FFFF are no characters of XML. */
static bool
is_noncharacter(const char *text) {
  return strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0;
}

static const char *
escape_all(const char *text, const char *escape_one(char c)) {
  text = utf_8_text(text);
  char *escaped = memory_take(strlen(text) * ESCAPE_BYTES_MAX + 1), *end = escaped;
  for (; *text; text++) {
    const char *escape = escape_one(*text);
    if (is_noncharacter(text)) {
      escape = "?";
      text += 2;
    }
    if (escape)
      end = stpcpy(end, escape);
    else
      *end++ = *text;
  }
  return escaped;
}

const char *
xml_text(const char *text) {
  return escape_all(text, escape_of);
}

const char *
xml_attribute(const char *text) {
  return escape_all(text, escape_in_attribute);
}
