/* SPDX-License-Identifier: MIT */
/*
 * What blocks of the GC_debug functions have around them: before what the program gets, where it was allocated and how
 * long it is, and a guard word on either side, which tell of writes out of bounds.
 */
#ifndef CGC_LIB_BOEHM_DEBUG_HEADER_H
#define CGC_LIB_BOEHM_DEBUG_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug_header {
  const char *file;
  uintptr_t   line;
  size_t      bytes;
  uintptr_t   guard;
};

/* What a block needs for so many bytes. */
size_t debug_header_block_bytes(size_t bytes);

/* Makes the block one of those; returns what the program gets. */
void *debug_header_fill(void *block, size_t bytes, const char *file, int line);

/* Whether the block has one; and, then, whether both guards are whole. */
bool debug_header_is_valid(const void *block);
bool debug_header_is_whole(const void *block);

/* No block has one any more: the program frees it. */
void debug_header_erase(void *block);

/* Prints "WHAT object at ADDRESS (FILE:LINE, size N)". */
void debug_header_tell(const char *what, const void *block);

/* In a stop: looks at all such blocks; then tells of those that were written out of. */
void debug_header_check_all_stw(void);
void debug_header_tell_smashed(void);

#endif
