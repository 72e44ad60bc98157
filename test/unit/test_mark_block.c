/* SPDX-License-Identifier: MIT */
/* Marking by hand: single addresses, memory, contents and marks; and which addresses in a block count. */
#include "unit.h"

#include "gc/client.h"
#include "gc/mark_block.h"
#include "heap/heap_map.h"

static struct thread_cache cache;
static struct marker marker;

enum { CLASS_64_BYTES = 6, CLASS_1024_BYTES = 32, KIND = 5 };

static uintptr_t *
take(unsigned size_class, unsigned kind) {
  unsigned span_class = span_class_of(size_class, kind);
  return memset(unit_take(&cache, span_class), 0, span_class_size(span_class)->slot_bytes);
}

static void
start(void) {
  unit_start_heap();
  marker_init(&marker, true, false);
}

static bool
is_marked(const void *block) {
  return mark_has((uintptr_t)block);
}

START_TEST(mark_block_address_marks_the_block_around_it) {
  start();
  uintptr_t *block = take(CLASS_64_BYTES, 0), *other = take(CLASS_64_BYTES, 0);
  mark_address(&marker, (uintptr_t)block + 63);
  mark_address(&marker, 0);
  mark_address(&marker, (uintptr_t)&marker);
  mark_address(&marker, UINTPTR_MAX);
  mark_finish(&marker);
  ck_assert(is_marked(block) && !is_marked(other));
}
END_TEST

/* Settled, it is marked but not scanned; finished, it is. */
START_TEST(mark_block_settles_before_it_finishes) {
  start();
  uintptr_t *block = take(CLASS_64_BYTES, 0), *referent = take(CLASS_64_BYTES, 0);
  block[7] = (uintptr_t)referent;
  mark_address(&marker, (uintptr_t)block);
  mark_settle(&marker);
  ck_assert(is_marked(block) && !is_marked(referent));
  mark_finish(&marker);
  ck_assert(is_marked(referent));
}
END_TEST

START_TEST(mark_block_memory_is_the_whole_words_inside) {
  start();
  uintptr_t words[6], *blocks[6];
  for (unsigned i = 0; i < 6; i++)
    words[i] = (uintptr_t)(blocks[i] = take(CLASS_64_BYTES, 0));
  mark_memory(&marker, (uintptr_t)&words[1] + 1, (uintptr_t)&words[5] - 1);
  mark_memory(&marker, (uintptr_t)&words[5], (uintptr_t)&words[5]);
  mark_memory(&marker, (uintptr_t)&words[5] + 1, (uintptr_t)&words[5] + 7);
  mark_finish(&marker);
  for (unsigned i = 0; i < 6; i++)
    ck_assert_int_eq(is_marked(blocks[i]), i == 2 || i == 3);
}
END_TEST

START_TEST(mark_block_contents_without_the_block) {
  start();
  uintptr_t *block = take(CLASS_64_BYTES, 0), *free_of_pointers = take(CLASS_64_BYTES, SPAN_KIND_NOSCAN);
  uintptr_t *referent = take(CLASS_64_BYTES, 0), *other = take(CLASS_64_BYTES, 0);
  block[3] = (uintptr_t)referent;
  free_of_pointers[3] = (uintptr_t)other;
  mark_contents(&marker, (uintptr_t)block);
  mark_contents(&marker, (uintptr_t)free_of_pointers);
  mark_finish(&marker);
  ck_assert(is_marked(referent) && !is_marked(block));
  ck_assert(!is_marked(other));
}
END_TEST

/* The client's blocks: only what it says. */
static void
scan_second_word(struct marker *scanning, const struct cgc_span *span, uintptr_t addr) {
  ck_assert_ptr_eq(scanning, &marker);
  ck_assert_uint_eq(span->client_kind, KIND);
  mark_address(scanning, ((const uintptr_t *)addr)[1]);
}

static uintptr_t *
take_described(uintptr_t *first, uintptr_t *second) {
  gc_client.scan_block = scan_second_word;
  uintptr_t *block = take(CLASS_64_BYTES, 0);
  heap_map_span((uintptr_t)block)->client_kind = KIND;
  block[0] = (uintptr_t)first;
  block[1] = (uintptr_t)second;
  return block;
}

START_TEST(mark_block_that_the_client_describes) {
  start();
  uintptr_t *first = take(CLASS_1024_BYTES, 0), *second = take(CLASS_1024_BYTES, 0);
  uintptr_t *block = take_described(first, second);
  if (_i)
    mark_contents(&marker, (uintptr_t)block);
  else
    mark_address(&marker, (uintptr_t)block);
  mark_finish(&marker);
  ck_assert_int_eq(is_marked(block), !_i);
  ck_assert(!is_marked(first) && is_marked(second));
}
END_TEST

START_TEST(mark_block_large_that_the_client_describes) {
  start();
  gc_client.scan_block = scan_second_word;
  uintptr_t *first = take(CLASS_64_BYTES, 0), *second = take(CLASS_64_BYTES, 0);
  uintptr_t *block = unit_take_large(64 * SPAN_PAGE_BYTES, 0);
  heap_map_span((uintptr_t)block)->client_kind = KIND;
  block[0] = (uintptr_t)first;
  block[1] = (uintptr_t)second;
  mark_address(&marker, (uintptr_t)block + 100000);
  mark_finish(&marker);
  ck_assert(is_marked(block) && !is_marked(first) && is_marked(second));
}
END_TEST

