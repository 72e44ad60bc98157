/* SPDX-License-Identifier: MIT */
#include "json_text.h"

#include "utf_8.h"

json_t *
json_text(const char *text) {
  return text ? json_string(utf_8_text(text)) : json_null();
}
