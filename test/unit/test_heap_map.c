/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "heap/heap_map.h"

enum { ARENAS = 3, PAGES = ARENAS * (int)ARENA_PAGES };

static uintptr_t base;

static void
start_with_arenas(void) {
  unit_start_heap();
  base = heap_map_add_arena_locked(0);
  for (int i = 1; i < ARENAS; i++)
    ck_assert_uint_eq(heap_map_add_arena_locked(SPAN_KIND_NOSCAN), base + (size_t)i * ARENA_BYTES);
}

static uintptr_t
page_addr(size_t page) {
  return base + page * SPAN_PAGE_BYTES;
}

START_TEST(heap_map_arenas_follow_each_other_from_the_start_of_the_heap) {
  start_with_arenas();
  ck_assert_uint_eq(base, hull.heap_addr);
  ck_assert_uint_eq(atom_load_rlx(&heap_map.extent_bytes), ARENAS * ARENA_BYTES);
  ck_assert_ptr_ne(heap_map_arena(base), heap_map_arena(base + ARENA_BYTES));
  ck_assert_ptr_eq(heap_map_arena(base), heap_map_arena(base + ARENA_BYTES - 1));
  ck_assert_uint_eq(heap_map_arena(base)->kind, 0);
  ck_assert_uint_eq(heap_map_arena(base + ARENA_BYTES)->kind, SPAN_KIND_NOSCAN);
}
END_TEST

START_TEST(heap_map_address_outside_of_the_arenas_has_no_span) {
  struct cgc_span span;
  ck_assert_ptr_null(heap_map_span(0));   /* before the start as well */
  ck_assert_ptr_null(heap_map_span(UINTPTR_MAX));
  start_with_arenas();
  for (size_t i = 0; i < PAGES; i++)
    *heap_map_entry(page_addr(i)) = &span;
  uintptr_t end = base + ARENAS * ARENA_BYTES;
  const uintptr_t outside[] = {0, 1, UINTPTR_MAX, base - 1, end, hull.base_addr, hull.end_addr, (uintptr_t)&span};
  for (size_t i = 0; i < CGC_COUNT(outside); i++)
    ck_assert_ptr_null(heap_map_span(outside[i]));
  ck_assert_ptr_eq(heap_map_span(base), &span);
  ck_assert_ptr_eq(heap_map_span(end - 1), &span);
}
END_TEST

START_TEST(heap_map_entry_holds_for_all_bytes_of_its_page_only) {
  struct cgc_span span;
  start_with_arenas();
  *heap_map_entry(page_addr(7) + 100) = &span;
  ck_assert_ptr_eq(heap_map_span(page_addr(7)), &span);
  ck_assert_ptr_eq(heap_map_span(page_addr(8) - 1), &span);
  ck_assert_ptr_null(heap_map_span(page_addr(7) - 1));
  ck_assert_ptr_null(heap_map_span(page_addr(8)));
}
END_TEST

START_TEST(heap_map_touched_pages_under_random_changes_equal_a_plain_array) {
  static bool touched[PAGES];
  struct unit_random random = unit_random_start();
  start_with_arenas();
  for (int step = 0; step < 3000; step++) {
    size_t limit = step % 3 ? 200 : PAGES;   /* most within few words, some over all arenas */
    size_t pages = 1 + unit_random_below(&random, limit);
    size_t first = unit_random_below(&random, PAGES - pages + 1);
    bool value = unit_random_below(&random, 2);
    heap_map_set_touched(page_addr(first), pages, value);
    memset(touched + first, value, pages);

    pages = 1 + unit_random_below(&random, PAGES);
    first = unit_random_below(&random, PAGES - pages + 1);
    uint32_t count = 0;
    for (size_t i = first; i < first + pages; i++)
      count += touched[i];
    ck_assert_uint_eq(heap_map_count_touched(page_addr(first), pages), count);
  }
}
END_TEST

/* What is told to hold memory covers all that does, and no group of pages without any. */
START_TEST(heap_map_touched_runs_cover_touched_pages) {
  enum { GROUP = 64 };
  static bool touched[PAGES], covered[PAGES];
  struct unit_random random = unit_random_start();
  start_with_arenas();
  for (int round = 0; round < 200; round++) {
    size_t pages = 1 + unit_random_below(&random, 3 * GROUP), first = unit_random_below(&random, PAGES - pages + 1);
    heap_map_set_touched(page_addr(first), pages, round % 2);
    memset(touched + first, round % 2, pages);
    memset(covered, 0, sizeof covered);
    for (size_t arena = 0; arena < PAGES; arena += ARENA_PAGES) {
      uintptr_t at = page_addr(arena), end = page_addr(min_u64(arena + ARENA_PAGES, PAGES)), run_end;
      for (; heap_map_next_touched(&at, &run_end, end); at = run_end)
        memset(covered + (at - page_addr(0)) / SPAN_PAGE_BYTES, 1, (run_end - at) / SPAN_PAGE_BYTES);
    }
    for (size_t group = 0; group < PAGES; group += GROUP) {
      size_t end = min_u64(group + GROUP, PAGES);
      bool is_touched = memchr(touched + group, true, end - group) != NULL;
      for (size_t i = group; i < end; i++)
        ck_assert_int_eq(covered[i], is_touched);
    }
  }
}
END_TEST

START_TEST(heap_map_set_mapped_reaches_into_each_arena_as_far_as_told) {
  start_with_arenas();
  heap_map_set_mapped(base, 10);
  ck_assert_uint_eq(heap_map_arena(base)->mapped_bytes, 10 * SPAN_PAGE_BYTES);
  heap_map_set_mapped(page_addr(10), 2 * ARENA_PAGES - 7);
  ck_assert_uint_eq(heap_map_arena(base)->mapped_bytes, ARENA_BYTES);
  ck_assert_uint_eq(heap_map_arena(base + ARENA_BYTES)->mapped_bytes, ARENA_BYTES);
  ck_assert_uint_eq(heap_map_arena(base + 2 * ARENA_BYTES)->mapped_bytes, 3 * SPAN_PAGE_BYTES);
}
END_TEST

Suite *
heap_map_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("heap_map", &tests);
  tcase_add_test(tests, heap_map_arenas_follow_each_other_from_the_start_of_the_heap);
  tcase_add_test(tests, heap_map_address_outside_of_the_arenas_has_no_span);
  tcase_add_test(tests, heap_map_entry_holds_for_all_bytes_of_its_page_only);
  tcase_add_test(tests, heap_map_touched_pages_under_random_changes_equal_a_plain_array);
  tcase_add_test(tests, heap_map_touched_runs_cover_touched_pages);
  tcase_add_test(tests, heap_map_set_mapped_reaches_into_each_arena_as_far_as_told);
  return suite;
}
