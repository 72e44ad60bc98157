/* SPDX-License-Identifier: MIT */
/*
 * Leaked blocks and what they refer to: which of them stand for the others.
 *
 * Blocks that reach each other are one component.  A component that no other refers to is represented by the block of it
 * that was allocated first, which is the direct leak; all others are indirect, and hang off all direct leaks that reach
 * them.
 *
 * Source: R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1 (1972).
 */
#ifndef CGC_REPORT_LEAK_GRAPH_H
#define CGC_REPORT_LEAK_GRAPH_H

#include "record/record.h"

enum { LEAK_OWNERS_MAX = 64 };

enum leak_kind { LEAK_DIRECT, LEAK_INDIRECT, LEAK_POSSIBLE, LEAK_DOUBTFUL, LEAK_REACHABLE };

struct leak_node {
  /* Given. */
  uintptr_t addr;
  size_t    bytes;            /* requested */
  const struct record *record;
  bool      has_pointers;
  bool      is_doubtful;      /* one pointer just past its end was found */

  /* Found. */
  enum leak_kind kind;        /* direct, indirect or doubtful */
  bool      is_cycle;         /* direct: stands for a component of several */
  size_t    reach_blocks;     /* direct: it, and what hangs off it; each block is counted once */
  size_t    reach_bytes;
  uint64_t  owners;           /* indirect: a bit for each stack of leak_graph_owner_stacks whose direct leaks reach it */

  /* While that goes on. */
  uint32_t  order;            /* in which it was reached first, from 1 */
  uint32_t  lowest_order;     /* of those on the stack that it reaches */
  uint32_t  representative;   /* of its component: index */
  bool      is_on_stack;
  bool      has_parent;       /* representative: another component refers to it */
  bool      is_claimed;       /* hangs off a block looked at before */
};

/* Finds all of that for nodes with different addresses.  False if there is no memory. */
bool leak_graph_classify(struct leak_node *nodes, size_t count);

/* The stacks of the direct leaks: LEAK_OWNERS_MAX, until the next time.  0 stands for all that are not recorded, and in
 * the last place for all that there was no room for. */
const uint32_t *leak_graph_owner_stacks(void);

#endif
