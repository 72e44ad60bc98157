/* SPDX-License-Identifier: MIT */
/*
 * Every span structure ever made, by index: sweeps walk it, and a forked child rebuilds the
 * heap from it.  Unused structures wait in pools by the number of words they have room for.
 */
#ifndef CGC_HEAP_SPAN_TABLE_H
#define CGC_HEAP_SPAN_TABLE_H

#include "heap/span.h"

void span_table_init(void);

/* A structure in state SPAN_UNUSED with room for that many words, or NULL.  Lock: page heap. */
struct cgc_span *span_table_take_locked(unsigned word_count);
void span_table_give_locked(struct cgc_span *span);

/* Forgets the pools and refills them from the structures in state SPAN_UNUSED.  Lock: page heap. */
void span_table_rebuild_locked(void);

/* Structures made so far.  Each index below it is valid. */
size_t span_table_count(void);
struct cgc_span *span_table_at(size_t index);

/* The end of what is mapped of the table, which starts at hull.span_table_addr. */
uintptr_t span_table_end_addr(void);

#endif
