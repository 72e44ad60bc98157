/* SPDX-License-Identifier: MIT */
/* What several formats say of a leak. */
#ifndef CGC_TOOL_LEAK_TEXT_H
#define CGC_TOOL_LEAK_TEXT_H

#include "leaks.h"

/* "direct-leak". */
const char *leak_text_rule(enum leak_kind kind);

/* "Direct leak of 20 byte(s) in 1 object(s), allocated by malloc in work". */
const char *leak_text_summary(const struct leak *leak, const struct frame *site);

/* The function, or its module and the offset there. */
const char *leak_text_function(const struct frame *frame);

/* As stack_text_print writes it, without the last newline. */
const char *leak_text_stack(const struct stack *stack);

#endif
