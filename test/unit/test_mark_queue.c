/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gc/mark_queue.h"

START_TEST(mark_queue_item_holds_address_and_length) {
  static const uintptr_t addrs[] = {0, 8, 0x409464000010, ((uintptr_t)1 << 47) - 8};
  static const size_t lengths[] = {0, 8, 32768, MARK_PIECE_BYTES};
  for (size_t i = 0; i < CGC_COUNT(addrs); i++)
    for (size_t k = 0; k < CGC_COUNT(lengths); k++) {
      uint64_t item = mark_item(addrs[i], lengths[k]);
      ck_assert_uint_eq(mark_item_addr(item), addrs[i]);
      ck_assert_uint_eq(mark_item_bytes(item), lengths[k]);
    }
}
END_TEST

START_TEST(mark_queue_new_has_no_work) {
  unit_start_heap();
  ck_assert(!mark_queue_has_work());
  ck_assert_ptr_null(mark_queue_steal());
}
END_TEST

START_TEST(mark_queue_buffer_given_back_is_used_again_and_empty) {
  unit_start_heap();
  struct mark_buffer *first = mark_queue_get_empty(), *second = mark_queue_get_empty();
  ck_assert(first && second && first != second);
  ck_assert_uint_eq(first->count, 0);
  first->count = 7;
  mark_queue_put_empty(first);
  ck_assert_ptr_eq(mark_queue_get_empty(), first);
  ck_assert_uint_eq(first->count, 0);
}
END_TEST

START_TEST(mark_queue_shared_buffers_can_be_stolen_once_each) {
  unit_start_heap();
  struct mark_buffer *first = mark_queue_get_empty(), *second = mark_queue_get_empty();
  first->items[first->count++] = 1;
  second->items[second->count++] = 2;
  mark_queue_share(first);
  ck_assert(mark_queue_has_work());
  mark_queue_share(second);
  struct mark_buffer *a = mark_queue_steal(), *b = mark_queue_steal();
  ck_assert((a == first && b == second) || (a == second && b == first));
  ck_assert_uint_eq(first->count, 1);
  ck_assert_uint_eq(first->items[0], 1);
  ck_assert(!mark_queue_has_work());
  ck_assert_ptr_null(mark_queue_steal());
}
END_TEST

START_TEST(mark_queue_drop_is_told_once) {
  ck_assert(!mark_queue_take_drop());
  mark_queue_note_drop();
  mark_queue_note_drop();
  ck_assert(mark_queue_take_drop());
  ck_assert(!mark_queue_take_drop());
}
END_TEST

START_TEST(mark_queue_after_fork_is_empty) {
  unit_start_heap();
  struct mark_buffer *buffer = mark_queue_get_empty();
  buffer->count = 1;
  mark_queue_share(buffer);
  mark_queue_note_drop();
  mark_queue_adopt_fork();
  ck_assert(!mark_queue_has_work());
  ck_assert(!mark_queue_take_drop());
  ck_assert_ptr_nonnull(mark_queue_get_empty());
}
END_TEST

Suite *
mark_queue_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("mark_queue", &tests);
  tcase_add_test(tests, mark_queue_item_holds_address_and_length);
  tcase_add_test(tests, mark_queue_new_has_no_work);
  tcase_add_test(tests, mark_queue_buffer_given_back_is_used_again_and_empty);
  tcase_add_test(tests, mark_queue_shared_buffers_can_be_stolen_once_each);
  tcase_add_test(tests, mark_queue_drop_is_told_once);
  tcase_add_test(tests, mark_queue_after_fork_is_empty);
  return suite;
}
