/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "report/json_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct json_lines json;
static char path[] = "/tmp/cgc-unit-json.XXXXXX";

static void
start(void) {
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
  json_open(&json, path);
  ck_assert_int_eq(json.err, 0);
}

/* All that has been written. */
static const char *
text(void) {
  static char all[1 << 20];
  json_close(&json);
  ck_assert_int_eq(json.err, 0);
  int fd = open(path, O_RDONLY);
  ssize_t bytes = read(fd, all, sizeof all - 1);
  ck_assert_int_ge(bytes, 0);
  all[bytes] = 0;
  close(fd);
  unlink(path);
  return all;
}

START_TEST(json_lines_have_members_of_all_kinds) {
  start();
  json_begin_line(&json, "all");
  json_add_number(&json, "zero", 0);
  json_add_number(&json, "large", (uint64_t)1 << 52);
  json_add_bool(&json, "yes", true);
  json_add_bool(&json, "no", false);
  json_add_string(&json, "text", "a b");
  json_add_string(&json, "none", NULL);
  json_add_chars(&json, "part", "abcdef", 3);
  json_add_address(&json, "address", 0x7fff1234);
  json_end_line(&json);
  ck_assert_str_eq(text(), "{\"type\":\"all\",\"zero\":0,\"large\":4503599627370496,\"yes\":true,\"no\":false,"
                           "\"text\":\"a b\",\"none\":null,\"part\":\"abc\",\"address\":\"0x7fff1234\"}\n");
}
END_TEST

START_TEST(json_lines_have_arrays_and_objects) {
  start();
  json_begin_line(&json, "nested");
  json_begin(&json, "empty", '[');
  json_end(&json, ']');
  json_begin(&json, "pairs", '[');
  for (uint64_t i = 0; i < 2; i++) {
    json_begin(&json, NULL, '[');
    json_add_number(&json, NULL, i);
    json_add_number(&json, NULL, i + 1);
    json_end(&json, ']');
  }
  json_end(&json, ']');
  json_begin(&json, "object", '{');
  json_add_number(&json, "a", 1);
  json_end(&json, '}');
  json_add_number(&json, "b", 2);
  json_end_line(&json);
  json_begin_line(&json, "next");
  json_end_line(&json);
  ck_assert_str_eq(text(), "{\"type\":\"nested\",\"empty\":[],\"pairs\":[[0,1],[1,2]],\"object\":{\"a\":1},\"b\":2}\n"
                           "{\"type\":\"next\"}\n");
}
END_TEST

/* ---- strings ---- */

