/* SPDX-License-Identifier: MIT */
/*
 * Positions: the way from the whole cord down to a leaf, and the characters around the current one.
 *
 * In a leaf of characters those are all of the leaf.  In a function's they are computed into function_buf: one when it
 * is asked for, and on each step out of what is there the next ones in the direction of the step.
 *
 * A right child starts later than its parent, a left one where it starts: so the path tells of each which it is.
 *
 * Invariants of a valid position:
 *   path[path_len] is a leaf, and cur_pos is in it.
 *   cur_end is 0, or cur_start <= cur_pos < cur_end and cur_leaf[i - cur_start] is character i of all between them.
 * Of one that is not valid cur_end is 0, and so all macros end up here.
 */
#include "boehm/cord/cord_fail.h"
#include "boehm/cord/cord_node.h"

#include <assert.h>
#include <gc/gc.h>

static_assert(FUNCTION_BUF_SZ == 8 && MAX_DEPTH == 48, "programs know both");
static_assert(sizeof(struct CORD_Pos) == 832, "programs know a position's size");

static void
position_invalidate(CORD_pos p) {
  p->path_len = CORD_POS_INVALID;
  p->cur_end = 0;
}

static void
position_check(CORD_pos p) {
  if (p->path_len == CORD_POS_INVALID)
    cord_fail("a position that is not valid was used");
}

/* Appends a piece of the cord, which starts at that index of it, and what of it leads to the current character. */
static void
position_descend(CORD_pos p, int depth, struct cord_piece piece, size_t start) {
  const struct cord_concat *concat;
  for (; (concat = cord_as_concat(piece.cord)); depth++) {
    p->path[depth] = (struct CORD_pe){piece.cord, start};
    struct cord_piece left = cord_left(concat);
    bool is_right = p->cur_pos - start >= left.length;
    piece = is_right ? cord_right(concat) : left;
    start += is_right ? left.length : 0;
  }
  p->path[depth] = (struct CORD_pe){piece.cord, start};
  p->path_len = depth;
  p->cur_start = start;
  p->cur_leaf = cord_leaf_of(piece.cord).chars;
  p->cur_end = p->cur_leaf ? start + piece.length : 0;
}

/* Computes the characters from start, which the current one is among, to end. */
static void
position_compute(CORD_pos p, size_t start, size_t end) {
  const struct CORD_pe *at = &p->path[p->path_len];
  struct cord_leaf leaf = cord_leaf_of(at->pe_cord);
  for (size_t i = start; i < end; i++)
    p->function_buf[i - start] = cord_leaf_char(&leaf, i - at->pe_start_pos);
  p->cur_leaf = p->function_buf;
  p->cur_start = start;
  p->cur_end = end;
}

/* The current position's leaf ends there.  A C string's length is in no node, but all of it is at hand. */
static size_t
position_leaf_end(CORD_pos p) {
  const struct CORD_pe *at = &p->path[p->path_len];
  return cord_is_node(at->pe_cord) ? at->pe_start_pos + cord_node(at->pe_cord)->length : p->cur_end;
}

static bool
position_is_right_child(CORD_pos p, int depth) {
  return p->path[depth].pe_start_pos > p->path[depth - 1].pe_start_pos;
}

/* The current index is in the other leaf at that side: the path turns at the last child that is not at that side. */
static void
position_cross(CORD_pos p, bool to_right) {
  int depth = p->path_len;
  while (depth > 0 && position_is_right_child(p, depth) == to_right)
    depth--;
  if (depth == 0) {
    position_invalidate(p);
    return;
  }
  struct CORD_pe parent = p->path[depth - 1];
  position_descend(p, depth - 1, cord_piece_of(parent.pe_cord), parent.pe_start_pos);
}

void
CORD_set_pos(CORD_pos p, CORD x, size_t i) {
  struct cord_piece piece = cord_piece_of(x);
  GC_PTR_STORE_AND_DIRTY(&p->path[0].pe_cord, x);
  p->cur_pos = i;
  if (i < piece.length)
    position_descend(p, 0, piece, 0);
  else
    position_invalidate(p);
}

char
CORD__pos_fetch(CORD_pos p) {
  position_check(p);
  if (p->cur_end == 0)
    position_compute(p, p->cur_pos, p->cur_pos + 1);
  return p->cur_leaf[p->cur_pos - p->cur_start];
}

void
CORD__next(CORD_pos p) {
  position_check(p);
  p->cur_pos++;
  size_t end = position_leaf_end(p);
  size_t count = end - p->cur_pos;
  if (count == 0)
    position_cross(p, true);
  else if (p->cur_pos >= p->cur_end)
    position_compute(p, p->cur_pos, count > FUNCTION_BUF_SZ ? p->cur_pos + FUNCTION_BUF_SZ : end);
}

void
CORD__prev(CORD_pos p) {
  position_check(p);
  size_t start = p->path[p->path_len].pe_start_pos;
  if (p->cur_pos == 0) {
    position_invalidate(p);
    return;
  }
  size_t count = p->cur_pos - start;
  size_t end = p->cur_pos--;
  if (count == 0)
    position_cross(p, false);
  else if (p->cur_end == 0 || p->cur_pos < p->cur_start)
    position_compute(p, count > FUNCTION_BUF_SZ ? end - FUNCTION_BUF_SZ : start, end);
}

/* ---- the macros as functions ---- */

char
(CORD_pos_fetch)(CORD_pos p) {
  return CORD_pos_fetch(p);
}

void
(CORD_next)(CORD_pos p) {
  CORD_next(p);
}

void
(CORD_prev)(CORD_pos p) {
  CORD_prev(p);
}

size_t
(CORD_pos_to_index)(CORD_pos p) {
  return CORD_pos_to_index(p);
}

CORD
(CORD_pos_to_cord)(CORD_pos p) {
  return CORD_pos_to_cord(p);
}

int
(CORD_pos_valid)(CORD_pos p) {
  return CORD_pos_valid(p);
}
