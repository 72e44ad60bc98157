/* SPDX-License-Identifier: MIT */
/* The environment itself is read by test/fault/options.sh: it is that of a process's start. */
#include "unit.h"

#include "base/options.h"

#include <unistd.h>

struct row {
  const char *name;
  const char *kind;
  uint64_t initial, min, max;
};

static const struct row rows[OPTION_COUNT] = {
#define ROW(id, name, kind, initial, min, max, help) [OPTION_##id] = {name, #kind, initial, min, max},
  OPTION_LIST(ROW)
#undef ROW
};

static bool
set(const char *assignment) {
  return options_set(assignment, strlen(assignment));
}

static bool
set_u64(const char *name, uint64_t value, const char *suffix) {
  char assignment[100];
  snprintf(assignment, sizeof assignment, "%s=%llu%s", name, (unsigned long long)value, suffix);
  return set(assignment);
}

static bool
set_text(const char *name, const char *value) {
  char assignment[100];
  snprintf(assignment, sizeof assignment, "%s=%s", name, value);
  return set(assignment);
}

static bool
is_kind(const struct row *row, const char *kind) {
  return !strcmp(row->kind, kind);
}

static bool
is_named(const struct row *row) {
  return is_kind(row, "MODE") || is_kind(row, "DIRTY") || is_kind(row, "LIMIT") || is_kind(row, "SWITCH");
}

/* ---- each row ---- */

START_TEST(options_unset_have_their_defaults) {
  for (unsigned i = 0; i < OPTION_COUNT; i++)
    ck_assert_uint_eq(option((enum option)i), rows[i].initial);
}
END_TEST

START_TEST(options_table_has_defaults_in_range_and_distinct_names) {
  for (unsigned i = 0; i < OPTION_COUNT; i++) {
    ck_assert_uint_ge(rows[i].initial, rows[i].min);
    ck_assert_uint_le(rows[i].initial, rows[i].max);
    for (unsigned k = 0; k < i; k++)
      ck_assert_str_ne(rows[i].name, rows[k].name);
  }
}
END_TEST

START_TEST(options_number_at_limits_is_taken) {
  for (unsigned i = 0; i < OPTION_COUNT; i++) {
    if (is_named(&rows[i]))
      continue;
    ck_assert(set_u64(rows[i].name, rows[i].min, ""));
    ck_assert_uint_eq(option((enum option)i), rows[i].min);
    ck_assert(set_u64(rows[i].name, rows[i].max, ""));
    ck_assert_uint_eq(option((enum option)i), rows[i].max);
  }
}
END_TEST

START_TEST(options_number_out_of_range_is_refused_and_keeps_the_value) {
  unit_log_capture();
  for (unsigned i = 0; i < OPTION_COUNT; i++) {
    if (is_named(&rows[i]))
      continue;
    if (rows[i].min > 0)
      ck_assert(!set_u64(rows[i].name, rows[i].min - 1, ""));
    ck_assert(!set_u64(rows[i].name, rows[i].max + 1, ""));
    ck_assert(!set_u64(rows[i].name, UINT64_MAX, ""));
    ck_assert_uint_eq(option((enum option)i), rows[i].initial);
  }
  unit_log_text();
}
END_TEST

START_TEST(options_bad_value_is_refused_for_every_option) {
  static const char *const values[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1.5", "one", "1KK", "K", "1T",
                                       "18446744073709551616", "99999999999999999999999999"};
  unit_log_capture();
  for (unsigned i = 0; i < OPTION_COUNT; i++)
    for (size_t k = 0; k < CGC_COUNT(values); k++) {
      ck_assert_msg(!set_text(rows[i].name, values[k]), "%s=%s was taken", rows[i].name, values[k]);
      ck_assert_uint_eq(option((enum option)i), rows[i].initial);
    }
  unit_log_text();
}
END_TEST

