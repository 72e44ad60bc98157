/* SPDX-License-Identifier: MIT */
/* Low trees. */
#ifndef CGC_BOEHM_CORD_BALANCE_H
#define CGC_BOEHM_CORD_BALANCE_H

#include "boehm/cord/cord_node.h"

/* The concatenation of two balanced cords, either of which may be empty: balanced, too. */
struct cord_piece cord_join(struct cord_piece left, struct cord_piece right);

struct cord_piece cord_balanced(struct cord_piece piece);

/* What a program may see [cord.inv.depth]: the piece, balanced if it is too deep. */
CORD cord_admit(struct cord_piece piece);

#endif
