/* SPDX-License-Identifier: MIT */
/* Trees stay low, and cords of huge length are as any. */
#include "cord_test.h"

#include <gc/gc.h>
#include <string.h>

enum { PIECES = 200000, PIECE_CHARS = 40 };

static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789+-*/";

/* Length of the way to a character. */
static int
depth_at(CORD x, size_t i) {
  CORD_pos p;
  CORD_set_pos(p, x, i);
  CHECK(CORD_pos_valid(p));
  return p->path_len;
}

static int
depth_max(CORD x) {
  int depth = 0;
  for (size_t i = 0; i < CORD_len(x); i += PIECE_CHARS)
    if (depth_at(x, i) > depth)
      depth = depth_at(x, i);
  return depth;
}

/* 1.45 log2(pieces): what the sparsest balanced tree has. */
static int
depth_bound(size_t pieces) {
  int log2_pieces = 0;
  while ((size_t)1 << log2_pieces < pieces)
    log2_pieces++;
  return log2_pieces * 145 / 100 + 1;
}

static void
check_balanced(CORD x, size_t pieces) {
  CORD balanced = CORD_balance(x);
  CHECK(CORD_len(balanced) == CORD_len(x) && CORD_fetch(balanced, 17) == LETTERS[17]);
  CHECK(depth_max(balanced) <= (is_reference ? MAX_DEPTH : depth_bound(pieces)));   /* bdwgc's counts characters */
  CHECK(is_reference || CORD_balance(balanced) == balanced);
}

static void
check_letters(CORD x) {
  CHECK(CORD_len(x) == (size_t)PIECES * PIECE_CHARS);
  for (int i = 0; i < 1000; i++) {
    size_t index = random_below(CORD_len(x));
    CHECK(CORD_fetch(x, index) == LETTERS[index % PIECE_CHARS]);
    CHECK(depth_at(x, index) <= MAX_DEPTH);
  }
}

static void
test_appended(void) {
  CORD x = CORD_EMPTY;
  for (int i = 0; i < PIECES; i++)
    x = CORD_cat_char_star(x, LETTERS, PIECE_CHARS);
  check_letters(x);
  check_balanced(x, PIECES);
}

static void
test_prepended(void) {
  CORD x = CORD_EMPTY;
  for (int i = 0; i < PIECES; i++)
    x = CORD_cat(LETTERS, x);
  check_letters(x);
  check_balanced(x, PIECES);
}

/* An editor's: a piece replaced somewhere, again and again. */
static void
test_edited(void) {
  CORD x = CORD_EMPTY;
  for (int i = 0; i < PIECES / 10; i++)
    x = CORD_cat(x, LETTERS);
  for (int i = 0; i < PIECES / 10; i++) {
    size_t at = PIECE_CHARS * random_below(CORD_len(x) / PIECE_CHARS);
    x = CORD_catn(3, CORD_substr(x, 0, at), LETTERS, CORD_substr(x, at + PIECE_CHARS, CORD_len(x)));
  }
  for (size_t i = 0; i < CORD_len(x); i += 7)
    CHECK(CORD_fetch(x, i) == LETTERS[i % PIECE_CHARS]);
  check_balanced(x, CORD_len(x) / PIECE_CHARS * 2);
}

/* A part is no deeper than the whole. */
static void
test_parts(void) {
  CORD x = CORD_EMPTY;
  for (int i = 0; i < PIECES / 10; i++)
    x = CORD_cat(x, LETTERS);
  x = CORD_balance(x);
  for (int i = 0; i < 200; i++) {
    size_t start = random_below(CORD_len(x));
    CORD part = CORD_substr(x, start, random_below(CORD_len(x) - start) + 1);
    CHECK(CORD_fetch(part, CORD_len(part) - 1) == LETTERS[(start + CORD_len(part) - 1) % PIECE_CHARS]);
    CHECK(depth_at(part, random_below(CORD_len(part))) <= (is_reference ? MAX_DEPTH : depth_bound(PIECES / 10)));
  }
}

