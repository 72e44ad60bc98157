/* SPDX-License-Identifier: MIT */
/*
 * What a cycle leaves to threads of the program, when they hold nothing and the world runs: finalizers or their notifier,
 * warnings, blocks that a disclaim function or the search for leaks has found.
 */
#ifndef CGC_LIB_BOEHM_AFTER_CYCLE_H
#define CGC_LIB_BOEHM_AFTER_CYCLE_H

#include "base/atom.h"

extern atom_int after_cycle_has_work;

void after_cycle_work(void);

/* At the end of a slow path of allocation, and of a collection that the program asked for. */
CGC_INLINE void
after_cycle_settle(void) {
  if (CGC_UNLIKELY(atom_int_load_rlx(&after_cycle_has_work)))
    after_cycle_work();
}

#endif
