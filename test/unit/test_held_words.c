/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/hull.h"
#include "world/held_words.h"

enum { FIRST = 1, SECOND = 2 };   /* names of threads */

static struct array words;

static unsigned
count_words(void) {
  words.count = 0;
  ck_assert_int_eq(held_words_list_stw(&words), 0);
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

static void
hold(uintptr_t holder, uintptr_t value) {
  held_words_replace(&(struct held_words){holder, {value, 0}});
}

static void
give_back(uintptr_t holder, uintptr_t value) {
  held_words_remove(&(struct held_words){holder, {value, 0}});
}

START_TEST(values_are_held_until_they_are_joined) {
  unit_start_heap();
  hold(FIRST, value_of(1));
  hold(SECOND, value_of(2));
  ck_assert(is_held(value_of(1)) && is_held(value_of(2)));
  give_back(FIRST, value_of(1));
  ck_assert(!is_held(value_of(1)) && is_held(value_of(2)));
  give_back(SECOND, value_of(2));
  ck_assert_uint_eq(count_words(), 0);
}
END_TEST

/* Threads that nobody joins, and whose descriptors libc uses again. */
START_TEST(a_thread_has_one_value) {
  unit_start_heap();
  for (unsigned i = 0; i < 100; i++)
    hold(FIRST, value_of(i));
  ck_assert_uint_eq(count_words(), 2);   /* the other is 0 */
  ck_assert(is_held(value_of(99)));
}
END_TEST

/* Between the join and its note a new thread may have begun and ended. */
START_TEST(a_later_thread_of_that_name_keeps_its_value) {
  unit_start_heap();
  hold(FIRST, value_of(1));
  hold(FIRST, value_of(2));
  give_back(FIRST, value_of(1));
  ck_assert(is_held(value_of(2)));
}
END_TEST

/* Requests: one context has many, also of the same words. */
START_TEST(requests_are_held_until_each_is_done_or_their_context_gone) {
  const struct held_words same = {FIRST, {value_of(1), value_of(2)}}, other = {FIRST, {value_of(3), 0}};
  const struct held_words elsewhere = {SECOND, {value_of(4), value_of(5)}};
  unit_start_heap();
  ck_assert(held_words_add(&same) && held_words_add(&same) && held_words_add(&other) && held_words_add(&elsewhere));
  held_words_remove(&same);
  ck_assert(is_held(same.words[0]) && is_held(same.words[1]));
  held_words_remove(&same);
  held_words_remove(&same);
  ck_assert(!is_held(same.words[0]) && is_held(other.words[0]));
  held_words_remove_all(FIRST);
  ck_assert(!is_held(other.words[0]) && is_held(elsewhere.words[1]));
}
END_TEST

START_TEST(a_child_has_none) {
  unit_start_heap();
  hold(FIRST, value_of(1));
  held_words_adopt_fork();
  ck_assert_uint_eq(count_words(), 0);
  hold(SECOND, value_of(2));
  ck_assert(is_held(value_of(2)));
}
END_TEST

Suite *
held_words_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("held_words", &tests);
  tcase_add_test(tests, values_are_held_until_they_are_joined);
  tcase_add_test(tests, a_thread_has_one_value);
  tcase_add_test(tests, a_later_thread_of_that_name_keeps_its_value);
  tcase_add_test(tests, requests_are_held_until_each_is_done_or_their_context_gone);
  tcase_add_test(tests, a_child_has_none);
  return suite;
}
