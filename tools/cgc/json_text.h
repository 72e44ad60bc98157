/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_JSON_TEXT_H
#define CGC_TOOL_JSON_TEXT_H

#include <jansson.h>

/* A string, or null for NULL.  One that is not UTF-8 is taken as Latin-1, as in the library's record. */
json_t *json_text(const char *text);

#endif
