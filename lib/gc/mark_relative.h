/* SPDX-License-Identifier: MIT */
/*
 * Relative references: fontconfig links its blocks by the distance from the start of the block in which that is kept to
 * the start of the other one, so that a cache of them can be mapped anywhere.  No word of such a pattern is an address.
 *
 * Every small number could be such a distance.  So they are sought only while a library is loaded that needs it (option
 * relative), in blocks of plain kinds, and lead to starts of blocks alone.
 *
 * Whether they are sought stays the same in all stops and rounds of a mark.
 */
#ifndef CGC_GC_MARK_RELATIVE_H
#define CGC_GC_MARK_RELATIVE_H

#include "gc/mark.h"

/* Decides for the mark that begins.  True if it was otherwise in the one before, whose marks then mean less than this
 * one's. */
bool mark_relative_choose_stw(void);

bool mark_relative_is_sought(void);

/* At the end of a mark: they are not sought, but such a library has come meanwhile. */
bool mark_relative_is_missed_stw(void);

/* What a word of the block that starts at block_addr refers to that way; 0 if nothing in the heap. */
CGC_INLINE uintptr_t
mark_relative_target(uintptr_t block_addr, uintptr_t word) {
  uintptr_t addr = block_addr + word;
  bool may_be = word && word % sizeof word == 0 && addr - heap_map.base_addr < HULL_HEAP_BYTES;
  return may_be ? addr : 0;
}

/* As mark_scan_block, and follows relative references too; of blocks of one span, or memory that is in no block. */
void mark_scan_relative(struct marker *marker, const uintptr_t *word, const uintptr_t *end);

/* What [start_addr, end_addr) of that block refers to that way is noted as seen. */
void mark_relative_note(uintptr_t block_addr, uintptr_t start_addr, uintptr_t end_addr);

#endif
