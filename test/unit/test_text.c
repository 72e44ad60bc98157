/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/text.h"

static char buffer[64];

static struct text
fresh(size_t capacity_bytes) {
  memset(buffer, '#', sizeof buffer);
  return text_in(buffer, capacity_bytes);
}

static void
assert_text(const struct text *text, const char *expected) {
  ck_assert_uint_eq(text->length_bytes, strlen(expected));
  ck_assert_mem_eq(text->start, expected, text->length_bytes);
}

static void
assert_u64(uint64_t value, const char *expected) {
  struct text text = fresh(sizeof buffer);
  text_add_u64(&text, value);
  assert_text(&text, expected);
}

static void
assert_bytes(uint64_t value, const char *expected) {
  struct text text = fresh(sizeof buffer);
  text_add_bytes(&text, value);
  assert_text(&text, expected);
}

static void
assert_ratio(uint64_t value, uint64_t divisor, unsigned decimals, const char *expected) {
  struct text text = fresh(sizeof buffer);
  text_add_ratio(&text, value, divisor, decimals);
  assert_text(&text, expected);
}

START_TEST(text_add_appends) {
  struct text text = fresh(sizeof buffer);
  text_add(&text, "one ");
  text_add(&text, "");
  text_add_chars(&text, "twofold", 3);
  assert_text(&text, "one two");
}
END_TEST

START_TEST(text_add_to_full_buffer_cuts_and_writes_nothing_behind) {
  struct text text = fresh(8);
  text_add(&text, "12345");
  text_add(&text, "6789");
  text_add(&text, "x");
  text_add_u64(&text, UINT64_MAX);
  assert_text(&text, "12345678");
  ck_assert_int_eq(buffer[8], '#');
}
END_TEST

START_TEST(text_add_u64_at_limits_is_exact) {
  assert_u64(0, "0");
  assert_u64(9, "9");
  assert_u64(10, "10");
  assert_u64(UINT64_MAX, "18446744073709551615");
}
END_TEST

START_TEST(text_add_hex_has_prefix_and_no_padding) {
  struct text text = fresh(sizeof buffer);
  text_add_hex(&text, 0);
  text_add(&text, " ");
  text_add_hex(&text, 0xdeadbeef01);
  text_add(&text, " ");
  text_add_hex(&text, UINT64_MAX);
  assert_text(&text, "0x0 0xdeadbeef01 0xffffffffffffffff");
}
END_TEST

START_TEST(text_add_ratio_pads_decimals_and_rounds_down) {
  assert_ratio(1500000, 1000000, 3, "1.500");
  assert_ratio(1000999, 1000000, 3, "1.000");
  assert_ratio(45000, 1000000, 3, "0.045");
  assert_ratio(7, 1, 1, "7.0");
}
END_TEST

START_TEST(text_add_bytes_picks_the_unit) {
  assert_bytes(0, "0.0 KiB");
  assert_bytes(512, "0.5 KiB");
  assert_bytes(1024 * 1024 - 1, "1023.9 KiB");
  assert_bytes(1024 * 1024, "1.0 MiB");
  assert_bytes((uint64_t)33 * 1024 * 1024 / 10, "3.2 MiB");   /* 3.29 */
  assert_bytes((uint64_t)3 << 30, "3.0 GiB");
  assert_bytes((uint64_t)2048 << 40, "2048.0 TiB");
}
END_TEST

Suite *
text_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("text", &tests);
  tcase_add_test(tests, text_add_appends);
  tcase_add_test(tests, text_add_to_full_buffer_cuts_and_writes_nothing_behind);
  tcase_add_test(tests, text_add_u64_at_limits_is_exact);
  tcase_add_test(tests, text_add_hex_has_prefix_and_no_padding);
  tcase_add_test(tests, text_add_ratio_pads_decimals_and_rounds_down);
  tcase_add_test(tests, text_add_bytes_picks_the_unit);
  return suite;
}
