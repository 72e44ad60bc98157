/* SPDX-License-Identifier: MIT */
/* What the tool's parts decide, beside the scripts that run all of it. */
#include "fingerprint.h"
#include "growth.h"
#include "pattern.h"
#include "proto.h"
#include "source_root.h"
#include "utf_8.h"
#include "xml_text.h"

#include <check.h>
#include <stdlib.h>

/* ---- patterns ---- */

START_TEST(pattern_finds_parts) {
  static const struct {
    const char *pattern, *text;
    bool        is_found;
  } rows[] = {
    {"", "", true},          {"", "abc", true},        {"b", "abc", true},      {"d", "abc", false},
    {"^a", "abc", true},     {"^b", "abc", false},     {"c$", "abc", true},     {"b$", "abc", false},
    {"^abc$", "abc", true},  {"^ab$", "abc", false},   {"a*c", "abbc", true},   {"c*a", "abc", false},
    {"^a*c$", "abcbc", true}, {"^a*b$", "abcbc", false}, {"*", "", true},       {"a*a", "a", false},
    {"^a*a$", "a", false},   {"b*b$", "abb", true},    {"^*c", "abc", true},    {"abcd", "abc", false},
    {"[", "a[b", true},      {"a$b", "a$b", true},     {"^$", "", true},        {"^$", "a", false},
  };
  const size_t i = (size_t)_i;
  ck_assert_msg(pattern_is_found(rows[i].pattern, rows[i].text) == rows[i].is_found, "\"%s\" in \"%s\"",
                rows[i].pattern, rows[i].text);
}
END_TEST

/* ---- growth ---- */

enum { CHECKS_MAX = 6 };

/* How many places grow in an image with one, of these bytes in checks a second apart. */
static struct growths_found
growths_of(const int64_t *bytes, unsigned count) {
  struct growths_found found = {NULL, 0, 0};
  static struct record_stack stack;
  struct image image = {.process = NULL};
  *table_slot(&image.stacks, "1") = &stack;
  for (unsigned i = 0; i < count; i++) {
    *LIST_ADD(&image.checks) = (struct record_check){i + 1, (int64_t)i * 1000000000};
    *LIST_ADD(&image.sites) = (struct record_site){i + 1, 1, bytes[i]};
  }
  growth_find(&image, &found);
  return found;
}

START_TEST(growth_is_found_in_rising_places) {
  static const struct {
    unsigned count, growths;
    int64_t  bytes[CHECKS_MAX];
  } rows[] = {
    {3, 1, {1, 2, 3}},          {2, 0, {1, 2}},             {3, 0, {3, 2, 1}},    {3, 0, {2, 2, 2}},
    {4, 1, {10, 30, 20, 40}},   {5, 0, {1, 5, 1, 5, 1}},    {6, 0, {9, 1, 2, 3, 4, 5}},
    {6, 0, {1, 1, 1, 1, 1, 9}}, {6, 1, {1, 2, 3, 3, 4, 5}}, {3, 1, {0, 1, 9}},
  };
  const size_t i = (size_t)_i;
  ck_assert_uint_eq(growths_of(rows[i].bytes, rows[i].count).count, rows[i].growths);
}
END_TEST

START_TEST(growth_has_the_slope_of_least_squares) {
  static const int64_t bytes[] = {0, 100, 300, 300, 500};
  struct growths_found found = growths_of(bytes, 5);
  ck_assert_uint_eq(found.count, 1);
  ck_assert_double_eq_tol(found.items[0].growth.bytes_per_second, 120, 1e-9);
  ck_assert_int_eq(found.items[0].growth.last_bytes, 500);
}
END_TEST

/* ---- fingerprints ---- */

static const struct module program = {.path = "/bin/program", .build_id = ""};
static const struct module libc = {.path = "/lib/libc.so.6", .build_id = ""};

static const char *
fingerprint_of(const char *kind, const struct frame *frames, size_t count) {
  struct stack stack = {.by = "malloc"};
  for (size_t i = 0; i < count; i++)
    *LIST_ADD(&stack.frames) = frames[i];
  return fingerprint_make(kind, &stack);
}

START_TEST(fingerprint_is_of_names_only) {
  const struct frame plain[] = {{.function = "work", .module = &program}, {.function = "main", .module = &program}};
  const struct frame moved[] = {{.function = "strdup", .module = &libc, .line = 4},
                                {.function = "work.constprop.0", .module = &program, .line = 7, .offset = 9, .addr = 3},
                                {.function = "main", .module = &program}};
  const struct frame other[] = {{.function = "play", .module = &program}, {.function = "main", .module = &program}};
  ck_assert_str_eq(fingerprint_of("direct", plain, 2), fingerprint_of("direct", moved, 3));
  ck_assert_str_ne(fingerprint_of("direct", plain, 2), fingerprint_of("direct", other, 2));
  ck_assert_str_ne(fingerprint_of("direct", plain, 2), fingerprint_of("indirect", plain, 2));
  ck_assert_str_ne(fingerprint_of("direct", plain, 2), fingerprint_of("direct", plain, 1));
}
END_TEST

