/* SPDX-License-Identifier: MIT */
#include "gc/mark_scan.h"

#include "base/arch_x86_64.h"
#include "gc/mark_candidate.h"
#include "world/named_roots.h"

#include <string.h>

mark_scan_function *
mark_scan_choose(const struct marker *marker) {
  if (marker->demangles_heap)
    return mark_scan_plain;
  switch (arch_vector_bytes()) {
    case 64: return mark_scan_avx512;
    case 32: return mark_scan_avx2;
    default: return mark_scan_plain;
  }
}

/* ---- one word after the other ---- */

CGC_INLINE void
scan_words(struct marker *marker, const uintptr_t *word, const uintptr_t *end, bool demangles, bool past_end) {
  uintptr_t heap_addr = marker->heap_addr;
  uintptr_t mask = marker->address_mask, guard = marker->pointer_guard;
  for (; word < end; word++) {
    uintptr_t addr = *word & mask;
    if (CGC_UNLIKELY(addr - heap_addr < HULL_HEAP_BYTES))
      consider(marker, addr);
    if (past_end && CGC_UNLIKELY(addr - 1 - heap_addr < HULL_HEAP_BYTES))
      consider(marker, addr - 1);
    if (demangles) {
      addr = arch_demangle(*word, guard) & mask;
      if (CGC_UNLIKELY(addr - heap_addr < HULL_HEAP_BYTES))
        consider(marker, addr);
    }
  }
}

/* A word at an address divisible by 4 but not by 8, a member of a packed structure: its halves lie in two words. */
static void
scan_packed(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  for (; word + 1 < end; word++) {
    uintptr_t addr = mark_packed_between(word);
    if (CGC_UNLIKELY(marker_has_in_heap(marker, addr)))
      consider(marker, addr);
  }
}

void
mark_scan_plain(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  if (marker->demangles_heap)
    scan_words(marker, word, end, true, false);
  else
    scan_words(marker, word, end, false, false);
  if (marker->finds_packed)
    scan_packed(marker, word, end);
}

/* ---- roots ---- */

/* Words at odd addresses: operands of generated code, members of packed structures.  They are taken as
 * they are, for eight times as many words could else be mistaken. */
static void
scan_unaligned(struct marker *marker, size_t bytes) {
  enum { SIXTH = 5 };
  const unsigned char *copy = marker->copy, *end = copy + bytes, *at = copy + SIXTH;
  while (at < end && (at = memchr(at, hull.sixth_byte, (size_t)(end - at)))) {
    const unsigned char *word = at++ - SIXTH;
    uintptr_t addr;
    if ((uintptr_t)word % sizeof addr == 0 || word + sizeof addr > end)
      continue;
    memcpy(&addr, word, sizeof addr);
    if (marker_has_in_heap(marker, addr))
      consider(marker, addr);
  }
}

static void
scan_aligned(struct marker *marker, const uintptr_t *word, const uintptr_t *end, bool past_end) {
  if (!marker->demangles_data)
    scan_words(marker, word, end, false, past_end);
  else if (past_end)
    scan_words(marker, word, end, true, true);
  else
    scan_words(marker, word, end, true, false);
}

/* Where roots are named pointers are aligned. */
void
mark_scan_named(struct marker *marker, const uintptr_t *word, const uintptr_t *end, enum root_kind kind) {
  bool past_end = kind == ROOT_STACK && marker->marks_past_end;
  if (!past_end && !marker->demangles_data) {
    mark_scan_block(marker, word, end);
    return;
  }
  marker->scanned_bytes += (size_t)(end - word) * sizeof *word;
  scan_aligned(marker, word, end, past_end);
}

void
mark_scan_copy(struct marker *marker, size_t bytes, enum root_kind kind) {
  const uintptr_t *word = (const uintptr_t *)marker->copy, *end = word + bytes / sizeof *word;
  if (roots_policy.are_named) {
    mark_scan_named(marker, word, end, kind);
    return;
  }
  marker->scanned_bytes += bytes;
  scan_unaligned(marker, bytes);
  scan_aligned(marker, word, end, kind == ROOT_STACK && marker->marks_past_end);
}
