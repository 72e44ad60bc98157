/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "heap/central.h"
#include "heap/page_heap.h"

static struct span_owner old_owner, new_owner;
static unsigned span_class;   /* 64 slots of 1024 bytes */

enum { SLOTS = 64, CLASS_1024_BYTES = 32 };

/* A span in no list, with that many slots free. */
static struct cgc_span *
make_span(unsigned free_slots) {
  struct cgc_span *span = page_heap_alloc(span_class, span_class_size(span_class)->page_count, 1);
  ck_assert_ptr_nonnull(span);
  ck_assert_uint_eq(span->slot_count, SLOTS);
  atom_store_rlx(&span->owner, (uintptr_t)&old_owner);
  atom_store_rlx(&span->words[0].free, free_slots < SLOTS ? ((uint64_t)1 << free_slots) - 1 : UINT64_MAX);
  return span;
}

static void
start(void) {
  unit_start_heap();
  span_class = span_class_of(CLASS_1024_BYTES, SPAN_KIND_NOSCAN);
}

START_TEST(central_empty_has_no_span) {
  start();
  ck_assert_ptr_null(central_take(span_class, &new_owner));
}
END_TEST

START_TEST(central_adopted_span_with_free_slots_is_given_to_its_class) {
  start();
  struct cgc_span *span = make_span(5);
  central_adopt(span);
  ck_assert_uint_ne(atom_load_rlx(&span->owner), (uintptr_t)&old_owner);
  ck_assert_ptr_null(central_take(span_class_of(CLASS_1024_BYTES, 0), &new_owner));
  ck_assert_ptr_eq(central_take(span_class, &new_owner), span);
  ck_assert_uint_eq(atom_load_rlx(&span->owner), (uintptr_t)&new_owner);
  ck_assert(!span->next && !span->prev);
  ck_assert_ptr_null(central_take(span_class, &new_owner));
}
END_TEST

START_TEST(central_adopted_full_span_is_given_to_nobody) {
  start();
  struct cgc_span *span = make_span(0);
  central_adopt(span);
  ck_assert_uint_eq(span->state, SPAN_FULL);
  ck_assert_ptr_null(central_take(span_class, &new_owner));
  span_check(span);
}
END_TEST

START_TEST(central_adopted_empty_span_goes_to_the_page_heap) {
  start();
  central_adopt(make_span(SLOTS));
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  page_heap_check();
}
END_TEST

START_TEST(central_adopted_span_counts_its_remote_frees) {
  start();
  struct cgc_span *span = make_span(0);
  span_free_remote(span, 3);
  span_owner_take_remote(&old_owner);
  atom_int_store_rel(&span->is_remote_listed, 0);
  central_adopt(span);
  ck_assert_uint_eq(span->state, SPAN_PARTIAL);
  ck_assert_ptr_eq(central_take(span_class, &new_owner), span);
}
END_TEST

START_TEST(central_full_span_with_a_slot_freed_is_given_again) {
  start();
  struct cgc_span *span = make_span(0);
  central_adopt(span);
  span_free_remote(span, 31);
  ck_assert_ptr_eq(central_take(span_class, &new_owner), span);
  ck_assert_uint_eq(span_free_slots(span), 1);
}
END_TEST

START_TEST(central_span_emptied_by_frees_goes_to_the_page_heap) {
  start();
  struct cgc_span *span = make_span(0);
  central_adopt(span);
  for (size_t i = 0; i < SLOTS; i++)
    ck_assert(span_free_remote(span, i));
  central_collect(span_class);
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  page_heap_check();
}
END_TEST

/* It stays on the old owner's stack when it moves; who takes it from there hands it on. */
START_TEST(central_listed_span_that_has_moved_on_is_passed_to_its_owner) {
  start();
  struct cgc_span *span = make_span(3);
  central_adopt(span);
  span_free_remote(span, 30);
  struct cgc_span *other = make_span(1);
  central_adopt(other);
  atom_store_rel(&span->owner, (uintptr_t)&new_owner);   /* as if taken by then; it is in the list still */
  central_collect(span_class);
  ck_assert_ptr_eq(span_owner_take_remote(&new_owner), span);
}
END_TEST

START_TEST(central_reset_forgets_all_spans) {
  start();
  central_adopt(make_span(3));
  struct cgc_span *full = make_span(0);
  central_adopt(full);
  span_free_remote(full, 0);
  central_reset();
  ck_assert_ptr_null(central_take(span_class, &new_owner));
}
END_TEST

Suite *
central_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("central", &tests);
  tcase_add_test(tests, central_empty_has_no_span);
  tcase_add_test(tests, central_adopted_span_with_free_slots_is_given_to_its_class);
  tcase_add_test(tests, central_adopted_full_span_is_given_to_nobody);
  tcase_add_test(tests, central_adopted_empty_span_goes_to_the_page_heap);
  tcase_add_test(tests, central_adopted_span_counts_its_remote_frees);
  tcase_add_test(tests, central_full_span_with_a_slot_freed_is_given_again);
  tcase_add_test(tests, central_span_emptied_by_frees_goes_to_the_page_heap);
  tcase_add_test(tests, central_listed_span_that_has_moved_on_is_passed_to_its_owner);
  tcase_add_test(tests, central_reset_forgets_all_spans);
  return suite;
}
