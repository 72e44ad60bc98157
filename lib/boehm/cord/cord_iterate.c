/* SPDX-License-Identifier: MIT */
/* Every character in turn. */
#include "boehm/cord/cord_fail.h"
#include "boehm/cord/cord_node.h"

#include <string.h>

struct visitor {
  CORD_iter_fn character;
  CORD_batched_iter_fn string;    /* or null */
  void *client_data;
};

/* The leaf's characters from start on are a C string in memory. */
static bool
leaf_ends_as_string(const struct cord_leaf *leaf, size_t start, size_t length) {
  return leaf->chars && leaf->chars[length] == '\0' && !memchr(leaf->chars + start, '\0', length - start);
}

/* True if a function of the visitor's wants no more; so for all below. */
static bool
leaf_visit(struct cord_piece piece, size_t start, const struct visitor *visitor) {
  struct cord_leaf leaf = cord_leaf_of(piece.cord);
  if (visitor->string && leaf_ends_as_string(&leaf, start, piece.length))
    return visitor->string(leaf.chars + start, visitor->client_data) != 0;
  for (size_t i = start; i < piece.length; i++)
    if (visitor->character(cord_leaf_char(&leaf, i), visitor->client_data))
      return true;
  return false;
}

/* start: less than the length. */
static bool
piece_visit(struct cord_piece piece, size_t start, const struct visitor *visitor) {
  const struct cord_concat *concat;
  while ((concat = cord_as_concat(piece.cord))) {
    struct cord_piece left = cord_left(concat);
    if (start < left.length && piece_visit(left, start, visitor))
      return true;
    start = start > left.length ? start - left.length : 0;
    piece = cord_right(concat);
  }
  return leaf_visit(piece, start, visitor);
}

static bool
leaf_visit_back(struct cord_piece piece, size_t count, const struct visitor *visitor) {
  struct cord_leaf leaf = cord_leaf_of(piece.cord);
  while (count--)
    if (visitor->character(cord_leaf_char(&leaf, count), visitor->client_data))
      return true;
  return false;
}

/* The first count characters, more than 0, from the last of them on. */
static bool
piece_visit_back(struct cord_piece piece, size_t count, const struct visitor *visitor) {
  const struct cord_concat *concat;
  while ((concat = cord_as_concat(piece.cord))) {
    struct cord_piece left = cord_left(concat);
    if (count > left.length) {
      if (piece_visit_back(cord_right(concat), count - left.length, visitor))
        return true;
      count = left.length;
    }
    piece = left;
  }
  return leaf_visit_back(piece, count, visitor);
}

int
CORD_iter5(CORD x, size_t i, CORD_iter_fn character, CORD_batched_iter_fn string, void *client_data) {
  struct cord_piece piece = cord_piece_of(x);
  struct visitor visitor = {character, string, client_data};
  return i < piece.length && piece_visit(piece, i, &visitor);
}

int
(CORD_iter)(CORD x, CORD_iter_fn character, void *client_data) {
  return CORD_iter(x, character, client_data);
}

int
CORD_riter4(CORD x, size_t i, CORD_iter_fn character, void *client_data) {
  struct cord_piece piece = cord_piece_of(x);
  if (piece.length == 0)
    return 0;
  if (i >= piece.length)
    cord_fail("CORD_riter4 of an index beyond the end");
  struct visitor visitor = {character, CORD_NO_FN, client_data};
  return piece_visit_back(piece, i + 1, &visitor);
}

int
CORD_riter(CORD x, CORD_iter_fn character, void *client_data) {
  size_t length = CORD_len(x);
  return length && CORD_riter4(x, length - 1, character, client_data);
}
