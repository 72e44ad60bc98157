/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/fault.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static char path[64];

static void
write_file(const char *text) {
  snprintf(path, sizeof path, "/tmp/cgc-unit-proc.XXXXXX");
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

START_TEST(proc_lines_are_read_one_by_one) {
  struct line_reader reader;
  write_file("one\n\nthree\n");
  ck_assert_int_eq(line_reader_open(&reader, path), 0);
  ck_assert_str_eq(line_reader_next(&reader), "one");
  ck_assert_str_eq(line_reader_next(&reader), "");
  ck_assert_str_eq(line_reader_next(&reader), "three");
  ck_assert_ptr_null(line_reader_next(&reader));
  ck_assert_int_eq(reader.err, 0);
  line_reader_close(&reader);
  unlink(path);
}
END_TEST

START_TEST(proc_lines_longer_than_the_buffer_are_cut) {
  static char text[20000];
  struct line_reader reader;
  memset(text, 'x', sizeof text - 1);
  memcpy(text + sizeof text - 6, "\nend\n", 6);
  write_file(text);
  ck_assert_int_eq(line_reader_open(&reader, path), 0);
  ck_assert_uint_eq(strlen(line_reader_next(&reader)), sizeof reader.buffer - 1);
  ck_assert_str_eq(line_reader_next(&reader), "end");
  line_reader_close(&reader);
  unlink(path);
}
END_TEST

START_TEST(proc_file_that_is_missing_is_an_error) {
  struct line_reader reader;
  ck_assert_int_eq(line_reader_open(&reader, "/proc/self/no-such-file"), ENOENT);
}
END_TEST

START_TEST(proc_read_that_fails_ends_the_lines_with_an_error) {
  struct line_reader reader;
  ck_assert(fault_configure("read:1"));
  ck_assert_int_eq(line_reader_open(&reader, "/proc/self/status"), 0);
  ck_assert_ptr_null(line_reader_next(&reader));
  ck_assert_int_eq(reader.err, EIO);
  line_reader_close(&reader);
}
END_TEST

START_TEST(proc_hexadecimal_numbers_end_at_another_character) {
  uintptr_t value;
  ck_assert_str_eq(proc_parse_hex("55d0c0ffee00  pos", &value), "  pos");
  ck_assert_uint_eq(value, 0x55d0c0ffee00);
}
END_TEST

static unsigned visits;

static bool
count_small_numbers(int number, void *arg) {
  visits++;
  return number != *(int *)arg;
}

START_TEST(proc_visit_tells_numbers_with_zero_and_stops_when_told) {
  int last = 1;
  for (int fd = 0; fd < 3; fd++)
    dup2(open("/dev/null", 0), fd);
  ck_assert_int_eq(proc_visit_numbers("/proc/self/fd", count_small_numbers, &last), 0);
  ck_assert_uint_eq(visits, 2);
  ck_assert_int_eq(proc_visit_numbers("/proc/self/no-such-directory", count_small_numbers, &last), ENOENT);
}
END_TEST

Suite *
proc_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("proc", &tests);
  tcase_add_test(tests, proc_lines_are_read_one_by_one);
  tcase_add_test(tests, proc_lines_longer_than_the_buffer_are_cut);
  tcase_add_test(tests, proc_file_that_is_missing_is_an_error);
  tcase_add_test(tests, proc_hexadecimal_numbers_end_at_another_character);
  tcase_add_test(tests, proc_visit_tells_numbers_with_zero_and_stops_when_told);
  if (CGC_CONFIG_FAULTS)
    tcase_add_test(tests, proc_read_that_fails_ends_the_lines_with_an_error);
  return suite;
}
