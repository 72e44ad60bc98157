/* SPDX-License-Identifier: MIT */
/*
 * Blocks of kinds with a disclaim function are reclaimed with the program's consent: what nothing refers to is kept by
 * the cycle that finds it so, and the function called when the world runs again.  It may keep the block.
 */
#ifndef CGC_LIB_BOEHM_DISCLAIM_H
#define CGC_LIB_BOEHM_DISCLAIM_H

#include <stdbool.h>
#include <stddef.h>

struct marker;

bool disclaim_exists(void);

/* All reachable blocks are marked. */
void disclaim_find_stw(struct marker *marker);

/* The marks of gc_mark.h outside of stops: of a block that was found, they tell its function that the program has come
 * back to it.  The first is false if the block was not found. */
bool disclaim_keep_locked(const void *block);
bool disclaim_is_kept_locked(const void *block);

/* Calls the functions for what was found, and frees what they give up. */
void disclaim_call_all(void);

/* The block is being freed. */
void disclaim_forget(const void *block);

#endif
