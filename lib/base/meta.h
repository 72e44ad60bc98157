/* SPDX-License-Identifier: MIT */
/*
 * Memory for our own data: mapped on demand inside the hull, zeroed.  Most is never given back.
 * Its contents are no roots: it may hold addresses of blocks without keeping them.
 */
#ifndef CGC_BASE_META_H
#define CGC_BASE_META_H

#include "base/atom.h"

/* Takes over the page that hull_init mapped.  False if there is no memory. */
bool meta_init(void);

/* Zeroed memory, aligned to 64 bytes, or NULL.  Takes LOCK_RANK_META. */
void *meta_alloc(size_t bytes);

/* Takes back what meta_alloc gave for so many bytes.  Nobody has an address in it any more; but a scan of it that has
 * begun may go on.  Takes LOCK_RANK_META. */
void meta_free(void *memory, size_t bytes);

/* Maps [addr, addr + bytes), which must lie in the hull outside the metadata proper.
 * Returns 0 or an errno code. */
int meta_map_table(uintptr_t addr, size_t bytes);

size_t meta_bytes(void);

/* The metadata proper lies in one piece after another: [*start_addr, *end_addr) is the piece of that index, the last
 * one growing.  False if there is no such piece. */
bool meta_piece(unsigned index, uintptr_t *start_addr, uintptr_t *end_addr);

enum { META_PIECES_MAX = 64 };

/* True from meta_init on, and false again in a child process that has its own copy of
 * our memory, however it was made (fork, _Fork, clone), until meta_adopt_fork.  A vfork
 * child shares the parent's memory and is not told apart. */
CGC_INLINE bool
meta_is_native(void) {
  extern const atom_int *meta_sentinel;   /* on a page that reads as zero in a forked child */
  return atom_int_load_rlx(meta_sentinel) != 0;
}

/* Makes a forked child the owner of its copy.  No other thread may be running. */
void meta_adopt_fork(void);

#endif
