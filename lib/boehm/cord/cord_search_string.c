/* SPDX-License-Identifier: MIT */
/*
 * Strings in cords.  It needs neither memory nor a copy of either cord, whatever their lengths.
 *
 * The first characters of what is searched, up to eight, are looked for in a word that the cord's characters are
 * shifted through; where they are, the rest is compared.  If that fails too often, as with long runs of one character,
 * the search goes on as that of Karp and Rabin (1987): a window as long as what is searched slides over the cord with a
 * hash of its characters, and is compared when the hash fits.  The hash is the polynomial of the characters modulo the
 * prime 2^61 - 1 at a fixed point.
 */
#include "boehm/cord/cord_node.h"
#include "boehm/cord/cord_position.h"

#include <assert.h>
#include <string.h>

enum {
  WORD_CHARS = 8,
  VAIN_MAX = 64,      /* comparisons that may fail, and one more for each length of what is searched */
};

#define HASH_PRIME (((uint64_t)1 << 61) - 1)
#define HASH_POINT ((uint64_t)0x0b5ad4eceda1ce2a)   /* anything less than the prime */

static_assert(HASH_POINT < HASH_PRIME, "a remainder of the prime");

/* ---- by hashes ---- */

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

static size_t
search_by_hash(CORD x, size_t start, CORD s, size_t s_length) {
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

/* ---- by words ---- */

/* The characters before a position, the last of them in the low byte. */
struct reader {
  CORD_pos pos;
  uint64_t word;
};

static void
reader_set(struct reader *reader, CORD cord, size_t start) {
  CORD_set_pos(reader->pos, cord, start);
  reader->word = 0;
}

static void
reader_read(struct reader *reader, size_t length) {
  for (size_t i = 0; i < length; i++) {
    reader->word = reader->word << 8 | (unsigned char)CORD_pos_fetch(reader->pos);
    CORD_next(reader->pos);
  }
}

/* Reads on until the characters under the mask are the ones wanted.  False at the end. */
static bool
reader_find(struct reader *reader, uint64_t wanted, uint64_t mask) {
  bool is_found = false;
  while (!is_found && CORD_pos_valid(reader->pos)) {
    size_t count = position_run(reader->pos);
    const char *chars = CORD_pos_cur_char_addr(reader->pos);
    uint64_t word = reader->word;
    size_t i = 0;
    while (i < count && !is_found) {
      word = word << 8 | (unsigned char)chars[i++];
      is_found = (word & mask) == wanted;
    }
    reader->word = word;
    CORD_pos_advance(reader->pos, i);
  }
  return is_found;
}

/* s is not empty, and x not too short. */
static size_t
search_by_word(CORD x, size_t start, CORD s, size_t s_length) {
  size_t count = s_length < WORD_CHARS ? s_length : WORD_CHARS;
  uint64_t mask = UINT64_MAX >> 8 * (WORD_CHARS - count);
  struct reader reader;
  reader_set(&reader, s, 0);
  reader_read(&reader, count);
  uint64_t wanted = reader.word;

  reader_set(&reader, x, start);
  reader_read(&reader, count - 1);
  size_t last = CORD_len(x) - s_length;
  for (size_t vain_count = 0; reader_find(&reader, wanted, mask); vain_count++) {
    size_t index = CORD_pos_to_index(reader.pos) - count;
    if (index > last)
      break;
    if (vain_count > VAIN_MAX + (index - start) / s_length)
      return search_by_hash(x, index, s, s_length);
    if (CORD_ncmp(x, index + count, s, count, s_length - count) == 0)
      return index;
  }
  return CORD_NOT_FOUND;
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
  return search_by_word(x, start, s, s_length);
}