START_TEST(fingerprint_is_of_five_frames) {
  struct frame frames[6];
  for (unsigned i = 0; i < 6; i++)
    frames[i] = (struct frame){.function = "deep", .module = &program};
  const char *fingerprint = fingerprint_of("direct", frames, 6);
  frames[5].function = "outer";
  ck_assert_str_eq(fingerprint, fingerprint_of("direct", frames, 6));
  frames[4].function = "outer";
  ck_assert_str_ne(fingerprint, fingerprint_of("direct", frames, 6));
}
END_TEST

/* ---- texts ---- */

START_TEST(xml_escapes_what_it_cannot_hold) {
  ck_assert_str_eq(xml_text("a<b>&\"\n\t\r\001"), "a&lt;b&gt;&amp;&quot;\n\t&#13;?");
  ck_assert_str_eq(xml_attribute("a\n\tb"), "a&#10;&#9;b");
  ck_assert_str_eq(xml_text("\xef\xbf\xbe-\xef\xbf\xbf-\xef\xbf\xbd"), "?-?-\xef\xbf\xbd");
  ck_assert_str_eq(xml_text("\xe9"), "\xc3\xa9");
}
END_TEST

START_TEST(utf_8_is_left_alone) {
  ck_assert_str_eq(utf_8_text("\xc3\xa9"), "\xc3\xa9");
  ck_assert_str_eq(utf_8_text("\xc3("), "\xc3\x83(");
}
END_TEST

/* ---- paths ---- */

START_TEST(source_root_takes_paths_below_it) {
  static const struct {
    const char *root, *path, *relative;
  } rows[] = {
    {"/no/tree", "/no/tree/a/b.c", "a/b.c"},
    {"/no/tree", "/no/tree/a/../b.c", "b.c"},
    {"/no/tree/", "/no/tree//b.c", "b.c"},
    {"/no/tree", "/no/./tree/./b.c", "b.c"},
    {"/no/tree", "/no/trees/b.c", NULL},
    {"/no/tree", "/no/tree/../b.c", NULL},
    {"/no/tree", "/no/tree", NULL},
    {"/", "/no/b.c", "no/b.c"},
    {"/no/tree", "b.c", NULL},
    {"/no/../no/tree", "/no/tree/b.c", "b.c"},
    {"/no/tree", "/../no/tree/b.c", "b.c"},
    {"/no/tree", "/no/tree/..c", "..c"},
  };
  const size_t i = (size_t)_i;
  const char *relative = source_root_relative(rows[i].root, rows[i].path);
  if (rows[i].relative)
    ck_assert_pstr_eq(relative, rows[i].relative);
  else
    ck_assert_ptr_null(relative);
}
END_TEST

/* ---- protocol buffers ---- */

/* The examples of the encoding's documentation: 150 in field 1, "testing" in field 2, both in field 3. */
START_TEST(proto_writes_the_wire_format) {
  static const unsigned char expected[] = {0x08, 0x96, 0x01, 0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g',
                                           0x1a, 0x03, 0x08, 0x96, 0x01, 0x20, 0x00};
  struct proto message = {NULL, 0, 0}, inner = {NULL, 0, 0};
  const uint64_t zero = 0;
  proto_add_number(&inner, 1, 150);
  proto_add_number(&message, 1, 150);
  proto_add_string(&message, 2, "testing");
  proto_add_message(&message, 3, &inner);
  proto_add_number(&message, 5, 0);
  proto_add_numbers(&message, 4, &zero, 1);
  ck_assert_uint_eq(message.count, sizeof expected);
  ck_assert_mem_eq(message.items, expected, sizeof expected);
}
END_TEST

START_TEST(proto_writes_large_numbers) {
  struct proto message = {NULL, 0, 0};
  proto_add_number(&message, 1, UINT64_MAX);
  ck_assert_uint_eq(message.count, 11);
  ck_assert_uint_eq(message.items[9], 0xff);
  ck_assert_uint_eq(message.items[10], 0x01);
}
END_TEST

int
main(void) {
  Suite *suite = suite_create("tool");
  TCase *tests = tcase_create("all");
  tcase_add_loop_test(tests, pattern_finds_parts, 0, 24);
  tcase_add_loop_test(tests, growth_is_found_in_rising_places, 0, 10);
  tcase_add_test(tests, growth_has_the_slope_of_least_squares);
  tcase_add_test(tests, fingerprint_is_of_names_only);
  tcase_add_test(tests, fingerprint_is_of_five_frames);
  tcase_add_test(tests, xml_escapes_what_it_cannot_hold);
  tcase_add_test(tests, utf_8_is_left_alone);
  tcase_add_loop_test(tests, source_root_takes_paths_below_it, 0, 12);
  tcase_add_test(tests, proto_writes_the_wire_format);
  tcase_add_test(tests, proto_writes_large_numbers);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed > 0;
}
