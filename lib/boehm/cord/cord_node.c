/* SPDX-License-Identifier: MIT */
#include "boehm/cord/cord_node.h"

#include "boehm/cord/cord_fail.h"

#include <assert.h>
#include <gc/gc.h>
#include <string.h>

static_assert(sizeof(struct cord_concat) == 4 * sizeof(void *), "a concatenation has four words");
static_assert(sizeof(struct cord_chars) == sizeof(struct cord_concat), "so has a leaf of characters");
static_assert(sizeof(struct cord_function) == sizeof(struct cord_concat), "so has a function");
static_assert(sizeof(struct cord_part) == sizeof(struct cord_concat), "so has a part of one");
static_assert(CORD_SHORT_MAX < sizeof(struct cord_concat), "a short string is no larger than a node");

/* ---- looking ---- */

struct cord_piece
cord_piece_of(CORD cord) {
  if (!cord)
    return (struct cord_piece){NULL, 0};
  return (struct cord_piece){cord, cord_is_node(cord) ? cord_node(cord)->length : strlen(cord)};
}

struct cord_piece
cord_left(const struct cord_concat *concat) {
  size_t length = cord_is_node(concat->left) ? cord_node(concat->left)->length : concat->node.left_length;
  return (struct cord_piece){concat->left, length};
}

struct cord_piece
cord_right(const struct cord_concat *concat) {
  return (struct cord_piece){concat->right, concat->node.length - cord_left(concat).length};
}

static struct cord_leaf
cord_leaf_of_function(const struct cord_function *function, size_t start) {
  return (struct cord_leaf){
    .function = function->function, .client_data = function->client_data, .start = start};
}

struct cord_leaf
cord_leaf_of(CORD leaf) {
  if (!cord_is_node(leaf))
    return (struct cord_leaf){.chars = leaf};
  if (cord_node(leaf)->kind == CORD_KIND_CHARS) {
    const struct cord_chars *chars = (const void *)leaf;
    return (struct cord_leaf){.chars = chars->base + chars->start};
  }
  if (cord_node(leaf)->kind == CORD_KIND_FUNCTION)
    return cord_leaf_of_function((const void *)leaf, 0);
  const struct cord_part *part = (const void *)leaf;
  return cord_leaf_of_function(part->whole, part->start);
}

/* ---- making ---- */

char *
cord_alloc_chars(size_t length) {
  char *chars = length < SIZE_MAX ? GC_MALLOC_ATOMIC(length + 1) : NULL;
  if (!chars)
    cord_fail_memory("out of memory");
  chars[length] = '\0';
  return chars;
}

/* A leaf, or a node with the members still to be set. */
static struct cord_node *
cord_alloc_node(enum cord_kind kind, size_t length) {
  struct cord_node *node = GC_MALLOC(sizeof(struct cord_concat));
  if (!node)
    cord_fail_memory("out of memory");
  *node = (struct cord_node){.kind = (uint8_t)kind, .is_balanced = true, .length = length};
  return node;
}

/* The node is complete and refers to those two.  A program may have chosen to tell the collector itself where it stores
 * pointers; then this tells, and until then something else must keep the two. */
static struct cord_piece
cord_finish_node(struct cord_node *node, const void *first, const void *second) {
  GC_END_STUBBORN_CHANGE(node);
  GC_reachable_here(first);
  GC_reachable_here(second);
  return (struct cord_piece){&node->zero, node->length};
}

static struct cord_piece
cord_of_range(const char *base, size_t start, size_t length) {
  struct cord_chars *chars = (struct cord_chars *)cord_alloc_node(CORD_KIND_CHARS, length);
  chars->base = base;
  chars->start = start;
  return cord_finish_node(&chars->node, base, NULL);
}

struct cord_piece
cord_of_block(const char *block, size_t length) {
  if (length == 0)
    return (struct cord_piece){NULL, 0};
  if (!memchr(block, '\0', length))
    return (struct cord_piece){block, length};
  return cord_of_range(block, 0, length);
}

struct cord_piece
cord_of_copy(const char *chars, size_t length) {
  if (length == 0)
    return (struct cord_piece){NULL, 0};
  char *block = cord_alloc_chars(length);
  memcpy(block, chars, length);
  return cord_of_block(block, length);
}

struct cord_piece
cord_of_function(CORD_fn function, void *client_data, size_t length) {
  struct cord_function *node = (struct cord_function *)cord_alloc_node(CORD_KIND_FUNCTION, length);
  node->function = function;
  node->client_data = client_data;
  return cord_finish_node(&node->node, client_data, NULL);
}

static struct cord_piece
cord_of_part(const struct cord_function *whole, size_t start, size_t length) {
  struct cord_part *part = (struct cord_part *)cord_alloc_node(CORD_KIND_PART, length);
  part->whole = whole;
  part->start = start;
  return cord_finish_node(&part->node, whole, NULL);
}

struct cord_piece
cord_leaf_part(struct cord_piece leaf, size_t start, size_t length) {
  if (!cord_is_node(leaf.cord))
    return cord_of_range(leaf.cord, start, length);
  if (cord_node(leaf.cord)->kind == CORD_KIND_CHARS) {
    const struct cord_chars *chars = (const void *)leaf.cord;
    return cord_of_range(chars->base, chars->start + start, length);
  }
  if (cord_node(leaf.cord)->kind == CORD_KIND_FUNCTION)
    return cord_of_part((const void *)leaf.cord, start, length);
  const struct cord_part *part = (const void *)leaf.cord;
  return cord_of_part(part->whole, part->start + start, length);
}

static unsigned
cord_deeper(unsigned a, unsigned b) {
  return a > b ? a : b;
}

struct cord_piece
cord_pair(struct cord_piece left, struct cord_piece right) {
  if (left.length > SIZE_MAX - right.length)
    cord_fail_memory("a cord is longer than memory can be");
  if (!cord_is_node(left.cord) && left.length > CORD_PLAIN_LEFT_MAX)
    left = cord_of_range(left.cord, 0, left.length);

  struct cord_concat *concat = (struct cord_concat *)cord_alloc_node(CORD_KIND_CONCAT, left.length + right.length);
  unsigned left_depth = cord_depth(left.cord);
  unsigned right_depth = cord_depth(right.cord);
  concat->node.depth = (uint8_t)(1 + cord_deeper(left_depth, right_depth));
  concat->node.left_length = cord_is_node(left.cord) ? 0 : (uint8_t)left.length;
  concat->node.is_balanced = cord_is_balanced(left.cord) && cord_is_balanced(right.cord) &&
    left_depth <= right_depth + 1 && right_depth <= left_depth + 1;
  concat->left = left.cord;
  concat->right = right.cord;
  return cord_finish_node(&concat->node, left.cord, right.cord);
}
