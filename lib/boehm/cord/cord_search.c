/* SPDX-License-Identifier: MIT */
/*
 * Characters and strings in cords.
 *
 * Strings are searched as Karp and Rabin do (1987): a window as long as what is searched slides over the cord with a
 * hash of its characters, and is compared when the hash fits.  It needs neither memory nor a copy of either cord,
 * whatever their lengths.  The hash is the polynomial of the characters modulo the prime 2^61 - 1 at a fixed point.
 */
#include "boehm/cord/cord_fail.h"
#include "boehm/cord/cord_node.h"

#include <assert.h>
#include <string.h>

#define HASH_PRIME (((uint64_t)1 << 61) - 1)
#define HASH_POINT ((uint64_t)0x0b5ad4eceda1ce2a)   /* anything less than the prime */

static_assert(HASH_POINT < HASH_PRIME, "a remainder of the prime");

/* ---- one place ---- */

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

/* ---- characters ---- */

size_t
CORD_chr(CORD x, size_t i, int c) {
  CORD_pos p;
  CORD_set_pos(p, x, i);
  while (CORD_pos_valid(p)) {
    CORD_pos_fetch(p);
    const char *from = CORD_pos_cur_char_addr(p);
    size_t count = (size_t)CORD_pos_chars_left(p);
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

/* ---- strings ---- */

static uint64_t
hash_product(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  uint64_t sum = (uint64_t)(product & HASH_PRIME) + (uint64_t)(product >> 61);
  return sum >= HASH_PRIME ? sum - HASH_PRIME : sum;
}

static uint64_t
hash_with(uint64_t hash, char c) {
  return (hash_product(hash, HASH_POINT) + (unsigned char)c + 1) % HASH_PRIME;
}

/* The first of its characters leaves; weight: HASH_POINT to the power of their number less one. */
static uint64_t
hash_without(uint64_t hash, char c, uint64_t weight) {
  uint64_t share = hash_product(weight, (uint64_t)(unsigned char)c + 1);
  return hash >= share ? hash - share : hash + HASH_PRIME - share;
}

static uint64_t
hash_weight(size_t length) {
  uint64_t weight = 1;
  uint64_t square = HASH_POINT;
  for (size_t rest = length - 1; rest; rest >>= 1) {
    if (rest & 1)
      weight = hash_product(weight, square);
    square = hash_product(square, square);
  }
  return weight;
}

/* Hash of the next characters; the position moves beyond them. */
static uint64_t
hash_ahead(CORD_pos p, size_t length) {
  uint64_t hash = 0;
  for (size_t i = 0; i < length; i++) {
    hash = hash_with(hash, CORD_pos_fetch(p));
    CORD_next(p);
  }
  return hash;
}

/* s is not empty, and x not too short. */
static size_t
search_hashed(CORD x, size_t start, CORD s, size_t s_length) {
  CORD_pos head;
  CORD_pos tail;
  CORD_set_pos(head, s, 0);
  uint64_t wanted = hash_ahead(head, s_length);
  uint64_t weight = hash_weight(s_length);
  CORD_set_pos(tail, x, start);
  CORD_set_pos(head, x, start);
  uint64_t hash = hash_ahead(head, s_length);
  for (;;) {
    if (hash == wanted && CORD_ncmp(x, CORD_pos_to_index(tail), s, 0, s_length) == 0)
      return CORD_pos_to_index(tail);
    if (!CORD_pos_valid(head))
      return CORD_NOT_FOUND;
    hash = hash_with(hash_without(hash, CORD_pos_fetch(tail), weight), CORD_pos_fetch(head));
    CORD_next(tail);
    CORD_next(head);
  }
}

size_t
CORD_str(CORD x, size_t start, CORD s) {
  size_t x_length = CORD_len(x);
  size_t s_length = CORD_len(s);
  if (s_length == 0)
    return start;
  if (start > x_length || s_length > x_length - start)
    return CORD_NOT_FOUND;
  if (CORD_IS_STRING(x) && CORD_IS_STRING(s)) {
    const char *found = memmem(x + start, x_length - start, s, s_length);
    return found ? (size_t)(found - x) : CORD_NOT_FOUND;
  }
  return search_hashed(x, start, s, s_length);
}
