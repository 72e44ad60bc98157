/* SPDX-License-Identifier: MIT */
/*
 * Growth: places whose reachable bytes rise from one check to the next, as in a program that keeps what it no longer
 * needs.  Such a place has at least three checks, rises in two of three steps, and its line of least squares rises.
 */
#ifndef CGC_TOOL_GROWTH_H
#define CGC_TOOL_GROWTH_H

#include "record.h"

/* At one stack of one process image; the growth's own stack and fingerprint are not set. */
struct growth_found {
  struct record_stack *stack;
  struct growth        growth;
};
struct growths_found LIST(struct growth_found);

void growth_find(struct image *image, struct growths_found *found);

#endif
