/* SPDX-License-Identifier: MIT */
/* The table against Go's runtime/sizeclasses.go, written down here by hand; our spans are several of
 * Go's side by side. */
#include "unit.h"

#include "heap/size_class.h"

struct row {
  unsigned slot_bytes, span_bytes, slots;
};

/* [class - 1] */
static const struct row rows[] = {
  {8, 8192, 1024}, {16, 8192, 512}, {24, 8192, 341}, {32, 8192, 256},
  {48, 8192, 170}, {64, 8192, 128}, {80, 8192, 102}, {96, 8192, 85},
  {112, 8192, 73}, {128, 8192, 64}, {144, 8192, 56}, {160, 8192, 51},
  {176, 8192, 46}, {192, 8192, 42}, {208, 8192, 39}, {224, 8192, 36},
  {240, 8192, 34}, {256, 8192, 32}, {288, 8192, 28}, {320, 8192, 25},
  {352, 8192, 23}, {384, 8192, 21}, {416, 8192, 19}, {448, 8192, 18},
  {480, 8192, 17}, {512, 8192, 16}, {576, 8192, 14}, {640, 8192, 12},
  {704, 8192, 11}, {768, 8192, 10}, {896, 8192, 9}, {1024, 8192, 8},
  {1152, 8192, 7}, {1280, 8192, 6}, {1408, 16384, 11}, {1536, 8192, 5},
  {1792, 16384, 9}, {2048, 8192, 4}, {2304, 16384, 7}, {2688, 8192, 3},
  {3072, 24576, 8}, {3200, 16384, 5}, {3456, 24576, 7}, {4096, 8192, 2},
  {4864, 24576, 5}, {5376, 16384, 3}, {6144, 24576, 4}, {6528, 32768, 5},
  {6784, 40960, 6}, {6912, 49152, 7}, {8192, 8192, 1}, {9472, 57344, 6},
  {9728, 49152, 5}, {10240, 40960, 4}, {10880, 32768, 3}, {12288, 24576, 2},
  {13568, 40960, 3}, {14336, 57344, 4}, {16384, 16384, 1}, {18432, 73728, 4},
  {19072, 57344, 3}, {20480, 40960, 2}, {21760, 65536, 3}, {24576, 24576, 1},
  {27264, 81920, 3}, {28672, 57344, 2}, {32768, 32768, 1},
};

START_TEST(size_class_table_is_that_of_go) {
  ck_assert_uint_eq(SIZE_CLASS_COUNT, 68);
  ck_assert_uint_eq(CGC_COUNT(rows), SIZE_CLASS_COUNT - 1);
  for (unsigned i = 0; i < CGC_COUNT(rows); i++) {
    const struct cgc_size_class *row = &size_class_rows[i + 1];
    ck_assert_uint_eq(row->slot_bytes, rows[i].slot_bytes);
    ck_assert_uint_eq((size_t)row->base_page_count * SPAN_PAGE_BYTES, rows[i].span_bytes);
    ck_assert_uint_eq((size_t)row->base_page_count * SPAN_PAGE_BYTES / row->slot_bytes, rows[i].slots);
  }
}
END_TEST

/* As many of Go's spans as make 512 slots, if 64 KiB are enough for that. */
static unsigned
spans_joined(const struct row *row) {
  unsigned count = 1;
  while (count * row->slots < 512 && (count + 1) * row->span_bytes <= 65536)
    count++;
  return count;
}

START_TEST(size_class_span_joins_those_of_go_for_512_slots) {
  for (unsigned i = 0; i < CGC_COUNT(rows); i++) {
    const struct cgc_size_class *row = &size_class_rows[i + 1];
    size_t bytes = spans_joined(&rows[i]) * rows[i].span_bytes;
    ck_assert_uint_eq(row->page_count * SPAN_PAGE_BYTES, bytes);
    ck_assert_uint_eq(row->slot_count, bytes / row->slot_bytes);
    ck_assert_uint_le(row->slot_count, SPAN_WORDS_MAX * 64);
  }
}
END_TEST

START_TEST(size_class_0_stands_for_large_blocks) {
  ck_assert_uint_eq(SIZE_CLASS_LARGE, 0);
  ck_assert_uint_eq(size_class_rows[0].slot_bytes, 0);
  ck_assert_uint_eq(size_class_rows[0].slot_count, 0);
}
END_TEST

START_TEST(size_class_reciprocal_divides_every_offset) {
  for (unsigned i = 1; i < SIZE_CLASS_COUNT; i++) {
    const struct cgc_size_class *row = &size_class_rows[i];
    for (uint64_t n = 0; n < (uint64_t)row->page_count * SPAN_PAGE_BYTES; n++)
      if (n * row->divide_magic >> 32 != n / row->slot_bytes)
        ck_abort_msg("class %u, offset %llu", i, (unsigned long long)n);
  }
}
END_TEST

/* Slots for more than 8 bytes are aligned to 16: classes of odd multiples of 8 do not serve them.  Up to 128
 * bytes there is at least a byte to spare. */
static unsigned
smallest_class_for(size_t bytes) {
  size_t wanted = bytes + (bytes <= 128);
  unsigned i = 1;
  while (size_class_rows[i].slot_bytes < wanted || (wanted > 8 && size_class_rows[i].slot_bytes % 16))
    i++;
  return i;
}

START_TEST(size_class_of_request_is_the_smallest_aligned_and_padded_one) {
  ck_assert_uint_eq(SIZE_CLASS_PADDED_BYTES, 128);
  for (size_t bytes = 0; bytes <= SIZE_CLASS_MAX_BYTES; bytes++)
    if (size_class_of(bytes) != smallest_class_for(bytes))
      ck_abort_msg("%zu bytes: class %u", bytes, size_class_of(bytes));
  ck_assert_uint_eq(size_class_of(SIZE_CLASS_MAX_BYTES + 1), SIZE_CLASS_LARGE);
  ck_assert_uint_eq(size_class_of(SIZE_MAX), SIZE_CLASS_LARGE);
}
END_TEST

START_TEST(size_class_span_class_tells_kind_and_size) {
  bool seen[SPAN_CLASS_COUNT] = {false};
  for (unsigned kind = 0; kind < SPAN_KIND_COUNT; kind++)
    for (unsigned i = 0; i < SIZE_CLASS_COUNT; i++) {
      unsigned span_class = span_class_of(i, kind);
      ck_assert_uint_lt(span_class, SPAN_CLASS_COUNT);
      ck_assert(!seen[span_class]);
      seen[span_class] = true;
      ck_assert_uint_eq(span_class_kind(span_class), kind);
      ck_assert_ptr_eq(span_class_size(span_class), &size_class_rows[i]);
    }
}
END_TEST

Suite *
size_class_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("size_class", &tests);
  tcase_add_test(tests, size_class_table_is_that_of_go);
  tcase_add_test(tests, size_class_span_joins_those_of_go_for_512_slots);
  tcase_add_test(tests, size_class_0_stands_for_large_blocks);
  tcase_add_test(tests, size_class_reciprocal_divides_every_offset);
  tcase_add_test(tests, size_class_of_request_is_the_smallest_aligned_and_padded_one);
  tcase_add_test(tests, size_class_span_class_tells_kind_and_size);
  return suite;
}
