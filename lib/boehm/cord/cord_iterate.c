/* SPDX-License-Identifier: MIT */
/* Every character in turn. */
#include "boehm/cord/cord_copy.h"
#include "boehm/cord/cord_fail.h"
#include "boehm/cord/cord_node.h"

#include <string.h>

struct visitor {
  CORD_iter_fn character;
  CORD_batched_iter_fn string;    /* or null */
  void *client_data;
};

/* Characters one after the other. */
struct run {
  const char *chars;
  size_t length;
  char computed[FUNCTION_BUF_SZ];
};

/* Characters of a leaf from start on, not beyond end: all, if they are in memory. */
static void
run_set(struct run *run, const struct cord_leaf *leaf, size_t start, size_t end) {
  run->length = end - start;
  run->chars = leaf->chars ? leaf->chars + start : run->computed;
  if (leaf->chars)
    return;
  if (run->length > FUNCTION_BUF_SZ)
    run->length = FUNCTION_BUF_SZ;
  cord_leaf_copy(leaf, start, run->length, run->computed);
}

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
  while (start < piece.length) {
    struct run run;
    run_set(&run, &leaf, start, piece.length);
    for (size_t i = 0; i < run.length; i++)
      if (visitor->character(run.chars[i], visitor->client_data))
        return true;
    start += run.length;
  }
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
  while (count) {
    struct run run;
    run_set(&run, &leaf, leaf.chars || count < FUNCTION_BUF_SZ ? 0 : count - FUNCTION_BUF_SZ, count);
    for (size_t i = run.length; i--;)
      if (visitor->character(run.chars[i], visitor->client_data))
        return true;
    count -= run.length;
  }
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
