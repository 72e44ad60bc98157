/* SPDX-License-Identifier: MIT */
/* Cords from something else, and parts of cords. */
#include "boehm/cord/cord_balance.h"
#include "boehm/cord/cord_copy.h"

#include <string.h>

size_t
CORD_len(CORD x) {
  return cord_piece_of(x).length;
}

CORD
CORD_from_char_star(const char *string) {
  return cord_of_copy(string, strlen(string)).cord;
}

CORD
CORD_from_fn(CORD_fn function, void *client_data, size_t length) {
  if (length > CORD_SHORT_MAX)
    return cord_of_function(function, client_data, length).cord;
  char chars[CORD_SHORT_MAX];
  for (size_t i = 0; i < length; i++)
    chars[i] = function(i, client_data);
  return cord_of_copy(chars, length).cord;
}

/* The pointer that stands for a character is less than any address. */
static char
cord_same_char(size_t i, void *c) {
  (void)i;
  return (char)(uintptr_t)c;
}

CORD
CORD_chars(char c, size_t length) {
  return CORD_from_fn(cord_same_char, (void *)(uintptr_t)(unsigned char)c, length);
}

/* Both parts of an unbalanced cord may be unbalanced; they are then left so. */
static struct cord_piece
cord_reunite(struct cord_piece left, struct cord_piece right) {
  if (cord_is_balanced(left.cord) && cord_is_balanced(right.cord))
    return cord_join(left, right);
  return left.length && right.length ? cord_pair(left, right) : left.length ? left : right;
}

static struct cord_piece
cord_part(struct cord_piece piece, size_t start, size_t length) {
  if (length == 0)
    return (struct cord_piece){NULL, 0};
  if (start == 0 && length == piece.length)
    return piece;
  if (length <= CORD_SHORT_MAX)
    return cord_flat(piece, start, length);
  const struct cord_concat *concat = cord_as_concat(piece.cord);
  if (!concat)
    return cord_leaf_part(piece, start, length);

  struct cord_piece left = cord_left(concat);
  size_t of_left = start >= left.length ? 0 : left.length - start < length ? left.length - start : length;
  size_t of_right = length - of_left;
  return cord_reunite(cord_part(left, of_left ? start : 0, of_left),
    cord_part(cord_right(concat), of_right ? start + of_left - left.length : 0, of_right));
}

CORD
CORD_substr(CORD x, size_t i, size_t length) {
  struct cord_piece whole = cord_piece_of(x);
  if (i >= whole.length)
    return CORD_EMPTY;
  return cord_admit(cord_part(whole, i, length < whole.length - i ? length : whole.length - i));
}
