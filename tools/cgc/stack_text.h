/* SPDX-License-Identifier: MIT */
/* Stacks as LeakSanitizer writes them. */
#ifndef CGC_TOOL_STACK_TEXT_H
#define CGC_TOOL_STACK_TEXT_H

#include "leaks.h"

#include <stdio.h>

void stack_text_print(FILE *file, const struct stack *stack);

#endif
