/* SPDX-License-Identifier: MIT */
/**
 * Sizes of small blocks, compiled into programs.
 *
 * A program that allocates by gc_inline.h has an array of GC_TINY_FREELISTS lists; list i has blocks of i granules, and
 * list 0 blocks of one.
 */
#ifndef GC_TINY_FL_H
#define GC_TINY_FL_H

#ifndef GC_GRANULE_BYTES
#define GC_GRANULE_BYTES 16
#define GC_GRANULE_WORDS 2
#endif

#ifndef GC_TINY_FREELISTS
#define GC_TINY_FREELISTS 25
#endif

#define GC_WORDS_TO_GRANULES(words)    ((words) >> 1)
#define GC_RAW_BYTES_FROM_INDEX(index) ((index) * GC_GRANULE_BYTES)

#endif
