/* SPDX-License-Identifier: MIT */
/* When a cycle starts. */
#include "unit.h"

#include "base/options.h"
#include "gc/cycle.h"

/* Two threads take enough before either of them counts. */
static void
note_twice(void) {
  ck_assert(cycle_note_handed(option(OPTION_MIN_HEAP)));
  ck_assert(cycle_note_handed(option(OPTION_MIN_HEAP)));
}

START_TEST(cycle_is_due_at_the_goal_to_the_first_that_counts) {
  enum cycle_cause cause;
  unit_start_runtime();
  unit_take_large(option(OPTION_MIN_HEAP), 0);
  note_twice();
  ck_assert(cycle_is_due(&cause));
  ck_assert_int_eq(cause, CYCLE_CAUSE_HEAP);
  ck_assert(!cycle_is_due(&cause));
}
END_TEST

START_TEST(cycle_is_not_due_below_the_goal_however_many_count) {
  enum cycle_cause cause;
  unit_start_runtime();
  note_twice();
  ck_assert(!cycle_is_due(&cause));
  ck_assert(!cycle_is_due(&cause));
}
END_TEST

Suite *
cycle_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("cycle", &tests);
  tcase_add_test(tests, cycle_is_due_at_the_goal_to_the_first_that_counts);
  tcase_add_test(tests, cycle_is_not_due_below_the_goal_however_many_count);
  return suite;
}
