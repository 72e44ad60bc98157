/* SPDX-License-Identifier: MIT */
/* Marks are set by hand: what a sweep does depends on them alone. */
#include "unit.h"

#include "base/options.h"
#include "gc/sweep.h"
#include "heap/page_heap.h"

static struct thread_cache cache;
static struct sweep_result result;

enum { CLASS_256_BYTES = 18, BYTES = 256, SLOTS = 64 };

static void *
take_kind(unsigned kind) {
  return unit_take(&cache, span_class_of(CLASS_256_BYTES, kind));
}

static struct cgc_span *
span_of(const void *block) {
  return heap_map_span((uintptr_t)block);
}

static uint64_t
bit_of(const void *block) {
  return (uint64_t)1 << span_slot_of(span_of(block), (uintptr_t)block) % 64;
}

static struct span_word *
word_of(const void *block) {
  return &span_of(block)->words[span_slot_of(span_of(block), (uintptr_t)block) / 64];
}

static void
mark(const void *block) {
  atom_or_full(&word_of(block)->mark, bit_of(block));
}

static bool
is_free(const void *block) {
  return (atom_load_rlx(&word_of(block)->free) | atom_load_rlx(&word_of(block)->remote)) & bit_of(block);
}

/* As a cycle: the collecting thread closes its windows first. */
static void
sweep(void) {
  thread_cache_flush(&cache);
  sweep_heap_stw(&result);
}

START_TEST(sweep_marked_blocks_live_and_their_marks_are_cleared) {
  unit_start_heap();
  void *small = take_kind(0), *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  for (int i = 0; i < 3; i++) {
    mark(small);
    mark(large);
    sweep();
    ck_assert_uint_eq(result.live_bytes, BYTES + 3 * SPAN_PAGE_BYTES);
    ck_assert_uint_eq(result.held_blocks + result.reclaimed_blocks, 0);
    ck_assert_uint_eq(atom_load_rlx(&word_of(small)->mark) | atom_load_rlx(&word_of(large)->mark), 0);
  }
  ck_assert(!is_free(small) && span_of(large)->state == SPAN_LARGE);
}
END_TEST

START_TEST(sweep_unmarked_block_is_held_first_and_then_reclaimed) {
  unit_start_heap();
  void *block = take_kind(0), *noscan = take_kind(SPAN_KIND_NOSCAN), *keep = take_kind(0);
  mark(keep);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 2);
  ck_assert_uint_eq(result.held_bytes, 2 * BYTES);
  ck_assert_uint_eq(result.reclaimed_blocks, 0);
  ck_assert(!is_free(block) && !is_free(noscan));
  mark(keep);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 0);
  ck_assert_uint_eq(result.reclaimed_blocks, 2);
  ck_assert_uint_eq(result.reclaimed_bytes, 2 * BYTES);
  ck_assert_uint_eq(result.live_bytes, BYTES);
  ck_assert(is_free(block) && is_free(noscan) && !is_free(keep));
  mark(keep);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, 0);   /* not twice */
}
END_TEST

START_TEST(sweep_held_block_found_again_starts_over) {
  unit_start_heap();
  void *block = take_kind(0);
  sweep();
  mark(block);
  sweep();
  ck_assert_uint_eq(result.live_bytes, BYTES);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert(!is_free(block));
  sweep();
  ck_assert(is_free(block));
}
END_TEST

START_TEST(sweep_without_confirmation_reclaims_at_once) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  void *block = take_kind(0);
  unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, 2);
  ck_assert_uint_eq(result.held_blocks, 0);
  ck_assert(is_free(block));
}
END_TEST

START_TEST(sweep_collected_kinds_are_reclaimed_at_once) {
  unit_start_heap();
  void *block = take_kind(SPAN_KIND_COLLECTED), *noscan = take_kind(SPAN_KIND_COLLECTED | SPAN_KIND_NOSCAN);
  void *held = take_kind(0);
  unit_take_large(3 * SPAN_PAGE_BYTES, SPAN_KIND_COLLECTED);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, 3);
  ck_assert_uint_eq(result.reclaimed_bytes, 2 * BYTES + 3 * SPAN_PAGE_BYTES);
  ck_assert(is_free(block) && is_free(noscan) && !is_free(held));
}
END_TEST

