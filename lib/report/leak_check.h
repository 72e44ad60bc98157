/* SPDX-License-Identifier: MIT */
/*
 * A leak check: what cannot be reached, and how, in groups of one kind and one allocation stack; of what is indirect
 * those that hang off the same direct leaks.
 */
#ifndef CGC_REPORT_LEAK_CHECK_H
#define CGC_REPORT_LEAK_CHECK_H

#include "report/leak_graph.h"

enum { LEAK_ADDRESSES_MAX = 8, LEAK_THREADS_MAX = 8 };

/* When one block was allocated. */
struct leak_birth {
  uint32_t thread, sequence, time;
};

struct leak_group {
  uint32_t stack;             /* number in the depot; 0: not recorded */
  enum leak_kind kind;        /* LEAK_REACHABLE: no leak, and among the possible ones if it is one */
  bool     is_cycle;
  uint64_t owners;            /* indirect: of leak_node; otherwise 0 */
  uint64_t blocks, bytes;
  uint64_t reach_blocks, reach_bytes;
  struct leak_birth first, last;
  unsigned thread_count, address_count;
  uint32_t threads[LEAK_THREADS_MAX];
  uintptr_t addresses[LEAK_ADDRESSES_MAX];
  struct leak_group *next;    /* while they are joined */
};

struct leak_counts {
  uint64_t blocks, bytes;
};

/* What a check found; until the next one. */
struct leak_result {
  int err;                    /* why it could not be made, or 0 */
  struct leak_group *groups;
  size_t   group_count;
  const uint32_t *owner_stacks;   /* leak_graph_owner_stacks */
  struct leak_counts live, leaked, ignored;
  uint64_t duration_ns;
};

/* Looks.  with_sites: at what can be reached as well.  The caller's stack counts from stack_pointer.  One at a time; not
 * inside a slow path. */
void leak_check_run(bool with_sites, uintptr_t stack_pointer, struct leak_result *result);

#endif
