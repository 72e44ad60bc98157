/* SPDX-License-Identifier: MIT */
/* Each way of looking for addresses against a search word by word, over random memory full of near misses. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "gc/mark_candidate.h"
#include "gc/mark_scan.h"

#include <sys/mman.h>

enum { BLOCKS = 100, CLASS_256_BYTES = 18, WORDS_MAX = 40, TRIALS = 20000 };

static const struct scan_case {
  mark_scan_function *scan;
  unsigned vector_bytes;    /* of the processor, at least */
  bool is_tagged, is_packed;
} cases[] = {
  {mark_scan_plain, 0, false, false},   {mark_scan_plain, 0, false, true},
  {mark_scan_plain, 0, true, false},    {mark_scan_plain, 0, true, true},
  {mark_scan_avx2, 32, false, false},   {mark_scan_avx2, 32, false, true},
  {mark_scan_avx2, 32, true, false},    {mark_scan_avx2, 32, true, true},
  {mark_scan_avx512, 64, false, false}, {mark_scan_avx512, 64, false, true},
  {mark_scan_avx512, 64, true, false},  {mark_scan_avx512, 64, true, true},
};

static struct thread_cache cache;
static struct marker marker;
static uintptr_t blocks[BLOCKS];

static size_t
block_of(uintptr_t addr) {
  for (size_t i = 0; i < BLOCKS; i++)
    if (addr - blocks[i] < 256)
      return i;
  return BLOCKS;
}

/* Marks are taken back as they are looked at. */
static bool
take_mark(uintptr_t block) {
  struct cgc_span *span = heap_map_span(block);
  size_t slot = span_slot_of(span, block);
  uint64_t bit = (uint64_t)1 << slot % 64, marks = atom_load_rlx(&span->words[slot / 64].mark);
  atom_store_rlx(&span->words[slot / 64].mark, marks & ~bit);
  return marks & bit;
}

static uintptr_t
any_word(struct unit_random *random) {
  uint64_t bits = unit_random_below(random, UINT64_MAX);
  uintptr_t block = blocks[bits % BLOCKS], inside = block + (bits >> 8) % 256;
  switch (bits >> 32 & 15) {
    case 0: case 1: case 2: return inside;
    case 3: return inside | (uintptr_t)0xfffe << 48;
    case 4: return inside ^ (uintptr_t)1 << 47;
    case 5: return heap_map.base_addr - 1 - bits % 3;
    case 6: return heap_map.base_addr + HULL_HEAP_BYTES - 1 + bits % 3;
    case 7: return inside & ~(uintptr_t)UINT32_MAX;
    case 8: return inside >> 32;              /* the upper half of a packed pointer, whatever comes before */
    case 9: return inside << 32 | inside >> 32;
    case 10: return inside + ((uintptr_t)1 << 32);
    case 11: return bits;
    case 12: return UINTPTR_MAX;
    default: return 0;
  }
}

/* Pairs of words are made packed pointers. */
static void
fill(uintptr_t *words, size_t count, struct unit_random *random) {
  for (size_t i = 0; i < count; i++)
    words[i] = any_word(random);
  for (size_t i = 0; i + 1 < count; i++)
    if (unit_random_below(random, 8) == 0) {
      uintptr_t addr = blocks[unit_random_below(random, BLOCKS)] + 17;
      memcpy((char *)&words[i] + 4, &addr, sizeof addr);
    }
}

static void
expect(bool *is_expected, const struct scan_case *scan_case, const uintptr_t *word, const uintptr_t *end) {
  uintptr_t mask = scan_case->is_tagged ? ((uintptr_t)1 << 48) - 1 : UINTPTR_MAX;
  for (const uintptr_t *at = word; at < end; at++) {
    uintptr_t packed;
    memcpy(&packed, (const char *)at + 4, at + 1 < end ? sizeof packed : 0);
    is_expected[block_of(*at & mask)] = true;
    if (scan_case->is_packed && at + 1 < end)
      is_expected[block_of(packed)] = true;
  }
}

static void
scan_and_compare(const struct scan_case *scan_case, const uintptr_t *word, const uintptr_t *end) {
  bool is_expected[BLOCKS + 1] = {false};
  expect(is_expected, scan_case, word, end);
  scan_case->scan(&marker, word, end);
  flush_fifo(&marker);
  for (size_t i = 0; i < BLOCKS; i++)
    ck_assert_int_eq(take_mark(blocks[i]), is_expected[i]);
}

static uintptr_t *
page_between_holes(void) {
  char *pages = mmap(NULL, 3 * ARCH_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(pages, MAP_FAILED);
  ck_assert_int_eq(mprotect(pages + ARCH_PAGE_BYTES, ARCH_PAGE_BYTES, PROT_READ | PROT_WRITE), 0);
  return (uintptr_t *)(pages + ARCH_PAGE_BYTES);
}

/* The blocks lie at the start of the heap, somewhere in it, or at its end. */
static const uintptr_t offsets[] = {0, (uintptr_t)5 << 32, HULL_HEAP_BYTES / 2 + 12345 * 4096, HULL_HEAP_BYTES - ARENA_BYTES};

START_TEST(mark_scan_finds_what_a_search_word_by_word_finds) {
  const struct scan_case *scan_case = &cases[_i];
  if (arch_vector_bytes() < scan_case->vector_bytes) {
    printf("mark_scan case %d: this processor does not have vectors of %u bytes\n", _i, scan_case->vector_bytes);
    return;
  }
  unit_start_heap();
  for (size_t i = 0; i < BLOCKS; i++)
    blocks[i] = (uintptr_t)unit_take(&cache, span_class_of(CLASS_256_BYTES, 0));
  option_values[OPTION_TAGGED] = scan_case->is_tagged;
  option_values[OPTION_PACKED] = scan_case->is_packed;
  marker_init(&marker, true, false);
  uintptr_t *page = page_between_holes(), *page_end = page + ARCH_PAGE_BYTES / sizeof *page;
  struct unit_random random = unit_random_start();
  for (unsigned trial = 0; trial < TRIALS; trial++) {
    size_t count = unit_random_below(&random, WORDS_MAX);
    uintptr_t *word = trial % 2 ? page : page_end - count;
    fill(word, count, &random);
    marker.heap_addr = heap_map.base_addr - offsets[trial / 2 % CGC_COUNT(offsets)];
    scan_and_compare(scan_case, word, word + count);
  }
}
END_TEST

/* Half of an address before or behind what is scanned is not part of it. */
START_TEST(mark_scan_does_not_look_beyond_its_ends) {
  unit_start_heap();
  uintptr_t block = (uintptr_t)unit_take(&cache, span_class_of(CLASS_256_BYTES, 0));
  uintptr_t words[10] = {0};
  memcpy((char *)&words[0] + 4, &block, sizeof block);
  memcpy((char *)&words[8] + 4, &block, sizeof block);
  marker_init(&marker, true, false);
  marker.scan(&marker, words + 1, words + 9);
  flush_fifo(&marker);
  ck_assert(!take_mark(block));
  marker.scan(&marker, words, words + 9);
  flush_fifo(&marker);
  ck_assert(take_mark(block));
}
END_TEST

Suite *
mark_scan_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("mark_scan", &tests);
  tcase_add_loop_test(tests, mark_scan_finds_what_a_search_word_by_word_finds, 0, CGC_COUNT(cases));
  tcase_add_test(tests, mark_scan_does_not_look_beyond_its_ends);
  return suite;
}
