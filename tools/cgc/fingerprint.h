/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_FINGERPRINT_H
#define CGC_TOOL_FINGERPRINT_H

#include "leaks.h"

/*
 * What names a leak from one run and build to the next: a hash of its kind and of the names of the innermost functions
 * outside the runtime.  Addresses, lines, and the compiler's numbered copies of functions do not matter.
 */
const char *fingerprint_make(const char *kind, const struct stack *stack);

#endif
