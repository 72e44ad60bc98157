/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: where in a block addresses lie.  The two lowest bits tell how the rest is to be read, as in gc_mark.h:
 *
 *   length      so many bytes from the start, every word of them
 *   bitmap      the highest bit stands for the first word, and so on
 *   procedure   its number, and a word for it
 *   per object  where in the block, or behind its first word, the descriptor is
 */
#ifndef CGC_LIB_BOEHM_DESCRIPTOR_H
#define CGC_LIB_BOEHM_DESCRIPTOR_H

#include "base/compiler.h"

#include <stdbool.h>

#include <gc/gc_mark.h>

struct marker;

/* Marks what a block of so many bytes refers to. */
void descriptor_scan(struct marker *marker, uintptr_t addr, size_t bytes, GC_word descriptor);

/* Whether the program has procedures of its own, which run in stops only. */
bool descriptor_has_procedures(void);

/* Under the lock: the procedure of a reserved number. */
void descriptor_set_procedure_locked(unsigned number, GC_mark_proc procedure);

/* Of a type with a pointer in each word whose bit is set; then of as many of such elements as fit a block.  0 without
 * memory. */
GC_word descriptor_of_bitmap(const GC_word *bits, size_t word_count);
GC_word descriptor_of_array(GC_word element, size_t element_bytes);

#endif
