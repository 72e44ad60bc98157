/* SPDX-License-Identifier: MIT */
/* Characters of cords, copied to memory. */
#ifndef CGC_BOEHM_CORD_COPY_H
#define CGC_BOEHM_CORD_COPY_H

#include "boehm/cord/cord_node.h"

/* Copies characters start to start + length - 1. */
void cord_copy(struct cord_piece piece, size_t start, size_t length, char *to);

/* The same as a cord of their own, which is a C string if there is no zero among them. */
struct cord_piece cord_flat(struct cord_piece piece, size_t start, size_t length);

#endif
