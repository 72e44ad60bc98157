/* SPDX-License-Identifier: MIT */
#include "boehm/cord/cord_copy.h"

#include <string.h>

static void
cord_copy_leaf(CORD cord, size_t start, size_t length, char *to) {
  struct cord_leaf leaf = cord_leaf_of(cord);
  if (leaf.chars) {
    memcpy(to, leaf.chars + start, length);
    return;
  }
  for (size_t i = 0; i < length; i++)
    to[i] = cord_leaf_char(&leaf, start + i);
}

void
cord_copy(struct cord_piece piece, size_t start, size_t length, char *to) {
  const struct cord_concat *concat;
  while (length && (concat = cord_as_concat(piece.cord))) {
    struct cord_piece left = cord_left(concat);
    if (start < left.length) {
      size_t of_left = left.length - start < length ? left.length - start : length;
      cord_copy(left, start, of_left, to);
      to += of_left;
      length -= of_left;
      start = left.length;
    }
    start -= left.length;
    piece = cord_right(concat);
  }
  if (length)
    cord_copy_leaf(piece.cord, start, length, to);
}

struct cord_piece
cord_flat(struct cord_piece piece, size_t start, size_t length) {
  char *chars = cord_alloc_chars(length);
  cord_copy(piece, start, length, chars);
  return cord_of_block(chars, length);
}

char *
CORD_to_char_star(CORD x) {
  struct cord_piece piece = cord_piece_of(x);
  char *chars = cord_alloc_chars(piece.length);
  cord_copy(piece, 0, piece.length, chars);
  return chars;
}

const char *
CORD_to_const_char_star(CORD x) {
  if (!x)
    return "";
  return CORD_IS_STRING(x) ? x : CORD_to_char_star(x);
}
