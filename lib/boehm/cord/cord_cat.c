/* SPDX-License-Identifier: MIT */
/*
 * Concatenation: a new node, or, if both are short, a copy.
 *
 * Cords often grow by short strings at one end.  So one that is added beside a short leaf is copied together with it.
 */
#include "boehm/cord/cord_balance.h"
#include "boehm/cord/cord_copy.h"

#include <stdarg.h>
#include <string.h>

static bool
cord_are_short(struct cord_piece left, struct cord_piece right) {
  return left.length <= CORD_SHORT_MAX && right.length <= CORD_SHORT_MAX - left.length;
}

static struct cord_piece
cord_merge(struct cord_piece left, struct cord_piece right) {
  char *chars = cord_alloc_chars(left.length + right.length);
  cord_copy(left, 0, left.length, chars);
  cord_copy(right, 0, right.length, chars + left.length);
  return cord_of_block(chars, left.length + right.length);
}

static struct cord_piece
cord_append(struct cord_piece x, struct cord_piece y) {
  if (!x.length)
    return y;
  if (!y.length)
    return x;
  if (cord_are_short(x, y))
    return cord_merge(x, y);

  const struct cord_concat *before = cord_as_concat(x.cord);
  if (before && cord_are_short(cord_right(before), y))
    return cord_pair(cord_left(before), cord_merge(cord_right(before), y));

  const struct cord_concat *after = cord_as_concat(y.cord);
  if (after && cord_are_short(x, cord_left(after)))
    return cord_pair(cord_merge(x, cord_left(after)), cord_right(after));

  return cord_pair(x, y);
}

CORD
CORD_cat(CORD x, CORD y) {
  return cord_admit(cord_append(cord_piece_of(x), cord_piece_of(y)));
}

CORD
CORD_cat_char_star(CORD x, const char *y, size_t length) {
  return cord_admit(cord_append(cord_piece_of(x), (struct cord_piece){length ? y : NULL, length}));
}

CORD
CORD_cat_char(CORD x, char c) {
  return cord_admit(cord_append(cord_piece_of(x), cord_of_copy(&c, 1)));
}

CORD
CORD_catn(int count, ...) {
  va_list cords;
  va_start(cords, count);
  CORD result = CORD_EMPTY;
  for (int i = 0; i < count; i++)
    result = CORD_cat(result, va_arg(cords, CORD));
  va_end(cords);
  return result;
}
