/* SPDX-License-Identifier: MIT */
/* Functions, files and lines of addresses, from the debugging information of the modules. */
#ifndef CGC_TOOL_SYMBOLS_H
#define CGC_TOOL_SYMBOLS_H

#include "record.h"

/* Tells that symbols_stack will be asked for this one; NULL is allowed. */
void symbols_want(struct record_stack *stack);

/* Looks up what is wanted, each address once, by several threads. */
void symbols_resolve(struct record *record);

/* With inlined calls as frames of their own. */
struct stack *symbols_stack(struct record_stack *stack);

#endif
