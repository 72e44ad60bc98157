/* SPDX-License-Identifier: MIT */
/* Marking by hand, for the client (gc/client.h): single addresses, memory, the contents of blocks; and single marks. */
#ifndef CGC_GC_MARK_BLOCK_H
#define CGC_GC_MARK_BLOCK_H

#include "gc/mark.h"

/* Marks the block that addr points into, if it does. */
void mark_address(struct marker *marker, uintptr_t addr);

/* Takes every word of [start_addr, end_addr) for an address; the memory can be read. */
void mark_memory(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr);

/* Marks what the block that starts at addr refers to, whether it is marked or not. */
void mark_contents(struct marker *marker, uintptr_t addr);

/* Marks that block, too, if it is not, for what becomes of it when the cycle has ended. */
void mark_revive_stw(struct marker *marker, uintptr_t addr);

/* Ends with nothing left to be scanned.  The second only has all addresses so far looked up. */
void mark_finish(struct marker *marker);
void mark_settle(struct marker *marker);

/* The mark of the block that addr points into.  Setting it does not have its contents scanned.  World stopped, and no
 * marker at work. */
bool mark_has(uintptr_t addr);
bool mark_lacks(uintptr_t addr);   /* a block of the heap, or a slot, is there and has none */
void mark_set_stw(uintptr_t addr);
void mark_clear_stw(uintptr_t addr);

/* Which addresses in a block keep it; changed inside slow paths, or while there is one thread only. */
enum { MARK_OFFSETS = 4096 };

struct mark_offsets {
  bool are_checked;                          /* else the rest does not count */
  bool are_all_valid;                        /* but of blocks that are kept by their first MARK_OFFSETS bytes */
  unsigned char is_valid[MARK_OFFSETS];      /* else, outside of stacks, these are; larger ones never */
};

extern struct mark_offsets mark_offsets;

#endif
