/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/hull.h"
#include "world/held_returns.h"

enum { FIRST = 1, SECOND = 2 };   /* names of threads */

static struct array words;

static unsigned
count_words(void) {
  words.count = 0;
  ck_assert_int_eq(held_returns_list_stw(&words), 0);
  return (unsigned)words.count;
}

static bool
is_held(uintptr_t value) {
  bool is_found = false;
  count_words();
  for (size_t i = 0; i < words.count; i++)
    is_found |= ((uintptr_t *)words.items)[i] == value;
  return is_found;
}

static uintptr_t
value_of(unsigned number) {
  return hull.heap_addr + 64 * number;
}

START_TEST(values_are_held_until_they_are_joined) {
  unit_start_heap();
  held_returns_add(FIRST, value_of(1));
  held_returns_add(SECOND, value_of(2));
  ck_assert(is_held(value_of(1)) && is_held(value_of(2)));
  held_returns_remove(FIRST, value_of(1));
  ck_assert(!is_held(value_of(1)) && is_held(value_of(2)));
  held_returns_remove(SECOND, value_of(2));
  ck_assert_uint_eq(count_words(), 0);
}
END_TEST

START_TEST(numbers_are_not_held) {
  unit_start_heap();
  held_returns_add(FIRST, 0);
  held_returns_add(SECOND, 4711);
  ck_assert_uint_eq(count_words(), 0);
  held_returns_remove(FIRST, 0);
}
END_TEST

/* Threads that nobody joins, and whose descriptors libc uses again. */
START_TEST(a_thread_has_one_value) {
  unit_start_heap();
  for (unsigned i = 0; i < 100; i++)
    held_returns_add(FIRST, value_of(i));
  ck_assert_uint_eq(count_words(), 1);
  ck_assert(is_held(value_of(99)));
}
END_TEST

/* Between the join and its note a new thread may have begun and ended. */
START_TEST(a_later_thread_of_that_name_keeps_its_value) {
  unit_start_heap();
  held_returns_add(FIRST, value_of(1));
  held_returns_add(FIRST, value_of(2));
  held_returns_remove(FIRST, value_of(1));
  ck_assert(is_held(value_of(2)));
}
END_TEST

START_TEST(a_child_has_none) {
  unit_start_heap();
  held_returns_add(FIRST, value_of(1));
  held_returns_adopt_fork();
  ck_assert_uint_eq(count_words(), 0);
  held_returns_add(SECOND, value_of(2));
  ck_assert(is_held(value_of(2)));
}
END_TEST

Suite *
held_returns_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("held_returns", &tests);
  tcase_add_test(tests, values_are_held_until_they_are_joined);
  tcase_add_test(tests, numbers_are_not_held);
  tcase_add_test(tests, a_thread_has_one_value);
  tcase_add_test(tests, a_later_thread_of_that_name_keeps_its_value);
  tcase_add_test(tests, a_child_has_none);
  return suite;
}
