/* SPDX-License-Identifier: MIT */
/*
 * What cords are made of.
 *
 * A cord is null, a C string, or a node: nodes begin with a zero byte, which no other C string does.  A node is the
 * concatenation of two cords or a leaf: characters in memory, a function, or a part of a function's.  All nodes have
 * four words; a left child needs to know its length without counting, so it is a node unless it is shorter than 256.
 *
 * Nodes refer to the beginning of what they keep alive, with an offset beside: a program may tell the collector that
 * pointers to the inside of blocks do not count.
 *
 * Inside the library a cord goes with its length, as a piece.
 *
 * Invariants:
 *   [cord.inv.length]    no node is empty, and lengths do not overflow.
 *   [cord.inv.depth]     no cord that a program sees is deeper than MAX_DEPTH.
 *   [cord.inv.balanced]  is_balanced of a concatenation: so are both its children, and their depths differ by at most 1.
 */
#ifndef CGC_BOEHM_CORD_NODE_H
#define CGC_BOEHM_CORD_NODE_H

#include <gc/cord.h>

#include <stdbool.h>
#include <stdint.h>

enum {
  CORD_SHORT_MAX = 31,        /* up to here characters are copied rather than shared: no larger than a node */
  CORD_PLAIN_LEFT_MAX = 255,  /* what left_length can hold */
};

enum cord_kind { CORD_KIND_CONCAT = 1, CORD_KIND_CHARS, CORD_KIND_FUNCTION, CORD_KIND_PART };

struct cord_node {
  char zero;
  uint8_t kind;
  uint8_t depth;              /* 0: a leaf */
  uint8_t left_length;        /* of a left child that is a C string */
  bool is_balanced;
  size_t length;
};

struct cord_concat {
  struct cord_node node;
  CORD left;
  CORD right;
};

/* base[start] to base[start + length - 1]; there may be zeroes among them. */
struct cord_chars {
  struct cord_node node;
  const char *base;
  size_t start;
};

struct cord_function {
  struct cord_node node;
  CORD_fn function;
  void *client_data;
};

/* Characters start to start + length - 1 of whole. */
struct cord_part {
  struct cord_node node;
  const struct cord_function *whole;
  size_t start;
};

struct cord_piece {
  CORD cord;
  size_t length;
};

/* The same for leaves of all kinds: character i is chars[i], or function(start + i, client_data) if chars is null. */
struct cord_leaf {
  const char *chars;
  CORD_fn function;
  void *client_data;
  size_t start;
};

static inline bool
cord_is_node(CORD cord) {
  return cord && *cord == '\0';
}

static inline const struct cord_node *
cord_node(CORD cord) {
  return (const struct cord_node *)(const void *)cord;
}

static inline unsigned
cord_depth(CORD cord) {
  return cord_is_node(cord) ? cord_node(cord)->depth : 0;
}

static inline bool
cord_is_balanced(CORD cord) {
  return !cord_is_node(cord) || cord_node(cord)->is_balanced;
}

/* The cord as a concatenation; null if it is none. */
static inline const struct cord_concat *
cord_as_concat(CORD cord) {
  if (!cord_is_node(cord) || cord_node(cord)->kind != CORD_KIND_CONCAT)
    return NULL;
  return (const struct cord_concat *)(const void *)cord;
}

struct cord_piece cord_piece_of(CORD cord);
struct cord_piece cord_left(const struct cord_concat *concat);
struct cord_piece cord_right(const struct cord_concat *concat);

/* leaf: neither empty nor a concatenation. */
struct cord_leaf cord_leaf_of(CORD leaf);

static inline char
cord_leaf_char(const struct cord_leaf *leaf, size_t i) {
  return leaf->chars ? leaf->chars[i] : leaf->function(leaf->start + i, leaf->client_data);
}

/* A block without pointers for that many characters and a zero, which is there already. */
char *cord_alloc_chars(size_t length);

/* The cord of the characters in such a block. */
struct cord_piece cord_of_block(const char *block, size_t length);
struct cord_piece cord_of_copy(const char *chars, size_t length);

struct cord_piece cord_of_function(CORD_fn function, void *client_data, size_t length);

/* A part, not empty, of a leaf. */
struct cord_piece cord_leaf_part(struct cord_piece leaf, size_t start, size_t length);

/* A node of the two as they are.  Neither is empty. */
struct cord_piece cord_pair(struct cord_piece left, struct cord_piece right);

#endif