START_TEST(options_suffix_is_taken_for_bytes_only) {
  unit_log_capture();
  for (unsigned i = 0; i < OPTION_COUNT; i++) {
    bool is_bytes = is_kind(&rows[i], "BYTES") || is_kind(&rows[i], "LIMIT");
    ck_assert_int_eq(set_u64(rows[i].name, 1, "M"), is_bytes);
    ck_assert_uint_eq(option((enum option)i), is_bytes ? MIB : rows[i].initial);
  }
  unit_log_text();
}
END_TEST

/* ---- kinds ---- */

START_TEST(options_byte_suffixes_multiply) {
  ck_assert(set("min-heap=64k") && option(OPTION_MIN_HEAP) == 64 * KIB);
  ck_assert(set("min-heap=65K") && option(OPTION_MIN_HEAP) == 65 * KIB);
  ck_assert(set("min-heap=3m") && option(OPTION_MIN_HEAP) == 3 * MIB);
  ck_assert(set("min-heap=4M") && option(OPTION_MIN_HEAP) == 4 * MIB);
  ck_assert(set("min-heap=5g") && option(OPTION_MIN_HEAP) == 5 * GIB);
  ck_assert(set("min-heap=6G") && option(OPTION_MIN_HEAP) == 6 * GIB);
  ck_assert(set("min-heap=70001") && option(OPTION_MIN_HEAP) == 70001);
}
END_TEST

START_TEST(options_byte_suffix_that_overflows_is_refused) {
  unit_log_capture();
  ck_assert(!set("retain=17179869184G"));      /* 2^64: would wrap to 0, which is in range */
  ck_assert(!set("retain=18014398509481984K"));
  ck_assert_uint_eq(option(OPTION_RETAIN), 16 * MIB);
  unit_log_text();
}
END_TEST

START_TEST(options_mode_takes_its_words_only) {
  unit_log_capture();
  ck_assert(set("mode=off") && option(OPTION_MODE) == OPTION_MODE_OFF);
  ck_assert(set("mode=collect") && option(OPTION_MODE) == OPTION_MODE_COLLECT);
  ck_assert(!set("mode=1") && !set("mode=OFF") && !set("mode=of") && !set("mode=offf"));
  ck_assert_uint_eq(option(OPTION_MODE), OPTION_MODE_COLLECT);
  ck_assert(set("memory-limit=off") && option(OPTION_MEMORY_LIMIT) == OPTION_LIMIT_OFF);
  ck_assert(set("memory-limit=1M") && option(OPTION_MEMORY_LIMIT) == 1 * MIB);
  ck_assert(!set("memory-limit=1023K") && !set("memory-limit=1") && !set("memory-limit=stop"));
  ck_assert(set("memory-limit=auto") && option(OPTION_MEMORY_LIMIT) == OPTION_LIMIT_AUTO);
  ck_assert(set("dirty=uffd") && option(OPTION_DIRTY) == OPTION_DIRTY_UFFD);
  ck_assert(set("dirty=stop") && option(OPTION_DIRTY) == OPTION_DIRTY_STOP);
  ck_assert(!set("dirty=off") && !set("dirty=collect") && set("dirty=auto") && option(OPTION_DIRTY) == OPTION_DIRTY_AUTO);
  unit_log_text();
}
END_TEST

/* ---- names ---- */

START_TEST(options_unknown_name_is_refused) {
  static const char *const assignments[] = {"min=1", "min-heapx=1", "MODE=off", "mode", "", "=", "=off", "mod=off",
                                            "min_heap=1M", "lo=x", "logs=x"};
  unit_log_capture();
  for (size_t i = 0; i < CGC_COUNT(assignments); i++)
    ck_assert_msg(!set(assignments[i]), "%s was taken", assignments[i]);
  for (unsigned i = 0; i < OPTION_COUNT; i++)
    ck_assert_uint_eq(option((enum option)i), rows[i].initial);
  unit_log_text();
}
END_TEST

START_TEST(options_set_reads_the_given_length_only) {
  ck_assert(options_set("stress=123456", strlen("stress=123")));
  ck_assert_uint_eq(option(OPTION_STRESS), 123);
}
END_TEST

