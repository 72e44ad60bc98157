/* SPDX-License-Identifier: MIT */
/* Functions to be called for blocks that cannot be reached any more, in the orders of gc.h. */
#ifndef CGC_LIB_BOEHM_FINALIZERS_H
#define CGC_LIB_BOEHM_FINALIZERS_H

#include <stdbool.h>

#include <gc/gc.h>

struct marker;

/* When a finalizer may run, beside that its block is not reachable otherwise. */
enum finalizer_order {
  FINALIZER_TOPOLOGICAL,   /* no other such block refers to it, nor itself */
  FINALIZER_IGNORE_SELF,   /* but itself */
  FINALIZER_NO_ORDER,      /* at once */
  FINALIZER_UNREACHABLE,   /* as the first, and none that is finalized in no order refers to it (Java) */
};

struct finalizer {
  GC_finalization_proc function;   /* NULL: none */
  void *data;
};

/* Sets the block's finalizer, and tells the one before.  False if there is no memory, and nothing changed.  What is no
 * block has none. */
bool finalizers_set(void *block, struct finalizer finalizer, enum finalizer_order order, struct finalizer *before);

/* The block is being freed. */
void finalizers_forget(const void *block);

/* Marks what must be kept for them, and makes ready those that may run; all reachable blocks are marked. */
void finalizers_conclude_stw(struct marker *marker);

bool   finalizers_are_ready(void);
size_t finalizers_count(void);
size_t finalizers_ready_count(void);

/* Makes ready all there are. */
void finalizers_make_all_ready(void);

/* Runs those that are ready; how many. */
int finalizers_run(void);

#endif
