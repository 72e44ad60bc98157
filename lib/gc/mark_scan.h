/* SPDX-License-Identifier: MIT */
/*
 * Looking for addresses of the heap in memory.
 *
 * Of a block of the heap every word is looked at, and, if packed pointers are looked for, every pair of halves of
 * neighbouring words.  Few of them are near the heap: the upper half of an address of the heap is one of 130 values.
 * Vector instructions compare all halves of 4 or 8 words at once, and only what passes is looked at further.
 */
#ifndef CGC_GC_MARK_SCAN_H
#define CGC_GC_MARK_SCAN_H

#include "gc/mark.h"

/* Scans [word, end) of a block. */
typedef void mark_scan_function(struct marker *marker, const uintptr_t *word, const uintptr_t *end);

/* The fastest of those below that does what the marker's options ask for on this processor. */
mark_scan_function *mark_scan_choose(const struct marker *marker);

/* What they compare words with, of the other constants of the marker. */
void mark_scan_fill_lanes(struct marker *marker);

mark_scan_function mark_scan_plain;
mark_scan_function mark_scan_avx2;       /* not demangles_heap; the processor has them */
mark_scan_function mark_scan_avx512;

CGC_INLINE void
mark_scan_block(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  marker->scanned_bytes += (size_t)(end - word) * sizeof *word;
  marker->scan(marker, word, end);
}

/* The pointer that the upper half of a word and the lower one of the next may be, in a packed structure. */
CGC_INLINE uintptr_t
mark_packed_between(const uintptr_t *word) {
  return word[0] >> 32 | word[1] << 32;
}

/* Scans the marker's copy of a root, of so many bytes; or a named one, wherever it is. */
void mark_scan_copy(struct marker *marker, size_t bytes, enum root_kind kind);
void mark_scan_named(struct marker *marker, const uintptr_t *word, const uintptr_t *end, enum root_kind kind);

#endif
