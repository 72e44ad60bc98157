/* SPDX-License-Identifier: MIT */
/* References that a function of the program turns strong or weak in each cycle. */
#ifndef CGC_LIB_BOEHM_TOGGLE_REFS_H
#define CGC_LIB_BOEHM_TOGGLE_REFS_H

#include <stdbool.h>

struct marker;

bool toggle_refs_exist(void);

/* Asks the program about each, and marks what strong ones refer to; then, when all is marked, drops weak ones whose block
 * is not. */
void toggle_refs_push_stw(struct marker *marker);
void toggle_refs_clear_stw(void);

#endif
