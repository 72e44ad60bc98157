/* SPDX-License-Identifier: MIT */
/* Cords written to files. */
#include "boehm/cord/cord_node.h"

enum { PUT_BUFFER_BYTES = 512 };

static bool
put_function(const struct cord_leaf *leaf, size_t length, FILE *file) {
  char buffer[PUT_BUFFER_BYTES];
  for (size_t start = 0; start < length;) {
    size_t count = 0;
    while (count < sizeof buffer && start < length)
      buffer[count++] = cord_leaf_char(leaf, start++);
    if (fwrite(buffer, 1, count, file) != count)
      return false;
  }
  return true;
}

static bool
put_piece(struct cord_piece piece, FILE *file) {
  const struct cord_concat *concat;
  while ((concat = cord_as_concat(piece.cord))) {
    if (!put_piece(cord_left(concat), file))
      return false;
    piece = cord_right(concat);
  }
  struct cord_leaf leaf = cord_leaf_of(piece.cord);
  if (leaf.chars)
    return fwrite(leaf.chars, 1, piece.length, file) == piece.length;
  return put_function(&leaf, piece.length, file);
}

int
CORD_put(CORD x, FILE *file) {
  return !x || put_piece(cord_piece_of(x), file) ? 1 : EOF;
}
