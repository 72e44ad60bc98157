/* SPDX-License-Identifier: MIT */
/* Low trees. */
#ifndef CGC_BOEHM_CORD_BALANCE_H
#define CGC_BOEHM_CORD_BALANCE_H

#include "boehm/cord/cord_node.h"

/* Depths are less: what is joined has at most 2^(MAX_DEPTH + 1) leaves, and depth 71. */
enum { CORD_ROW_MAX = 96 };

/* Balanced pieces that will be one, the first first, each deeper than the next. */
struct cord_row {
  unsigned count;
  struct cord_piece pieces[CORD_ROW_MAX];
};

/* Appends a balanced piece, or an empty one. */
void cord_row_append(struct cord_row *row, struct cord_piece piece);

/* All of the row as one balanced piece.  The row is empty then. */
struct cord_piece cord_row_end(struct cord_row *row);

/* What a program may see [cord.inv.depth]: the piece, balanced if it is too deep. */
CORD cord_admit(struct cord_piece piece);

#endif
