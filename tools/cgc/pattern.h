/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_PATTERN_H
#define CGC_TOOL_PATTERN_H

#include <stdbool.h>

/* Whether a pattern as LeakSanitizer takes it is found in the text: * stands for anything, ^ and $ for its ends. */
bool pattern_is_found(const char *pattern, const char *text);

#endif
