/* SPDX-License-Identifier: MIT */
#include "gc/mark_scan.h"

#include "gc/mark_candidate.h"

#include <immintrin.h>

void
mark_scan_fill_lanes(struct marker *marker) {
  struct mark_lanes *lanes = &marker->lanes;
  for (size_t i = 0; i < CGC_COUNT(lanes->address_mask); i++)
    lanes->address_mask[i] = marker->address_mask;
  for (size_t i = 0; i < CGC_COUNT(lanes->last_upper_half); i++) {
    lanes->lowest_upper_half[i] = (uint32_t)(marker->heap_addr >> 32);
    lanes->last_upper_half[i] = (uint32_t)(HULL_HEAP_BYTES >> 32) + 1;
  }
}

/* Halves to look at: an odd bit stands for the upper half of a word, an even one for its lower half, which may be the
 * upper half of a packed pointer. */
CGC_INLINE uint32_t
halves_of_interest(const struct marker *marker) {
  return marker->finds_packed ? UINT32_MAX : 0xaaaaaaaa;
}

/* near has two bits for each word from `word` on: what of their halves may be the upper half of an address. */
CGC_INLINE void
consider_halves(struct marker *marker, const uintptr_t *start, const uintptr_t *word, uint32_t near) {
  for (; near; near &= near - 1) {
    unsigned half = (unsigned)__builtin_ctz(near);
    const uintptr_t *at = word + half / 2;
    uintptr_t addr;
    if (half % 2)
      addr = *at & marker->address_mask;
    else if (at > start)
      addr = mark_packed_between(at - 1);
    else
      continue;
    if (marker_has_in_heap(marker, addr))
      consider(marker, addr);
  }
}

/* Read where they are needed: in registers they would have to be saved for each word that is looked up. */
#define LANES(type, name) (*(const volatile type *)lanes->name)

__attribute__((target("avx2"))) void
mark_scan_avx2(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  enum { WORDS = 4 };
  const uintptr_t *start = word;
  uint32_t wanted = halves_of_interest(marker);
  const struct mark_lanes *lanes = &marker->lanes;
  for (; end - word >= WORDS; word += WORDS) {
    __m256i halves = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)word), LANES(__m256i, address_mask));
    __m256i above = _mm256_sub_epi32(halves, LANES(__m256i, lowest_upper_half));
    __m256i is_near = _mm256_cmpeq_epi32(_mm256_min_epu32(above, LANES(__m256i, last_upper_half)), above);
    consider_halves(marker, start, word, (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(is_near)) & wanted);
  }
  consider_halves(marker, start, word, ((1u << 2 * (end - word)) - 1) & wanted);
}

__attribute__((target("avx512f"))) void
mark_scan_avx512(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  enum { WORDS = 8 };
  const uintptr_t *start = word;
  uint32_t wanted = halves_of_interest(marker);
  const struct mark_lanes *lanes = &marker->lanes;
  for (; word < end; word += WORDS) {
    __mmask8 present = (__mmask8)(end - word < WORDS ? (1u << (end - word)) - 1 : 0xff);
    __m512i halves = _mm512_and_si512(_mm512_maskz_loadu_epi64(present, word), LANES(__m512i, address_mask));
    __m512i above = _mm512_sub_epi32(halves, LANES(__m512i, lowest_upper_half));
    __mmask16 is_near = _mm512_cmple_epu32_mask(above, LANES(__m512i, last_upper_half));
    consider_halves(marker, start, word, is_near & wanted);
  }
}
