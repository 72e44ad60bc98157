/* SPDX-License-Identifier: MIT */
/* Order of cords: by characters, taken as unsigned, then by length. */
#include "boehm/cord/cord_node.h"

#include <string.h>

static size_t
least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* How many characters are at hand at a valid position, at least one. */
static size_t
position_chars(CORD_pos p) {
  if (CORD_pos_chars_left(p) <= 0)
    CORD__pos_fetch(p);
  return (size_t)CORD_pos_chars_left(p);
}

/* Compares that many characters, which both have from their positions on. */
static int
positions_compare(CORD_pos x, CORD_pos y, size_t length) {
  while (length) {
    size_t count = least(least(position_chars(x), position_chars(y)), length);
    int order = memcmp(CORD_pos_cur_char_addr(x), CORD_pos_cur_char_addr(y), count);
    if (order)
      return order;
    CORD_pos_advance(x, count);
    CORD_pos_advance(y, count);
    length -= count;
  }
  return 0;
}

static size_t
length_from(CORD x, size_t start, size_t length_max) {
  size_t length = CORD_len(x);
  return length > start ? least(length - start, length_max) : 0;
}

int
CORD_ncmp(CORD x, size_t x_start, CORD y, size_t y_start, size_t length) {
  size_t x_length = length_from(x, x_start, length);
  size_t y_length = length_from(y, y_start, length);
  CORD_pos x_pos;
  CORD_pos y_pos;
  CORD_set_pos(x_pos, x, x_start);
  CORD_set_pos(y_pos, y, y_start);
  int order = positions_compare(x_pos, y_pos, least(x_length, y_length));
  return order ? order : (x_length > y_length) - (x_length < y_length);
}

int
CORD_cmp(CORD x, CORD y) {
  if (x && y && CORD_IS_STRING(x) && CORD_IS_STRING(y))
    return strcmp(x, y);
  return CORD_ncmp(x, 0, y, 0, SIZE_MAX);
}