static const struct string {
  const char *given, *written;
} strings[] = {
  {"", ""}, {"plain", "plain"}, {"\"", "\\\""}, {"\\", "\\\\"}, {"a\"b\\c", "a\\\"b\\\\c"}, {"/", "/"},
  {"\n\t\r", "\\u000a\\u0009\\u000d"}, {"\x01\x1f", "\\u0001\\u001f"}, {"\x7f", "\x7f"},
  {"\xc3\xa9", "\xc3\xa9"}, {"\xe2\x82\xac", "\xe2\x82\xac"}, {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
  {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
  {"\xff", "\\u00ff"}, {"\x80", "\\u0080"},                              /* in no character */
  {"\xe9t\xe9", "\\u00e9t\\u00e9"},                                      /* Latin-1 */
  {"\xc3", "\\u00c3"}, {"\xe2\x82", "\\u00e2\\u0082"}, {"\xe2\x82""a", "\\u00e2\\u0082a"},    /* cut off */
  {"\xc0\xaf", "\\u00c0\\u00af"}, {"\xe0\x80\xaf", "\\u00e0\\u0080\\u00af"},                  /* longer than need be */
  {"\xf0\x80\x80\xaf", "\\u00f0\\u0080\\u0080\\u00af"},
  {"\xed\xa0\x80", "\\u00ed\\u00a0\\u0080"},                             /* half a surrogate pair */
  {"\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080"},               /* too large */
  {"\xf5\x80\x80\x80", "\\u00f5\\u0080\\u0080\\u0080"},
};

START_TEST(json_lines_escape_strings) {
  char expected[200];
  start();
  json_begin_line(&json, "string");
  json_add_string(&json, "s", strings[_i].given);
  json_end_line(&json);
  snprintf(expected, sizeof expected, "{\"type\":\"string\",\"s\":\"%s\"}\n", strings[_i].written);
  ck_assert_str_eq(text(), expected);
}
END_TEST

START_TEST(json_lines_cut_no_character_where_chars_end) {
  start();
  json_begin_line(&json, "string");
  json_add_chars(&json, "s", "\xe2\x82\xac", 2);
  json_end_line(&json);
  ck_assert_str_eq(text(), "{\"type\":\"string\",\"s\":\"\\u00e2\\u0082\"}\n");
}
END_TEST

/* ---- the buffer ---- */

START_TEST(json_lines_are_as_long_as_need_be) {
  enum { REPEATS = 30000 };
  static char given[3 * REPEATS + 1], expected[8 * REPEATS + 100];
  for (size_t i = 0; i < REPEATS; i++) {
    memcpy(given + 3 * i, "\xc3\xa9\x01", 3);
    memcpy(expected + 8 * i, "\xc3\xa9\\u0001", 8);
  }
  start();
  json_begin_line(&json, "long");
  json_add_string(&json, "s", given);
  json_end_line(&json);
  const char *written = text();
  size_t head = strlen("{\"type\":\"long\",\"s\":\"");
  ck_assert_mem_eq(written + head, expected, 8 * REPEATS);
  ck_assert_str_eq(written + head + 8 * REPEATS, "\"}\n");
}
END_TEST

/* With everything at every place about the buffer's end. */
START_TEST(json_lines_lose_nothing_where_the_buffer_ends) {
  static const char rest[] = "\",\"n\":18446744073709551615,\"b\":false,\"e\":\"\\u0002\\\"\",\"z\":null,"
                             "\"a\":\"0xffffffffffffffff\",\"l\":[[1]]}\n";
  static char filler[sizeof json.buffer];
  for (size_t length = sizeof json.buffer - 300; length < sizeof json.buffer; length++) {
    memset(filler, 'x', length);
    filler[length] = 0;
    strcpy(path, "/tmp/cgc-unit-json.XXXXXX");
    start();
    json_begin_line(&json, "edge");
    json_add_string(&json, "s", filler);
    json_add_number(&json, "n", UINT64_MAX);
    json_add_bool(&json, "b", false);
    json_add_string(&json, "e", "\x02\"");
    json_add_string(&json, "z", NULL);
    json_add_address(&json, "a", UINTPTR_MAX);
    json_begin(&json, "l", '[');
    json_begin(&json, NULL, '[');
    json_add_number(&json, NULL, 1);
    json_end(&json, ']');
    json_end(&json, ']');
    json_end_line(&json);
    const char *written = text();
    ck_assert_uint_eq(strlen(written), strlen("{\"type\":\"edge\",\"s\":\"") + length + strlen(rest));
    ck_assert_str_eq(written + strlen(written) - strlen(rest), rest);
  }
}
END_TEST

/* ---- files ---- */

START_TEST(json_lines_are_appended) {
  start();
  for (int i = 0; i < 3; i++) {
    json_begin_line(&json, "again");
    json_end_line(&json);
    json_close(&json);
    json_open(&json, path);
  }
  ck_assert_str_eq(text(), "{\"type\":\"again\"}\n{\"type\":\"again\"}\n{\"type\":\"again\"}\n");
}
END_TEST

static void
write_much(void) {
  for (int i = 0; i < 1000; i++) {
    json_begin_line(&json, "much");
    json_add_string(&json, "s", "some text that has to go somewhere, for the buffer to be full at some time");
    json_end_line(&json);
  }
  json_close(&json);
}

START_TEST(json_lines_note_that_the_disk_is_full) {
  json_open(&json, "/dev/full");
  ck_assert_int_eq(json.err, 0);
  write_much();
  ck_assert_int_eq(json.err, EIO);
}
END_TEST

START_TEST(json_lines_note_that_there_is_no_file) {
  json_open(&json, "/no/such/directory/file");
  ck_assert_int_eq(json.err, ENOENT);
  write_much();
  ck_assert_int_eq(json.err, ENOENT);
}
END_TEST

Suite *
json_lines_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("json_lines", &tests);
  tcase_add_test(tests, json_lines_have_members_of_all_kinds);
  tcase_add_test(tests, json_lines_have_arrays_and_objects);
  tcase_add_loop_test(tests, json_lines_escape_strings, 0, CGC_COUNT(strings));
  tcase_add_test(tests, json_lines_cut_no_character_where_chars_end);
  tcase_add_test(tests, json_lines_are_as_long_as_need_be);
  tcase_add_test(tests, json_lines_lose_nothing_where_the_buffer_ends);
  tcase_add_test(tests, json_lines_are_appended);
  tcase_add_test(tests, json_lines_note_that_the_disk_is_full);
  tcase_add_test(tests, json_lines_note_that_there_is_no_file);
  return suite;
}
