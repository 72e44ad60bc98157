/* SPDX-License-Identifier: MIT */
/* The tree of a cord, for people: a node a line, children indented below their parent. */
#include "boehm/cord/cord_node.h"

#include <ctype.h>

enum { DUMP_CHARS_MAX = 40 };

static void
dump_chars(struct cord_piece piece) {
  struct cord_leaf leaf = cord_leaf_of(piece.cord);
  size_t shown = piece.length < DUMP_CHARS_MAX ? piece.length : DUMP_CHARS_MAX;
  putchar('"');
  for (size_t i = 0; i < shown; i++) {
    unsigned char c = (unsigned char)cord_leaf_char(&leaf, i);
    printf(isprint(c) ? "%c" : "\\%03o", c);
  }
  printf(shown < piece.length ? "\"...\n" : "\"\n");
}

static void
dump_leaf(struct cord_piece piece) {
  if (!cord_is_node(piece.cord))
    printf("string of %zu: ", piece.length);
  else if (cord_leaf_of(piece.cord).chars)
    printf("%p characters, %zu: ", (const void *)piece.cord, piece.length);
  else
    printf("%p function, %zu: ", (const void *)piece.cord, piece.length);
  dump_chars(piece);
}

static void
dump_piece(struct cord_piece piece, int level) {
  printf("%*s", 2 * level, "");
  const struct cord_concat *concat = cord_as_concat(piece.cord);
  if (!concat) {
    dump_leaf(piece);
    return;
  }
  printf("%p concatenation of %zu, depth %u%s\n", (const void *)piece.cord, piece.length, cord_depth(piece.cord),
    cord_is_balanced(piece.cord) ? ", balanced" : "");
  dump_piece(cord_left(concat), level + 1);
  dump_piece(cord_right(concat), level + 1);
}

void
CORD_dump(CORD x) {
  if (x)
    dump_piece(cord_piece_of(x), 0);
  else
    puts("empty");
  fflush(stdout);
}
