/* SPDX-License-Identifier: MIT */
/*
 * Disappearing links: words that are cleared when the block that they belong to cannot be reached.  Short ones before
 * finalizers are looked at, long ones when the block is not even kept for a finalizer.
 */
#ifndef CGC_LIB_BOEHM_LINKS_H
#define CGC_LIB_BOEHM_LINKS_H

#include <stddef.h>

enum link_length { LINK_SHORT, LINK_LONG, LINK_LENGTHS };

/* Clears those of unreachable blocks, and forgets them. */
void links_clear_stw(enum link_length length);

/* Forgets those that lie in unreachable blocks themselves. */
void links_forget_dead_stw(enum link_length length);

size_t links_count(enum link_length length);

#endif
