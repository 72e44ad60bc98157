/* SPDX-License-Identifier: MIT */
/*
 * Whether cycles that stop the program are partial (gc/old_pages.h).  That pays where what is new dies soon and what is
 * old stays as it is.  Where partial cycles leave too little room, or find most of it written to, which costs the
 * program a fault a page, there are only whole ones for a while.
 */
#ifndef CGC_GC_PARTIAL_H
#define CGC_GC_PARTIAL_H

#include "gc/pacer.h"

/* Whether the next cycle in a stop keeps its marks, and whether it may be a partial one if the one before has. */
bool partial_keeps_marks(void);
bool partial_is_wanted(void);

/* After each: what was found, and the pacer then. */
void partial_note_beside(void);
void partial_note_whole(const struct pacer *pacer, const struct pacer_input *found);
void partial_note_partial(const struct pacer *pacer, const struct pacer_input *found, uint64_t written_bytes);

#endif
