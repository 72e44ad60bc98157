/* SPDX-License-Identifier: MIT */
/*
 * Addresses that markers beside the program have found in memory, for a verification.
 *
 * A word in memory can outlive the block it pointed to, and another block be allocated there while the mark goes on, of
 * which that word is no reference: it is older.  A verification that finds the word, and the new block unmarked, must
 * not take it for one that was missed.  So it counts words only that no marker has seen.  What it does not check is a
 * pointer to a new block that has the very address of an old word seen in the same cycle.
 */
#ifndef CGC_GC_SEEN_WORDS_H
#define CGC_GC_SEEN_WORDS_H

#include "base/compiler.h"

#include <stdbool.h>

/* Forgets all.  With the cycle lock. */
void seen_words_begin(void);

/* Markers: an address in the range of the heap, where a block may come to lie. */
void seen_words_note(uintptr_t addr);

/* All that memory holds which a block is about to grow over: older than the block's new part.  The block may have been
 * scanned, and its memory not be written to, so that a partial cycle does not look at it.  Addresses of whole pages. */
void seen_words_note_memory(uintptr_t start_addr, uintptr_t end_addr);

bool seen_words_has(uintptr_t addr);

#endif
