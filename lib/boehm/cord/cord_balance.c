/* SPDX-License-Identifier: MIT */
/*
 * Low trees: the depths of the two children of a balanced node differ by at most one.
 *
 * Source: the trees of Adelson-Velsky and Landis, joined as in Blelloch, Ferizovic and Sun, "Just join for parallel
 * ordered sets", 2016, but with all characters in the leaves.  The deepest such trees are those of Fibonacci: depth d
 * needs F(d + 2) leaves.
 *
 * Boehm, Atkinson and Plass measure by characters what here the number of leaves decides: a function of many characters
 * weighs no more than a string of one, and a cord of huge length never becomes too deep by it.  Also, nodes need no
 * counts, and a subtree that is known to be balanced is not looked into: balancing again after some changes is fast,
 * and what several cords share, or one cord has many times, stays shared.
 */
#include "boehm/cord/cord_balance.h"

#include "boehm/cord/cord_fail.h"

enum side { SIDE_LEFT, SIDE_RIGHT };

static struct cord_piece
cord_child(struct cord_piece parent, enum side side) {
  const struct cord_concat *concat = cord_as_concat(parent.cord);
  return side == SIDE_LEFT ? cord_left(concat) : cord_right(concat);
}

static enum side
side_opposite(enum side side) {
  return side == SIDE_LEFT ? SIDE_RIGHT : SIDE_LEFT;
}

/* The pair in which outer is at that side of inner. */
static struct cord_piece
cord_pair_at(enum side side, struct cord_piece inner, struct cord_piece outer) {
  return side == SIDE_LEFT ? cord_pair(outer, inner) : cord_pair(inner, outer);
}

/* As cord_pair_at, but outer may be deeper than inner by two, and is then taken apart. */
static struct cord_piece
cord_pair_rotated(enum side side, struct cord_piece inner, struct cord_piece outer) {
  if (cord_depth(outer.cord) <= cord_depth(inner.cord) + 1)
    return cord_pair_at(side, inner, outer);

  struct cord_piece near = cord_child(outer, side_opposite(side));
  struct cord_piece far = cord_child(outer, side);
  if (cord_depth(near.cord) <= cord_depth(far.cord))
    return cord_pair_at(side, cord_pair_at(side, inner, near), far);

  struct cord_piece near_half = cord_child(near, side_opposite(side));
  struct cord_piece far_half = cord_child(near, side);
  return cord_pair_at(side, cord_pair_at(side, inner, near_half), cord_pair_at(side, far_half, far));
}

/* Lets low, which is not deeper, grow onto tall at that side.  The result is as deep as tall or deeper by one. */
static struct cord_piece
cord_graft(enum side side, struct cord_piece tall, struct cord_piece low) {
  if (cord_depth(tall.cord) <= cord_depth(low.cord) + 1)
    return cord_pair_at(side, tall, low);
  struct cord_piece grown = cord_graft(side, cord_child(tall, side), low);
  return cord_pair_rotated(side, cord_child(tall, side_opposite(side)), grown);
}

struct cord_piece
cord_join(struct cord_piece left, struct cord_piece right) {
  if (!left.length)
    return right;
  if (!right.length)
    return left;
  if (cord_depth(left.cord) < cord_depth(right.cord))
    return cord_graft(SIDE_LEFT, right, left);
  return cord_graft(SIDE_RIGHT, left, right);
}

struct cord_piece
cord_balanced(struct cord_piece piece) {
  if (cord_is_balanced(piece.cord))
    return piece;
  return cord_join(cord_balanced(cord_child(piece, SIDE_LEFT)), cord_balanced(cord_child(piece, SIDE_RIGHT)));
}

CORD
cord_admit(struct cord_piece piece) {
  if (cord_depth(piece.cord) > MAX_DEPTH)
    piece = cord_balanced(piece);
  if (cord_depth(piece.cord) > MAX_DEPTH)
    cord_fail_memory("a cord has too many pieces");   /* 10^10 or more */
  return piece.cord;
}

CORD
CORD_balance(CORD x) {
  return cord_admit(cord_balanced(cord_piece_of(x)));
}
