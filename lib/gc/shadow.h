/* SPDX-License-Identifier: MIT */
/*
 * Shadows: what pages of large blocks held when a marker last looked at them.
 *
 * A table that the program writes to all the time is among the written pages of every round and of the last stop, and
 * each of its pages leads to 512 blocks that must be looked up, nearly all of which are marked.  With a shadow of the
 * page only what differs from it is looked up.
 *
 * A line of a shadow is settled if each address in it led to a marked block, or to no heap.  Marks stay as long as the
 * mark goes on, so what a settled line holds need not be looked up again, whatever block it lies in by then; unless
 * pages that it leads to have been made a span of since then (heap_map_made_since), whose marks are its own.
 *
 * Invariant
 *   [shadow.seen] what a shadow holds has been looked up from there, and not from the page, which may change meanwhile
 */
#ifndef CGC_GC_SHADOW_H
#define CGC_GC_SHADOW_H

#include "base/arch_x86_64.h"
#include "base/atom.h"

enum { SHADOW_LINE_WORDS = 8, SHADOW_LINES = ARCH_PAGE_BYTES / (SHADOW_LINE_WORDS * 8) };

struct shadow {
  atom_word page_addr;        /* 0: none.  Written once in a mark, when the rest is complete; pairs with find */

  /* Of the marker that looks at the page. */
  uintptr_t *words;           /* the page's */
  uint64_t settled_lines;     /* the rest holds nothing of use */
  uint8_t  round;             /* of heap_map, when settled lines were settled */
};

_Static_assert(SHADOW_LINES == 64, "a word has a bit for each line");

/* At the beginning of a mark: there are none. */
void shadow_begin(void);

/* The shadow of that page, maybe a new one; NULL if there is no room.  Of several markers each looks at other pages. */
struct shadow *shadow_of(uintptr_t page_addr);

#endif
