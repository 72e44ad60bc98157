/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_UTF_8_H
#define CGC_TOOL_UTF_8_H

/* The text itself, or if it is not UTF-8, as Latin-1 is written in UTF-8. */
const char *utf_8_text(const char *text);

#endif