START_TEST(sweep_large_block_is_held_then_its_pages_are_free) {
  unit_start_heap();
  unit_take_large(30 * SPAN_PAGE_BYTES, 0);
  sweep();
  ck_assert_uint_eq(result.held_bytes, 30 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(page_heap_used_bytes(), 30 * SPAN_PAGE_BYTES);
  sweep();
  ck_assert_uint_eq(result.reclaimed_bytes, 30 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  page_heap_check();
}
END_TEST

START_TEST(sweep_reclaimed_slots_are_allocated_again) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  for (int i = 0; i < SLOTS; i++)
    take_kind(0);
  struct cgc_span *span = span_of(take_kind(0));   /* the next span */
  mark((void *)span->base_addr);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, SLOTS);
  size_t used = page_heap_used_bytes();
  for (int i = 0; i < 2 * SLOTS - 1; i++)
    take_kind(0);
  ck_assert_uint_eq(page_heap_used_bytes(), used);
  page_heap_check();
}
END_TEST

/* ---- windows of other threads ---- */

START_TEST(sweep_leaves_the_word_of_a_window_alone) {
  static struct thread_cache other;
  unit_start_heap();
  option_values[OPTION_CONFIRM] = (uint64_t)_i;
  unsigned span_class = span_class_of(2, 0);   /* 512 slots in 8 words */
  void *outside = unit_take(&other, span_class), *inside = outside;
  while (span_slot_of(span_of(inside), (uintptr_t)inside) < 70)
    inside = unit_take(&other, span_class);
  for (int i = 0; i < 4; i++)
    sweep_heap_stw(&result);
  ck_assert(is_free(outside));
  ck_assert(!is_free(inside));
  ck_assert_ptr_eq(unit_take(&other, span_class), (char *)inside + 16);
  span_check(span_of(inside));
}
END_TEST

/* A block with the address of one that was condemned: it is another block. */
START_TEST(sweep_block_reusing_a_condemned_slot_of_the_window_is_held_first) {
  static struct thread_cache other;
  unit_start_heap();
  unsigned span_class = span_class_of(CLASS_256_BYTES, 0);
  void *block = unit_take(&other, span_class), *keep = unit_take(&other, span_class);
  thread_cache_flush(&other);
  mark(keep);
  sweep_heap_stw(&result);
  ck_assert_uint_eq(result.held_blocks, 1);
  void *third = unit_take(&other, span_class);   /* opens a window on the same word */
  ck_assert_ptr_eq(word_of(third), word_of(block));
  /* The program had a disguised pointer and frees it; the slot is handed out again. */
  ck_assert_int_eq(thread_cache_free_own(&other, span_of(block), (uintptr_t)block), FREE_UNUSUAL);
  ck_assert(thread_cache_absolve(span_of(block), (uintptr_t)block));
  ck_assert_int_eq(thread_cache_free_own(&other, span_of(block), (uintptr_t)block), FREE_DONE);
  ck_assert(!thread_cache_absolve(span_of(block), (uintptr_t)block));
  ck_assert_ptr_eq(unit_take(&other, span_class), block);
  thread_cache_flush(&other);
  mark(keep);
  mark(third);
  sweep_heap_stw(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, 0);
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert(!is_free(block));
}
END_TEST

/* ---- the rest ---- */

START_TEST(sweep_clear_marks_condemns_nobody) {
  unit_start_heap();
  void *block = take_kind(0), *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0), *unmarked = take_kind(0);
  mark(block);
  mark(large);
  sweep_clear_marks();
  ck_assert_uint_eq(atom_load_rlx(&word_of(block)->mark) | atom_load_rlx(&word_of(large)->mark), 0);
  mark(block);
  mark(large);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert(!is_free(unmarked));
}
END_TEST

START_TEST(sweep_counts_allocated_bytes) {
  unit_start_heap();
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 0);
  void *blocks[10];
  for (int i = 0; i < 10; i++)
    blocks[i] = take_kind(0);
  unit_take_large(5 * SPAN_PAGE_BYTES, SPAN_KIND_NOSCAN);
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 10 * BYTES + 5 * SPAN_PAGE_BYTES);
  span_free_remote(span_of(blocks[0]), 0);
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 9 * BYTES + 5 * SPAN_PAGE_BYTES);
}
END_TEST

