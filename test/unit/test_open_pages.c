/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gc/open_pages.h"
#include "heap/heap_map.h"
#include "heap/page_heap.h"

enum { SPANS = 512, SLOT_BYTES = 48 };

static struct cgc_span *spans[SPANS];

static void
fill(struct cgc_span *span) {
  for (unsigned i = 0; i < span_word_count(span); i++)
    atom_store_rlx(&span->words[i].free, 0);
}

static void
make_spans(unsigned kind) {
  unit_start_heap();
  for (size_t i = 0; i < SPANS; i++) {
    spans[i] = page_heap_alloc(span_class_of(size_class_of(SLOT_BYTES), kind), 1, 1);
    ck_assert_ptr_nonnull(spans[i]);
  }
}

static uint64_t
free_bytes(void) {
  return (uint64_t)SPANS * spans[0]->slot_count * SLOT_BYTES;
}

/* Pages of the spans in [first, end) that are not open. */
static size_t
count_closed(size_t first, size_t end) {
  size_t count = 0;
  for (size_t i = first; i < end; i++) {
    uintptr_t at = spans[i]->base_addr, run_end;
    count += open_pages_next_closed(&at, &run_end, spans[i]->base_addr + SPAN_PAGE_BYTES);
  }
  return count;
}

START_TEST(open_pages_are_those_that_can_be_allocated_from) {
  make_spans(0);
  for (size_t i = 0; i < SPANS / 2; i++)
    fill(spans[i]);
  open_pages_choose(free_bytes());
  ck_assert(open_pages_has_any());
  ck_assert_uint_eq(count_closed(0, SPANS / 2 - 16), SPANS / 2 - 16);   /* but near the border of the two */
  ck_assert_uint_eq(count_closed(SPANS / 2 + 16, SPANS - 16), 0);
}
END_TEST

START_TEST(open_pages_close_when_they_have_been_filled) {
  make_spans(0);
  open_pages_choose(free_bytes());
  for (size_t i = 0; i < SPANS / 2; i++)
    fill(spans[i]);
  open_pages_close_filled();
  ck_assert_uint_eq(count_closed(16, SPANS / 2 - 16), SPANS / 2 - 32);
  ck_assert_uint_eq(count_closed(SPANS / 2 + 16, SPANS - 16), 0);
  open_pages_close_all();
  ck_assert(!open_pages_has_any());
  ck_assert_uint_eq(count_closed(0, SPANS), SPANS);
}
END_TEST

/* It would look at most of them in vain. */
START_TEST(open_pages_are_none_if_the_program_will_take_little) {
  make_spans(0);
  open_pages_choose(free_bytes() / 8);
  ck_assert(!open_pages_has_any());
  open_pages_choose(0);
  ck_assert(!open_pages_has_any());
}
END_TEST

START_TEST(open_pages_are_not_those_without_pointers) {
  make_spans(SPAN_KIND_NOSCAN);
  open_pages_choose(free_bytes());
  ck_assert_uint_eq(count_closed(0, SPANS), SPANS);
}
END_TEST

/* The runs between open pages, in order, and all of what is not open. */
START_TEST(open_pages_leave_runs_between_them) {
  make_spans(0);
  for (size_t i = SPANS / 4; i < SPANS / 2; i++)
    fill(spans[i]);
  open_pages_choose(free_bytes());
  uintptr_t start = spans[0]->base_addr, end = spans[SPANS - 1]->base_addr + SPAN_PAGE_BYTES;
  size_t closed_bytes = 0, runs = 0;
  for (uintptr_t at = start, run_end; open_pages_next_closed(&at, &run_end, end); at = run_end, runs++) {
    ck_assert(at < run_end && run_end <= end);
    closed_bytes += run_end - at;
  }
  ck_assert_uint_eq(closed_bytes, count_closed(0, SPANS) * SPAN_PAGE_BYTES);
  ck_assert(runs >= 1 && runs <= 3);
}
END_TEST

Suite *
open_pages_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("open_pages", &tests);
  tcase_add_test(tests, open_pages_are_those_that_can_be_allocated_from);
  tcase_add_test(tests, open_pages_close_when_they_have_been_filled);
  tcase_add_test(tests, open_pages_are_none_if_the_program_will_take_little);
  tcase_add_test(tests, open_pages_are_not_those_without_pointers);
  tcase_add_test(tests, open_pages_leave_runs_between_them);
  return suite;
}