/* Each is the one before and one of those before that, so that at every node one side is deeper by so many. */
static void
test_leaning(bool to_left, int by) {
  enum { TIMES = 44 };
  CORD cords[TIMES];
  size_t pieces[TIMES];
  int last = 0;
  for (int i = 0; i < TIMES && (i == 0 || pieces[last] < PIECES / 4); i++) {
    last = i;
    cords[i] = i <= by ? LETTERS : to_left ? CORD_cat(cords[i - 1], cords[i - 1 - by]) :
      CORD_cat(cords[i - 1 - by], cords[i - 1]);
    pieces[i] = i <= by ? 1 : pieces[i - 1] + pieces[i - 1 - by];
  }
  CHECK(CORD_len(cords[last]) == PIECE_CHARS * pieces[last]);
  check_balanced(cords[last], pieces[last]);
}

/* Pieces concatenated in no order. */
static void
test_random(void) {
  enum { COUNT = 3000 };
  static CORD cords[COUNT];
  for (int i = 0; i < COUNT; i++)
    cords[i] = LETTERS;
  for (size_t count = COUNT; count > 1; count--) {
    size_t at = random_below(count - 1);
    cords[at] = CORD_cat(cords[at], cords[at + 1]);
    for (size_t i = at + 1; i + 1 < count; i++)
      cords[i] = cords[i + 1];
  }
  check_balanced(cords[0], COUNT);
}

/* bdwgc's cannot balance cords of 10^10 characters. */
static void
test_doubled(void) {
  int times = is_reference ? 20 : 40;
  CORD x = LETTERS;
  for (int i = 0; i < times; i++)
    x = CORD_cat(x, x);
  x = CORD_balance(x);
  CHECK(CORD_len(x) == (size_t)PIECE_CHARS << times);
  size_t index = ((size_t)PIECE_CHARS << (times - 1)) + 17;
  CHECK(CORD_fetch(x, index) == LETTERS[17]);
  CHECK(strcmp(CORD_to_char_star(CORD_substr(x, index, 10)), "rstuvwxyz0") == 0);
}

/* Twice what went before, with something between: the halves differ in depth, so that not all is balanced at once. */
static void
test_doubled_unevenly(void) {
  CORD x = LETTERS;
  size_t length = PIECE_CHARS;
  for (int i = 0; i < 20; i++) {
    x = CORD_catn(3, x, LETTERS, CORD_cat(x, LETTERS));
    length = 2 * length + 2 * PIECE_CHARS;
  }
  CHECK(CORD_len(x) == length);
  for (int i = 0; i < 1000; i++) {
    size_t index = random_below(length);
    CHECK(CORD_fetch(x, index) == LETTERS[index % PIECE_CHARS]);
  }
}

static void
test_huge(void) {
  size_t length = (size_t)1 << (is_reference ? 30 : 60);
  CORD x = CORD_catn(3, "before", CORD_chars('x', length), "behind");
  for (int i = 0; i < 1000; i++)
    x = CORD_cat(x, LETTERS);
  CHECK(CORD_len(x) == length + 12 + 1000 * PIECE_CHARS);
  CHECK(CORD_fetch(x, 5) == 'e' && CORD_fetch(x, length / 2) == 'x' && CORD_fetch(x, length + 6) == 'b');
  CHECK(CORD_cmp(CORD_substr(x, length + 4, 10), "xxbehindab") == 0);
  CHECK(CORD_chr(x, length - 10, 'e') == length + 7 && CORD_rchr(x, 1000000, 'f') == 2);
}

void
test_depth(void) {
  test_appended();
  test_prepended();
  test_edited();
  test_parts();
  for (int by = 0; by < 6; by++) {
    test_leaning(true, by);
    test_leaning(false, by);
  }
  test_random();
  test_doubled();
  test_doubled_unevenly();
  test_huge();
}
