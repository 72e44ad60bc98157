/* SPDX-License-Identifier: MIT */
/*
 * Pages of the heap that are left unwatched while the program fills them.
 *
 * A write to a watched page costs the program a fault, a microsecond, once in each round of a mark; and where spans are
 * partly free, each page that it allocates from is written.  What it is going to allocate from soon is therefore not
 * watched at first: it counts as written, as all that is not watched does, and is looked at when it has been filled, or
 * at last before the final stop.  So a page that is left open is looked at once more, which is nothing new if it is
 * written, and in vain if it is not.
 *
 * Which pages are chosen changes what a mark costs, not what it finds.
 */
#ifndef CGC_GC_OPEN_PAGES_H
#define CGC_GC_OPEN_PAGES_H

#include "base/compiler.h"

#include <stdbool.h>

/* Chooses, before pages are watched: stretches of which most can be allocated from, if the program is likely to take
 * most of that while the mark goes on, which is told by how much it took during the last one. */
void open_pages_choose(uint64_t expected_bytes);

bool open_pages_has_any(void);

/* Closes those that have been filled; or all. */
void open_pages_close_filled(void);
void open_pages_close_all(void);

/* The first run of pages that are not open, from *start_addr on and before end_addr, in one arena.  False if there is
 * none. */
bool open_pages_next_closed(uintptr_t *start_addr, uintptr_t *run_end_addr, uintptr_t end_addr);

#endif
