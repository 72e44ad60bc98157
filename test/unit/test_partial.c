/* SPDX-License-Identifier: MIT */
/* When cycles in a stop keep their marks. */
#include "unit.h"

#include "base/options.h"
#include "gc/partial.h"
#include "world/dirty.h"

enum { CYCLES = 3 };

/* Whether they are kept after so many whole cycles with that much alive and that much garbage. */
static bool
keeps_marks_after(uint64_t percent, uint64_t live_mib, uint64_t garbage_mib) {
  struct pacer pacer;
  struct pacer_input found = {.live_bytes = live_mib * MIB, .reclaimed_bytes = garbage_mib * MIB,
                              .held_memory_bytes = (live_mib + garbage_mib) * MIB};
  pacer_init(&pacer, percent, 4 * MIB, 1);
  for (int i = 0; i < CYCLES; i++) {
    pacer_end_cycle(&pacer, &found);
    partial_note_whole(&pacer, &found);
  }
  return partial_keeps_marks();
}

START_TEST(partial_pays_where_what_the_heap_grows_by_is_garbage) {
  if (!dirty_is_available()) {
    printf("partial: the system does not watch pages\n");
    ck_assert(!keeps_marks_after(100, 64, 60));
    return;
  }
  ck_assert(keeps_marks_after(100, 64, 60) && keeps_marks_after(100, 64, 10));
  ck_assert(keeps_marks_after(5, 64, 3) && keeps_marks_after(20, 64, 6));
}
END_TEST

START_TEST(partial_does_not_where_the_program_frees_what_it_drops) {
  ck_assert(!keeps_marks_after(100, 64, 5));
  ck_assert(!keeps_marks_after(20, 128, 1));
}
END_TEST

START_TEST(partial_does_not_before_whole_ones_in_a_stop) {
  ck_assert(!partial_keeps_marks());
  keeps_marks_after(100, 64, 60);
  partial_note_beside();
  ck_assert(!partial_keeps_marks());
}
END_TEST

Suite *
partial_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("partial", &tests);
  tcase_add_test(tests, partial_pays_where_what_the_heap_grows_by_is_garbage);
  tcase_add_test(tests, partial_does_not_where_the_program_frees_what_it_drops);
  tcase_add_test(tests, partial_does_not_before_whole_ones_in_a_stop);
  return suite;
}
