/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/meta.h"
#include "base/platform.h"
#include "heap/page_heap.h"
#include "record/record.h"

#include <unistd.h>

/* Their structures are used for each other: as many words of bits do for all. */
enum { CLASS_1024_BYTES = 32, SLOTS_OF_1024_BYTES = 64 };

static struct cgc_span *
make_span(unsigned size_class) {
  unsigned pages = size_class == SIZE_CLASS_LARGE ? 8 : size_class_rows[size_class].page_count;
  struct cgc_span *span = page_heap_alloc(span_class_of(size_class, 0), pages, 1);
  ck_assert_ptr_nonnull(span);
  return span;
}

static void
write_all(const struct cgc_span *span, uint32_t stack) {
  for (size_t slot = 0; slot < span->slot_count; slot++)
    *record_make(span, slot) = (struct record){.stack = stack + (uint32_t)slot, .unused_bytes = (uint16_t)slot};
}

static void
check_all(const struct cgc_span *span, uint32_t stack) {
  for (size_t slot = 0; slot < span->slot_count; slot++) {
    const struct record *record = record_of(span, slot);
    ck_assert_ptr_nonnull(record);
    ck_assert_uint_eq(record->stack, stack + slot);
    ck_assert_uint_eq(record_requested_bytes(span, record), span_block_bytes(span) - slot);
  }
}

START_TEST(record_of_a_span_is_made_on_demand_and_empty) {
  unit_start_heap();
  const struct cgc_span *span = make_span(CLASS_1024_BYTES);
  ck_assert_ptr_null(record_of(span, 0));
  ck_assert_ptr_eq(record_make(span, 5), record_of(span, 5));
  for (size_t slot = 0; slot < span->slot_count; slot++)
    ck_assert_uint_eq(record_of(span, slot)->stack, 0);
}
END_TEST

START_TEST(record_is_one_for_each_slot_of_each_class) {
  static struct cgc_span *spans[SIZE_CLASS_COUNT];
  unit_start_heap();
  for (unsigned i = 0; i < SIZE_CLASS_COUNT; i++)
    write_all(spans[i] = make_span(i), i * 10000);
  for (unsigned i = 0; i < SIZE_CLASS_COUNT; i++)
    check_all(spans[i], i * 10000);
}
END_TEST

START_TEST(record_is_there_in_many_spans) {
  enum { SPANS = 3000 };
  static struct cgc_span *spans[SPANS];
  unit_start_heap();
  for (unsigned i = 0; i < SPANS; i++)
    write_all(spans[i] = make_span(SIZE_CLASS_LARGE), i);
  for (unsigned i = 0; i < SPANS; i++)
    check_all(spans[i], i);
}
END_TEST

/* The structure of a span describes another one later, of fewer or more slots. */
static struct cgc_span *
remake_span(struct cgc_span *span, unsigned size_class) {
  enum { TRIES_MAX = 10000 };
  page_heap_free(span);
  for (int i = 0; i < TRIES_MAX; i++)
    if (make_span(size_class) == span)
      return span;
  ck_abort_msg("it is not used again");
  return NULL;
}

static void
reuse(unsigned size_class_before, unsigned size_class) {
  unit_start_heap();
  struct cgc_span *span = make_span(size_class_before);
  write_all(span, 1000);
  write_all(remake_span(span, size_class), 2000);
  write_all(make_span(size_class), 3000);
  check_all(span, 2000);
}

START_TEST(record_of_a_reused_span_with_more_slots) {
  reuse(SIZE_CLASS_LARGE, CLASS_1024_BYTES);
}
END_TEST

START_TEST(record_of_a_reused_span_with_fewer_slots) {
  reuse(CLASS_1024_BYTES, SIZE_CLASS_LARGE);
}
END_TEST

/* In which a slot is recorded and others were never: they have no record of another block. */
START_TEST(record_of_a_reused_span_is_none_of_before) {
  unit_start_heap();
  struct cgc_span *span = make_span(SIZE_CLASS_LARGE);
  write_all(span, 1000);
  remake_span(span, CLASS_1024_BYTES);
  record_make(span, SLOTS_OF_1024_BYTES - 1)->stack = 7;
  for (size_t slot = 0; slot + 1 < span->slot_count; slot++)
    ck_assert_uint_eq(record_of(span, slot)->stack, 0);
}
END_TEST

/* As a span of one class and of another in turn. */
static struct cgc_span *
use_often(struct cgc_span *span) {
  for (unsigned i = 0; i < 2000; i++) {
    write_all(span, 1);
    page_heap_free(span);
    span = make_span(i % 2 ? CLASS_1024_BYTES : SIZE_CLASS_LARGE);
  }
  return span;
}

START_TEST(record_arrays_are_used_again) {
  unit_start_heap();
  struct cgc_span *span = use_often(make_span(CLASS_1024_BYTES));
  size_t bytes = meta_bytes();
  use_often(span);
  ck_assert_uint_eq(meta_bytes(), bytes);
}
END_TEST

/* ---- time ---- */

START_TEST(record_age_is_that_of_the_clock) {
  record_time_now();
  usleep(20000);
  uint32_t time = record_time_now();
  uint64_t time_ns = platform_now_ns();
  usleep(100000);
  uint64_t before_ms = (platform_now_ns() - time_ns) / 1000000, age_ms = record_age_ms(time);
  uint64_t after_ms = (platform_now_ns() - time_ns) / 1000000;
  ck_assert_uint_ge(age_ms, before_ms * 3 / 4 - 5);
  ck_assert_uint_le(age_ms, after_ms * 5 / 4 + 5);
}
END_TEST

Suite *
record_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("record", &tests);
  tcase_add_test(tests, record_of_a_span_is_made_on_demand_and_empty);
  tcase_add_test(tests, record_is_one_for_each_slot_of_each_class);
  tcase_add_test(tests, record_is_there_in_many_spans);
  tcase_add_test(tests, record_of_a_reused_span_with_more_slots);
  tcase_add_test(tests, record_of_a_reused_span_with_fewer_slots);
  tcase_add_test(tests, record_of_a_reused_span_is_none_of_before);
  tcase_add_test(tests, record_arrays_are_used_again);
  tcase_add_test(tests, record_age_is_that_of_the_clock);
  return suite;
}
