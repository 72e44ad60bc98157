/* SPDX-License-Identifier: MIT */
/* Characters in cords. */
#include "boehm/cord/cord_fail.h"
#include "boehm/cord/cord_node.h"
#include "boehm/cord/cord_position.h"

#include <string.h>

char
CORD_fetch(CORD x, size_t i) {
  struct cord_piece piece = cord_piece_of(x);
  if (i >= piece.length)
    cord_fail("CORD_fetch of an index beyond the end");
  const struct cord_concat *concat;
  while ((concat = cord_as_concat(piece.cord))) {
    struct cord_piece left = cord_left(concat);
    piece = i < left.length ? left : cord_right(concat);
    i -= i < left.length ? 0 : left.length;
  }
  struct cord_leaf leaf = cord_leaf_of(piece.cord);
  return cord_leaf_char(&leaf, i);
}

size_t
CORD_chr(CORD x, size_t i, int c) {
  CORD_pos p;
  CORD_set_pos(p, x, i);
  while (CORD_pos_valid(p)) {
    size_t count = position_run(p);
    const char *from = CORD_pos_cur_char_addr(p);
    const char *found = memchr(from, c, count);
    if (found)
      return CORD_pos_to_index(p) + (size_t)(found - from);
    CORD_pos_advance(p, count);
  }
  return CORD_NOT_FOUND;
}

size_t
CORD_rchr(CORD x, size_t i, int c) {
  CORD_pos p;
  CORD_set_pos(p, x, i);
  if (x && !CORD_pos_valid(p))
    cord_fail("CORD_rchr of an index beyond the end");
  while (CORD_pos_valid(p)) {
    CORD_pos_fetch(p);
    const char *found = memrchr(p->cur_leaf, c, p->cur_pos + 1 - p->cur_start);
    if (found)
      return p->cur_start + (size_t)(found - p->cur_leaf);
    p->cur_pos = p->cur_start;
    CORD_prev(p);
  }
  return CORD_NOT_FOUND;
}
