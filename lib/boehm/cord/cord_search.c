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
#include "boehm/cord/cord_position.h"

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

/* ---- strings ---- */

static uint64_t
hash_product(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  uint64_t sum = (uint64_t)(product & HASH_PRIME) + (uint64_t)(product >> 61);
  return sum >= HASH_PRIME ? sum - HASH_PRIME : sum;
}

static uint64_t
hash_sum(uint64_t a, uint64_t b) {
  return a + b >= HASH_PRIME ? a + b - HASH_PRIME : a + b;
}

/* More than 0, so that zeroes count. */
static uint64_t
hash_of(char c) {
  return (uint64_t)(unsigned char)c + 1;
}

/* One more character. */
static uint64_t
hash_with(uint64_t hash, char c) {
  return hash_sum(hash_product(hash, HASH_POINT), hash_of(c));
}

/* One more character, and the first one less; weight: HASH_POINT to the power of the number of characters. */
static uint64_t
hash_slide(uint64_t hash, char first, char next, uint64_t weight) {
  return hash_sum(hash_with(hash, next), HASH_PRIME - hash_product(weight, hash_of(first)));
}

static uint64_t
hash_weight(size_t length) {
  uint64_t weight = 1;
  uint64_t square = HASH_POINT;
  for (size_t rest = length; rest; rest >>= 1) {
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

/* A part of a cord: from tail up to, not including, head. */
struct window {
  CORD_pos tail;
  CORD_pos head;
  uint64_t hash;
  uint64_t weight;
};

/* Moves the window at least one character and at most to where the hash is the one wanted. */
static void
window_slide(struct window *window, uint64_t wanted) {
  size_t count = position_run_of_both(window->tail, window->head);
  const char *first = CORD_pos_cur_char_addr(window->tail);
  const char *next = CORD_pos_cur_char_addr(window->head);
  uint64_t hash = window->hash;
  size_t i = 0;
  do {
    hash = hash_slide(hash, first[i], next[i], window->weight);
    i++;
  } while (i < count && hash != wanted);
  window->hash = hash;
  CORD_pos_advance(window->tail, i);
  CORD_pos_advance(window->head, i);
}

/* s is not empty, and x not too short. */
static size_t
search_hashed(CORD x, size_t start, CORD s, size_t s_length) {
  struct window window;
  CORD_set_pos(window.head, s, 0);
  uint64_t wanted = hash_ahead(window.head, s_length);
  CORD_set_pos(window.tail, x, start);
  CORD_set_pos(window.head, x, start);
  window.hash = hash_ahead(window.head, s_length);
  window.weight = hash_weight(s_length);
  for (;;) {
    size_t index = CORD_pos_to_index(window.tail);
    if (window.hash == wanted && CORD_ncmp(x, index, s, 0, s_length) == 0)
      return index;
    if (!CORD_pos_valid(window.head))
      return CORD_NOT_FOUND;
    window_slide(&window, wanted);
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
