/* SPDX-License-Identifier: MIT */
/*
 * A fork is made with the allocation lock held, so that a child finds the tables of this layer whole, whatever its
 * parent's other threads were doing; of the heap below it is adopted at its first slow path (gc/runtime.h).
 */
#ifndef CGC_LIB_BOEHM_FORK_H
#define CGC_LIB_BOEHM_FORK_H

/* As the interface is started. */
void fork_start(void);

#endif