/* ---- reports ---- */

START_TEST(options_bad_value_is_reported_with_range_and_value_in_force) {
  unit_log_capture();
  set("confirm=3");
  set("mode=on");
  set("retain=x");
  char expected[300];
  snprintf(expected, sizeof expected,
           "cgc: option confirm=3 is not 1 to 2; using 2\n"
           "cgc: option mode=on is not off or collect or leak; using collect\n"
           "cgc: option retain=x is not 0 to %llu bytes; using %llu\n",
           (unsigned long long)rows[OPTION_RETAIN].max, (unsigned long long)rows[OPTION_RETAIN].initial);
  ck_assert_str_eq(unit_log_text(), expected);
}
END_TEST

START_TEST(options_unknown_name_is_reported_in_one_line) {
  unit_log_capture();
  set("speed=9");
  ck_assert_str_eq(unit_log_text(), "cgc: unknown option \"speed=9\" ignored; CGC_OPTIONS=help=1 lists them\n");
}
END_TEST

START_TEST(options_report_of_long_text_is_cut_but_ends_the_line) {
  char assignment[1000] = "confirm=";
  memset(assignment + 8, '7', sizeof assignment - 9);
  unit_log_capture();
  ck_assert(!set(assignment));
  ck_assert(!set(assignment + 8));
  const char *text = unit_log_text();
  const char *newline = strchr(text, '\n');
  ck_assert_ptr_nonnull(newline);
  ck_assert_int_lt(newline - text, 300);
  ck_assert_int_eq(text[strlen(text) - 1], '\n');
  ck_assert_ptr_nonnull(strstr(text, "is not 1 to 2; using 2\n"));
  ck_assert_ptr_nonnull(strstr(text, "ignored; CGC_OPTIONS=help=1 lists them\n"));
}
END_TEST

START_TEST(options_path_too_long_is_refused) {
  char assignment[PATH_TEMPLATE_BYTES + 16] = "log=";
  memset(assignment + 4, 'x', PATH_TEMPLATE_BYTES);
  unit_log_capture();
  ck_assert(!set(assignment));
  ck_assert_str_eq(unit_log_text(), "cgc: option log: the path is too long, and ignored\n");
}
END_TEST

START_TEST(options_path_stands_with_the_process_id) {
  char expanded[PATH_TEMPLATE_EXPANDED_BYTES], expected[64];
  ck_assert(set("report=/x/%p.y%"));
  path_expand(option_path(OPTION_PATH_REPORT), expanded);
  snprintf(expected, sizeof expected, "/x/%d.y%%", (int)getpid());
  ck_assert_str_eq(expanded, expected);
}
END_TEST

Suite *
options_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("options", &tests);
  tcase_add_test(tests, options_unset_have_their_defaults);
  tcase_add_test(tests, options_table_has_defaults_in_range_and_distinct_names);
  tcase_add_test(tests, options_number_at_limits_is_taken);
  tcase_add_test(tests, options_number_out_of_range_is_refused_and_keeps_the_value);
  tcase_add_test(tests, options_bad_value_is_refused_for_every_option);
  tcase_add_test(tests, options_suffix_is_taken_for_bytes_only);
  tcase_add_test(tests, options_byte_suffixes_multiply);
  tcase_add_test(tests, options_byte_suffix_that_overflows_is_refused);
  tcase_add_test(tests, options_mode_takes_its_words_only);
  tcase_add_test(tests, options_unknown_name_is_refused);
  tcase_add_test(tests, options_set_reads_the_given_length_only);
  tcase_add_test(tests, options_bad_value_is_reported_with_range_and_value_in_force);
  tcase_add_test(tests, options_unknown_name_is_reported_in_one_line);
  tcase_add_test(tests, options_report_of_long_text_is_cut_but_ends_the_line);
  tcase_add_test(tests, options_path_too_long_is_refused);
  tcase_add_test(tests, options_path_stands_with_the_process_id);
  return suite;
}
