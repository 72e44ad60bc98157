/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gc/mark_queue.h"

enum { SPANS = 40 };

static struct cgc_span spans[SPANS];
static struct mark_list list;

static void
append(unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++)
    mark_list_append(&list, &spans[i]);
}

START_TEST(mark_list_gives_spans_in_order_of_arrival) {
  ck_assert_ptr_null(mark_list_take(&list));
  append(0, 3);
  ck_assert_ptr_eq(mark_list_take(&list), &spans[0]);
  append(3, 5);
  for (unsigned i = 1; i < 5; i++)
    ck_assert_ptr_eq(mark_list_take(&list), &spans[i]);
  ck_assert_ptr_null(mark_list_take(&list));
  ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(mark_list_that_was_emptied_can_be_filled_again) {
  append(0, 1);
  ck_assert_ptr_eq(mark_list_take(&list), &spans[0]);
  append(0, 2);
  ck_assert_ptr_eq(mark_list_take(&list), &spans[0]);
  ck_assert_ptr_eq(mark_list_take(&list), &spans[1]);
  ck_assert_ptr_null(mark_list_take(&list));
}
END_TEST

/* With none, and with some, in each. */
START_TEST(mark_list_prepended_gives_the_added_spans_first) {
  struct mark_list more = {0};
  mark_list_prepend(&list, &more);
  ck_assert_ptr_null(mark_list_take(&list));
  mark_list_append(&more, &spans[2]);
  mark_list_prepend(&list, &more);
  mark_list_append(&more, &spans[0]);
  mark_list_append(&more, &spans[1]);
  mark_list_prepend(&list, &more);
  ck_assert_uint_eq(more.count, 0);
  mark_list_append(&list, &spans[3]);
  ck_assert_uint_eq(list.count, 4);
  for (unsigned i = 0; i < 4; i++)
    ck_assert_ptr_eq(mark_list_take(&list), &spans[i]);
  ck_assert_ptr_null(mark_list_take(&list));
}
END_TEST

START_TEST(mark_queue_new_has_no_work) {
  ck_assert(!mark_queue_has_work());
  ck_assert(!mark_queue_steal(1, &list));
  mark_queue_share(&list);   /* of nothing */
  ck_assert(!mark_queue_has_work());
}
END_TEST

START_TEST(mark_queue_shared_spans_are_stolen_once_each_in_order) {
  append(0, 5);
  mark_queue_share(&list);
  ck_assert_uint_eq(list.count, 0);
  ck_assert(mark_queue_has_work());
  append(5, SPANS);
  mark_queue_share(&list);
  unsigned seen = 0;
  while (mark_queue_steal(1, &list)) {
    ck_assert_uint_le(list.count, MARK_STEAL_SPANS);
    for (struct cgc_span *span; (span = mark_list_take(&list)); seen++)
      ck_assert_ptr_eq(span, &spans[seen]);
  }
  ck_assert_uint_eq(seen, SPANS);
  ck_assert(!mark_queue_has_work());
}
END_TEST

START_TEST(mark_queue_what_is_left_to_marker_0_is_taken_by_no_other) {
  mark_queue_leave(&spans[0]);
  append(1, 2);
  mark_queue_share(&list);
  ck_assert(mark_queue_has_work_for(1));
  ck_assert(mark_queue_steal(1, &list));
  ck_assert_uint_eq(list.count, 1);
  ck_assert_ptr_eq(mark_list_take(&list), &spans[1]);
  ck_assert(!mark_queue_has_work_for(1) && !mark_queue_steal(1, &list));
  ck_assert(mark_queue_has_work() && mark_queue_has_work_for(0));
  ck_assert(mark_queue_steal(0, &list));
  ck_assert_ptr_eq(mark_list_take(&list), &spans[0]);
  ck_assert(!mark_queue_has_work());
}
END_TEST

START_TEST(mark_queue_after_fork_or_a_mark_given_up_is_empty) {
  append(0, 3);
  mark_queue_share(&list);
  if (_i)
    mark_queue_adopt_fork();
  else
    mark_queue_forget();
  ck_assert(!mark_queue_has_work());
  ck_assert(!mark_queue_steal(1, &list));
  append(0, 1);
  mark_queue_share(&list);
  ck_assert(mark_queue_steal(1, &list));
}
END_TEST

Suite *
mark_queue_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("mark_queue", &tests);
  tcase_add_test(tests, mark_list_gives_spans_in_order_of_arrival);
  tcase_add_test(tests, mark_list_that_was_emptied_can_be_filled_again);
  tcase_add_test(tests, mark_list_prepended_gives_the_added_spans_first);
  tcase_add_test(tests, mark_queue_new_has_no_work);
  tcase_add_test(tests, mark_queue_shared_spans_are_stolen_once_each_in_order);
  tcase_add_test(tests, mark_queue_what_is_left_to_marker_0_is_taken_by_no_other);
  tcase_add_loop_test(tests, mark_queue_after_fork_or_a_mark_given_up_is_empty, 0, 2);
  return suite;
}
