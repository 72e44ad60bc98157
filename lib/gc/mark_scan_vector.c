/* SPDX-License-Identifier: MIT */
#include "gc/mark_scan.h"

#include "gc/mark_candidate.h"

#include <immintrin.h>

/* The upper halves of addresses in the heap are so many, from that of its first one on. */
enum { UPPER_HALVES = (int)(HULL_HEAP_BYTES >> 32) + 2 };

CGC_INLINE int
lowest_upper_half(const struct marker *marker) {
  return (int)(uint32_t)(marker->heap_addr >> 32);
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

__attribute__((target("avx2"))) void
mark_scan_avx2(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  enum { WORDS = 4 };
  const uintptr_t *start = word;
  uint32_t wanted = halves_of_interest(marker);
  __m256i mask = _mm256_set1_epi64x((long long)marker->address_mask);
  __m256i lowest = _mm256_set1_epi32(lowest_upper_half(marker)), last = _mm256_set1_epi32(UPPER_HALVES - 1);
  for (; end - word >= WORDS; word += WORDS) {
    __m256i halves = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)word), mask);
    __m256i above = _mm256_sub_epi32(halves, lowest);
    __m256i is_near = _mm256_cmpeq_epi32(_mm256_min_epu32(above, last), above);
    consider_halves(marker, start, word, (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(is_near)) & wanted);
  }
  consider_halves(marker, start, word, ((1u << 2 * (end - word)) - 1) & wanted);
}

__attribute__((target("avx512f"))) void
mark_scan_avx512(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  enum { WORDS = 8 };
  const uintptr_t *start = word;
  uint32_t wanted = halves_of_interest(marker);
  __m512i mask = _mm512_set1_epi64((long long)marker->address_mask);
  __m512i lowest = _mm512_set1_epi32(lowest_upper_half(marker)), last = _mm512_set1_epi32(UPPER_HALVES - 1);
  for (; word < end; word += WORDS) {
    __mmask8 present = (__mmask8)(end - word < WORDS ? (1u << (end - word)) - 1 : 0xff);
    __m512i halves = _mm512_and_si512(_mm512_maskz_loadu_epi64(present, word), mask);
    __mmask16 is_near = _mm512_cmple_epu32_mask(_mm512_sub_epi32(halves, lowest), last);
    consider_halves(marker, start, word, is_near & wanted);
  }
}