static void
assert_estimate_within(double fraction) {
  for (size_t turn = 0; turn < 30; turn++) {
    double exact = (double)sweep_count_allocated_bytes(), estimate = (double)sweep_estimate_allocated_bytes(turn);
    ck_assert_double_ge(estimate, exact * (1 - fraction));
    ck_assert_double_le(estimate, exact * (1 + fraction));
  }
}

START_TEST(sweep_estimate_of_many_spans_comes_near) {
  enum { BLOCKS = 2000 * SLOTS };
  static void *blocks[BLOCKS];
  struct unit_random random = unit_random_start();
  unit_start_heap();
  ck_assert_uint_eq(sweep_estimate_allocated_bytes(0), 0);
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = take_kind(0);
  assert_estimate_within(0);
  for (int i = 0; i < BLOCKS; i++)
    if (unit_random_below(&random, BLOCKS) < (uint64_t)i)   /* the later the freer */
      span_free_remote(span_of(blocks[i]), span_slot_of(span_of(blocks[i]), (uintptr_t)blocks[i]));
  assert_estimate_within(0.1);
}
END_TEST

START_TEST(sweep_estimate_of_large_blocks_is_exact) {
  unit_start_heap();
  unit_take_large(1000 * SPAN_PAGE_BYTES, 0);
  for (int i = 0; i < 2000; i++)
    unit_take_large(SPAN_PAGE_BYTES, 0);
  assert_estimate_within(0);
}
END_TEST

/* Over 32 MiB are swept by several threads: the sums must be the same. */
START_TEST(sweep_by_several_threads_adds_up) {
  enum { LARGE = 40, LARGE_BYTES = 1024 * 1024, SMALL = 20000 };
  static void *small[SMALL];
  unit_start_heap();
  option_values[OPTION_MARKERS] = 4;
  option_values[OPTION_CONFIRM] = 1;
  for (int i = 0; i < LARGE; i++) {
    void *block = unit_take_large(LARGE_BYTES, 0);
    if (i % 2)
      mark(block);
  }
  for (int i = 0; i < SMALL; i++)
    small[i] = take_kind(0);
  for (int i = 0; i < SMALL; i += 4)
    mark(small[i]);
  sweep();
  ck_assert_uint_eq(result.live_bytes, (uint64_t)LARGE / 2 * LARGE_BYTES + SMALL / 4 * BYTES);
  ck_assert_uint_eq(result.reclaimed_blocks, LARGE / 2 + SMALL / 4 * 3);
  for (int i = 0; i < SMALL; i++)
    ck_assert_int_eq(is_free(small[i]), i % 4 != 0);
  page_heap_check();
}
END_TEST

Suite *
sweep_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("sweep", &tests);
  tcase_add_test(tests, sweep_marked_blocks_live_and_their_marks_are_cleared);
  tcase_add_test(tests, sweep_unmarked_block_is_held_first_and_then_reclaimed);
  tcase_add_test(tests, sweep_held_block_found_again_starts_over);
  tcase_add_test(tests, sweep_without_confirmation_reclaims_at_once);
  tcase_add_test(tests, sweep_collected_kinds_are_reclaimed_at_once);
  tcase_add_test(tests, sweep_large_block_is_held_then_its_pages_are_free);
  tcase_add_test(tests, sweep_reclaimed_slots_are_allocated_again);
  tcase_add_loop_test(tests, sweep_leaves_the_word_of_a_window_alone, 1, 3);
  tcase_add_test(tests, sweep_block_reusing_a_condemned_slot_of_the_window_is_held_first);
  tcase_add_test(tests, sweep_clear_marks_condemns_nobody);
  tcase_add_test(tests, sweep_counts_allocated_bytes);
  tcase_add_test(tests, sweep_estimate_of_many_spans_comes_near);
  tcase_add_test(tests, sweep_estimate_of_large_blocks_is_exact);
  tcase_add_test(tests, sweep_by_several_threads_adds_up);
  return suite;
}