/* ---- single marks ---- */

START_TEST(mark_block_set_by_hand_is_not_scanned) {
  start();
  uintptr_t *block = _i ? unit_take_large(8 * SPAN_PAGE_BYTES, 0) : take(CLASS_64_BYTES, 0);
  uintptr_t *referent = take(CLASS_1024_BYTES, 0);
  block[2] = (uintptr_t)referent;
  mark_set_stw((uintptr_t)block + 8);
  ck_assert(is_marked(block));
  mark_address(&marker, (uintptr_t)block);
  mark_finish(&marker);
  ck_assert(!is_marked(referent));
}
END_TEST

START_TEST(mark_block_cleared_by_hand_is_scanned_anew) {
  start();
  uintptr_t *block = _i ? unit_take_large(8 * SPAN_PAGE_BYTES, 0) : take(CLASS_64_BYTES, 0);
  uintptr_t *referent = take(CLASS_1024_BYTES, 0);
  block[2] = (uintptr_t)referent;
  for (int round = 0; round < 2; round++) {
    mark_address(&marker, (uintptr_t)block);
    mark_finish(&marker);
    ck_assert(is_marked(block) && is_marked(referent));
    mark_clear_stw((uintptr_t)block);
    mark_clear_stw((uintptr_t)referent);
    ck_assert(!is_marked(block) && !is_marked(referent));
  }
}
END_TEST

START_TEST(mark_block_of_what_is_none) {
  start();
  const uintptr_t addrs[] = {0, 1, UINTPTR_MAX, (uintptr_t)&marker};
  for (size_t i = 0; i < CGC_COUNT(addrs); i++) {
    mark_set_stw(addrs[i]);
    mark_clear_stw(addrs[i]);
    ck_assert(!mark_has(addrs[i]));
  }
}
END_TEST

/* ---- which addresses count ---- */

static void
check_offsets(enum root_kind kind, bool (*counts)(size_t offset)) {
  static uintptr_t word;
  uintptr_t *block = take(CLASS_1024_BYTES, 0);
  for (size_t offset = 0; offset < 1024; offset++) {
    word = (uintptr_t)block + offset;
    mark_root(&marker, &(struct root){(uintptr_t)&word, (uintptr_t)(&word + 1), kind});
    mark_finish(&marker);
    ck_assert_msg(is_marked(block) == counts(offset), "offset %zu", offset);
    mark_clear_stw((uintptr_t)block);
  }
}

static bool
is_registered(size_t offset) {
  return offset == 0 || offset == 3 || offset == 40;
}

static bool
is_any(size_t offset) {
  (void)offset;
  return true;
}

static void
start_checked(bool are_all_valid) {
  mark_offsets.are_checked = true;
  mark_offsets.are_all_valid = are_all_valid;
  mark_offsets.is_valid[3] = mark_offsets.is_valid[40] = 1;
  start();
}

START_TEST(mark_block_offsets_that_are_registered_count_in_data) {
  start_checked(false);
  check_offsets(ROOT_DATA, is_registered);
}
END_TEST

START_TEST(mark_block_offsets_all_count_on_stacks) {
  start_checked(false);
  check_offsets(ROOT_STACK, is_any);
}
END_TEST

START_TEST(mark_block_offsets_all_count_if_all_are_valid) {
  start_checked(true);
  check_offsets(ROOT_DATA, is_any);
}
END_TEST

START_TEST(mark_block_kept_by_its_start) {
  static const struct { size_t offset; bool counts; } rows[] = {
    {0, true}, {1, true}, {MARK_OFFSETS - 1, true}, {MARK_OFFSETS, false}, {30000, false},
  };
  start_checked(true);
  uintptr_t *block = unit_take_large(8 * SPAN_PAGE_BYTES, 0);
  heap_map_span((uintptr_t)block)->is_kept_by_start = true;
  mark_address(&marker, (uintptr_t)block + rows[_i].offset);
  mark_finish(&marker);
  ck_assert_int_eq(is_marked(block), rows[_i].counts);
}
END_TEST

Suite *
mark_block_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("mark_block", &tests);
  tcase_add_test(tests, mark_block_address_marks_the_block_around_it);
  tcase_add_test(tests, mark_block_settles_before_it_finishes);
  tcase_add_test(tests, mark_block_memory_is_the_whole_words_inside);
  tcase_add_test(tests, mark_block_contents_without_the_block);
  tcase_add_loop_test(tests, mark_block_that_the_client_describes, 0, 2);
  tcase_add_test(tests, mark_block_large_that_the_client_describes);
  tcase_add_loop_test(tests, mark_block_set_by_hand_is_not_scanned, 0, 2);
  tcase_add_loop_test(tests, mark_block_cleared_by_hand_is_scanned_anew, 0, 2);
  tcase_add_test(tests, mark_block_of_what_is_none);
  tcase_add_test(tests, mark_block_offsets_that_are_registered_count_in_data);
  tcase_add_test(tests, mark_block_offsets_all_count_on_stacks);
  tcase_add_test(tests, mark_block_offsets_all_count_if_all_are_valid);
  tcase_add_loop_test(tests, mark_block_kept_by_its_start, 0, 5);
  return suite;
}
