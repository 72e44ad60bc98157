/* SPDX-License-Identifier: MIT */
/* The promises of the pacer, not the constants of its corrections. */
#include "unit.h"

#include "base/hull.h"
#include "gc/pacer.h"

enum { PERCENT = 100, SINGLE = 1, CONFIRMED = 2 };

static struct pacer
started(uint64_t percent, uint64_t cycles) {
  struct pacer pacer;
  memset(&pacer, 0xff, sizeof pacer);
  pacer_init(&pacer, percent, 4 * MIB, cycles);
  return pacer;
}

static void
end_cycle(struct pacer *pacer, struct pacer_input input) {
  pacer_end_cycle(pacer, &input);
}

/* A cycle that found this much alive and reclaimed this much. */
static void
end_cycle_found(struct pacer *pacer, uint64_t live, uint64_t reclaimed) {
  end_cycle(pacer, (struct pacer_input){.live_bytes = live, .reclaimed_bytes = reclaimed});
}

static uint64_t
growth(const struct pacer *pacer) {
  return pacer->goal_bytes - pacer->grown_from_bytes;
}

START_TEST(pacer_new_waits_for_the_least_heap) {
  struct pacer pacer = started(PERCENT, CONFIRMED);
  ck_assert_uint_eq(pacer.goal_bytes, 4 * MIB);
  ck_assert_uint_eq(pacer.distance_bytes, 4 * MIB);
  ck_assert_uint_eq(pacer.multiplier, 1);
  ck_assert(!pacer_is_due(&pacer, 2 * MIB));
  ck_assert(pacer_is_due(&pacer, 4 * MIB));
}
END_TEST

/* The allocator's own memory may take up to half of the growth. */
START_TEST(pacer_heap_grows_by_percent_of_live_heap_and_roots_at_most) {
  static const uint64_t percents[] = {10, 50, 100, 200, 1000000};
  for (size_t i = 0; i < CGC_COUNT(percents); i++)
    for (uint64_t roots = 0; roots <= 100 * MIB; roots += 100 * MIB) {
      struct pacer pacer = started(percents[i], SINGLE);
      end_cycle(&pacer, (struct pacer_input){
        .live_bytes = 400 * MIB, .reclaimed_bytes = 400 * MIB, .root_bytes = roots, .held_memory_bytes = 800 * MIB});
      uint64_t full = (400 * MIB + roots) / 100 * percents[i];
      ck_assert_uint_le(growth(&pacer), full);
      ck_assert_uint_ge(growth(&pacer), full / 2);
      ck_assert_uint_eq(pacer.distance_bytes, growth(&pacer));
    }
}
END_TEST

START_TEST(pacer_memory_beyond_the_blocks_shortens_the_growth) {
  struct pacer lean = started(PERCENT, SINGLE), fat = lean;
  struct pacer_input input = {.live_bytes = 400 * MIB, .reclaimed_bytes = 400 * MIB, .held_memory_bytes = 800 * MIB};
  end_cycle(&lean, input);
  input.held_memory_bytes += 50 * MIB;
  end_cycle(&fat, input);
  ck_assert_uint_eq(lean.goal_bytes - fat.goal_bytes, 50 * MIB);
}
END_TEST

START_TEST(pacer_passing_rise_moves_the_goal_but_not_the_growth) {
  struct pacer steady = started(PERCENT, SINGLE), risen = steady, grown = steady;
  end_cycle_found(&steady, 100 * MIB, 100 * MIB);
  end_cycle_found(&steady, 100 * MIB, 100 * MIB);
  end_cycle_found(&risen, 100 * MIB, 100 * MIB);
  end_cycle_found(&risen, 120 * MIB, 80 * MIB);
  ck_assert_uint_le(growth(&risen), growth(&steady));
  ck_assert_uint_ge(risen.goal_bytes, 120 * MIB + growth(&steady) / 2);
  end_cycle_found(&risen, 120 * MIB, 80 * MIB);   /* it lasts */
  ck_assert_uint_gt(growth(&risen), growth(&steady));
  end_cycle_found(&grown, 100 * MIB, 100 * MIB);
  end_cycle_found(&grown, 190 * MIB, 10 * MIB);   /* most of what is new is alive */
  ck_assert_uint_gt(growth(&grown), growth(&steady));
}
END_TEST

START_TEST(pacer_small_heap_has_the_least_heap_as_goal) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 1 * MIB, 3 * MIB);
  ck_assert_uint_eq(pacer.goal_bytes, 4 * MIB);
  end_cycle_found(&pacer, 0, 4 * MIB);
  ck_assert_uint_eq(pacer.goal_bytes, 4 * MIB);
}
END_TEST

START_TEST(pacer_with_confirmation_gives_each_cycle_half_of_the_growth) {
  struct pacer single = started(PERCENT, SINGLE), confirmed = started(PERCENT, CONFIRMED);
  end_cycle(&single, (struct pacer_input){.live_bytes = 100 * MIB, .reclaimed_bytes = 10 * MIB});
  end_cycle(&confirmed, (struct pacer_input){.live_bytes = 100 * MIB, .held_bytes = 10 * MIB});
  ck_assert_uint_eq(confirmed.grown_from_bytes, 110 * MIB);
  ck_assert_uint_eq(growth(&confirmed), growth(&single) / 2);
}
END_TEST

START_TEST(pacer_fruitless_cycles_have_all_of_the_growth) {
  static const uint64_t lives[] = {20 * MIB, 1000 * MIB};
  for (size_t i = 0; i < CGC_COUNT(lives); i++) {
    struct pacer single = started(PERCENT, SINGLE), confirmed = started(PERCENT, CONFIRMED);
    end_cycle_found(&single, lives[i], lives[i]);
    end_cycle_found(&confirmed, lives[i], 0);
    ck_assert_uint_ge(growth(&confirmed), growth(&single));
    ck_assert_uint_le(growth(&confirmed), lives[i]);
    end_cycle_found(&single, lives[i], lives[i]);
    end_cycle_found(&confirmed, lives[i], lives[i]);
    ck_assert_uint_eq(growth(&confirmed), growth(&single) / 2);
  }
}
END_TEST

START_TEST(pacer_fruitless_cycles_double_the_percent_once) {
  static const uint64_t expected[] = {1, 2, 2, 2, 2};   /* the first finds a heap that has been built */
  struct pacer pacer = started(PERCENT, SINGLE), plain = started(PERCENT, SINGLE);
  const uint64_t live = 1000 * MIB;
  for (size_t i = 0; i < CGC_COUNT(expected); i++) {
    end_cycle_found(&plain, live, live);
    end_cycle_found(&pacer, live, 0);
    ck_assert_uint_eq(plain.multiplier, 1);
    ck_assert_uint_eq(pacer.multiplier, expected[i]);
    ck_assert_uint_ge(growth(&pacer), growth(&plain) * expected[i]);
    ck_assert_uint_le(growth(&pacer), live * expected[i]);
  }
}
END_TEST

START_TEST(pacer_program_that_builds_has_no_doubling) {
  struct pacer pacer = started(PERCENT, SINGLE);
  for (uint64_t live = 1000 * MIB; live < 100000 * MIB; live = pacer.goal_bytes) {
    end_cycle_found(&pacer, live, 0);
    ck_assert_uint_eq(pacer.multiplier, 1);
    ck_assert_uint_le(pacer.goal_bytes, 2 * live);
  }
  end_cycle_found(&pacer, pacer.grown_from_bytes + pacer.grown_from_bytes / 2, 0);   /* grown, but by less */
  ck_assert_uint_eq(pacer.multiplier, 2);
}
END_TEST

START_TEST(pacer_fruitless_cycles_of_a_small_heap_double_nothing) {
  struct pacer pacer = started(PERCENT, SINGLE);
  for (int i = 0; i < 5; i++)
    end_cycle_found(&pacer, 100 * MIB, 0);
  ck_assert_uint_eq(pacer.multiplier, 1);
  ck_assert_uint_le(pacer.goal_bytes, 200 * MIB);
}
END_TEST

START_TEST(pacer_fruitful_cycle_ends_the_doubling) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 3000 * MIB, 0);
  end_cycle_found(&pacer, 3000 * MIB, 0);
  ck_assert_uint_eq(pacer.multiplier, 2);
  end_cycle_found(&pacer, 3000 * MIB, 1000 * MIB);
  ck_assert_uint_eq(pacer.multiplier, 1);
  ck_assert_uint_le(pacer.goal_bytes, 6000 * MIB);
}
END_TEST

/* Over a 64th of what was allocated since the last cycle. */
START_TEST(pacer_cycle_pays_from_a_64th_of_the_new_blocks_on) {
  for (uint64_t extra = 0; extra <= 1; extra++) {
    struct pacer pacer = started(PERCENT, SINGLE);
    end_cycle_found(&pacer, 1600 * MIB, 640 * MIB);
    uint64_t reclaimed = 10 * MIB + extra;
    end_cycle_found(&pacer, 2240 * MIB - reclaimed, reclaimed);   /* grown by 640 MiB */
    ck_assert_uint_eq(pacer.multiplier, extra ? 1 : 2);
  }
}
END_TEST

/* After a phase without garbage the heap is at twice of what is alive, when the first is found. */
START_TEST(pacer_much_that_is_held_is_confirmed_soon) {
  struct pacer pacer = started(PERCENT, CONFIRMED);
  end_cycle(&pacer, (struct pacer_input){.live_bytes = 1000 * MIB, .held_bytes = 900 * MIB});
  ck_assert_uint_gt(pacer.goal_bytes, 1900 * MIB);
  ck_assert_uint_le(pacer.goal_bytes, 2030 * MIB);
  end_cycle(&pacer, (struct pacer_input){.live_bytes = 1000 * MIB, .held_bytes = 450 * MIB, .reclaimed_bytes = 450 * MIB});
  ck_assert_uint_ge(pacer.goal_bytes, 1800 * MIB);   /* half of the growth for each of two cycles */
  ck_assert_uint_le(pacer.goal_bytes, 2000 * MIB);
}
END_TEST

START_TEST(pacer_held_blocks_count_as_found) {
  struct pacer pacer = started(PERCENT, CONFIRMED);
  end_cycle(&pacer, (struct pacer_input){.live_bytes = 1000 * MIB, .held_bytes = 500 * MIB});
  ck_assert_uint_eq(pacer.multiplier, 1);
}
END_TEST

START_TEST(pacer_shrunk_heap_is_no_reason_to_double) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 1000 * MIB, 1000 * MIB);
  end_cycle_found(&pacer, 500 * MIB, 1);   /* the program freed the rest itself */
  ck_assert_uint_eq(pacer.multiplier, 1);
}
END_TEST

START_TEST(pacer_not_due_counts_again_after_the_missing_bytes) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 100 * MIB, 100 * MIB);
  uint64_t goal = pacer.goal_bytes, allocated = 110 * MIB;   /* much was freed meanwhile */
  ck_assert(!pacer_is_due(&pacer, allocated));
  ck_assert_uint_eq(pacer.distance_bytes, goal - allocated);
  ck_assert_uint_eq(pacer.goal_bytes, goal);
  ck_assert(pacer_is_due(&pacer, goal));
  ck_assert(pacer_is_due(&pacer, 2 * goal));
}
END_TEST

/* Or the last bytes would be counted in ever smaller steps. */
START_TEST(pacer_close_to_the_goal_is_due) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 100 * MIB, 100 * MIB);
  ck_assert(pacer_is_due(&pacer, pacer.goal_bytes - 1));
}
END_TEST

START_TEST(pacer_set_percent_holds_for_the_goal_in_force) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 100 * MIB, 100 * MIB);
  uint64_t goal = pacer.goal_bytes;
  pacer_set_percent(&pacer, 50);
  ck_assert_uint_eq(pacer.percent, 50);
  ck_assert_uint_eq(pacer.distance_bytes, 0);   /* counted at once */
  ck_assert(pacer.goal_bytes > 100 * MIB && pacer.goal_bytes < goal);
  pacer_set_percent(&pacer, 300);
  ck_assert(pacer.goal_bytes > goal && pacer.goal_bytes <= 400 * MIB);
}
END_TEST

START_TEST(pacer_after_a_cycle_given_up_waits_a_while) {
  struct pacer pacer = started(PERCENT, SINGLE);
  pacer_give_up(&pacer, 1 * MIB);
  ck_assert_uint_ge(pacer.distance_bytes, 4 * MIB);
  pacer_give_up(&pacer, 800 * MIB);
  ck_assert_uint_ge(pacer.distance_bytes, 100 * MIB);
}
END_TEST

START_TEST(pacer_cycle_beside_the_program_starts_before_its_goal) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle(&pacer, (struct pacer_input){.live_bytes = 1000 * MIB, .reclaimed_bytes = 500 * MIB, .grown_bytes = 80 * MIB});
  ck_assert_uint_eq(pacer.lead_bytes, 100 * MIB);
  ck_assert_uint_eq(pacer.distance_bytes, pacer.goal_bytes - 100 * MIB - 1000 * MIB);
  ck_assert(!pacer_is_due(&pacer, 1100 * MIB));
  ck_assert(pacer_is_due(&pacer, pacer.goal_bytes - 100 * MIB));
}
END_TEST

START_TEST(pacer_fruitless_cycle_lets_the_next_one_start_little_early) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle(&pacer, (struct pacer_input){.live_bytes = 1000 * MIB, .grown_bytes = 800 * MIB});
  ck_assert_uint_le(pacer.lead_bytes, pacer.goal_bytes / 4);
  ck_assert(!pacer_is_due(&pacer, pacer.goal_bytes / 2));
}
END_TEST

START_TEST(pacer_what_has_died_since_it_was_marked_is_part_of_the_growth) {
  struct pacer beside = started(PERCENT, SINGLE), stopped = started(PERCENT, SINGLE);
  struct pacer_input found = {.live_bytes = 900 * MIB, .reclaimed_bytes = 500 * MIB};
  end_cycle(&stopped, found);
  found.live_bytes = 1000 * MIB;
  found.grown_bytes = 100 * MIB;
  end_cycle(&beside, found);
  ck_assert_uint_eq(beside.goal_bytes, stopped.goal_bytes);
}
END_TEST

START_TEST(pacer_cycles_that_last_as_long_as_the_growth_follow_each_other_after_a_step) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle(&pacer, (struct pacer_input){.live_bytes = 640 * MIB, .reclaimed_bytes = 500 * MIB, .grown_bytes = 700 * MIB});
  ck_assert_uint_eq(pacer.distance_bytes, 20 * MIB);
  ck_assert(pacer_is_due(&pacer, 660 * MIB));
}
END_TEST

START_TEST(pacer_limit_lowers_the_goal_by_what_the_heap_takes_beyond_its_blocks) {
  struct pacer pacer = started(PERCENT, SINGLE);
  struct pacer_input found = {.live_bytes = 200 * MIB, .reclaimed_bytes = 100 * MIB, .held_memory_bytes = 320 * MIB};
  found.limit_bytes = 320 * MIB;
  end_cycle(&pacer, found);
  ck_assert(pacer.is_limited);
  ck_assert_uint_eq(pacer.goal_bytes, (320 - 10 - 20) * MIB);
  found.limit_bytes = 2000 * MIB;
  end_cycle(&pacer, found);
  ck_assert(!pacer.is_limited);
}
END_TEST

START_TEST(pacer_beyond_the_limit_leaves_a_sixteenth_between_cycles) {
  struct pacer pacer = started(PERCENT, SINGLE);
  struct pacer_input found = {.live_bytes = 300 * MIB, .held_bytes = 20 * MIB, .reclaimed_bytes = 100 * MIB};
  found.limit_bytes = 100 * MIB;
  end_cycle(&pacer, found);
  ck_assert(pacer.is_limited);
  ck_assert_uint_eq(pacer.goal_bytes, 340 * MIB);
}
END_TEST

START_TEST(pacer_largest_values_do_not_overflow) {
  struct pacer pacer = started(1000000, SINGLE);
  uint64_t live = HULL_HEAP_BYTES, full = 2 * live / 100 * 1000000 * 2;
  for (int i = 0; i < 4; i++)
    end_cycle(&pacer, (struct pacer_input){.live_bytes = live, .root_bytes = live, .held_memory_bytes = 2 * live});
  ck_assert_uint_eq(pacer.multiplier, 2);
  ck_assert_uint_le(growth(&pacer), full);
  ck_assert_uint_ge(growth(&pacer), full / 2);
}
END_TEST

START_TEST(pacer_partial_cycle_leaves_the_goal_and_asks_for_a_whole_one_when_little_room_is_left) {
  struct pacer pacer = started(PERCENT, SINGLE);
  end_cycle_found(&pacer, 100 * MIB, 100 * MIB);
  uint64_t goal = pacer.goal_bytes, room = growth(&pacer);
  ck_assert(pacer_has_room(&pacer));
  for (uint64_t floating = 0; floating <= room; floating += room / 16) {
    struct pacer_input found = {.live_bytes = 100 * MIB + floating, .reclaimed_bytes = room - floating};
    pacer_end_partial_cycle(&pacer, &found);
    ck_assert_uint_eq(pacer.goal_bytes, goal);
    ck_assert_uint_le(pacer.distance_bytes, max_u64(room - floating, goal / 16));
    if (floating <= room / 4)
      ck_assert(pacer_has_room(&pacer));
    if (floating >= room * 3 / 4)
      ck_assert(!pacer_has_room(&pacer));
  }
}
END_TEST

Suite *
pacer_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("pacer", &tests);
  tcase_add_test(tests, pacer_new_waits_for_the_least_heap);
  tcase_add_test(tests, pacer_heap_grows_by_percent_of_live_heap_and_roots_at_most);
  tcase_add_test(tests, pacer_memory_beyond_the_blocks_shortens_the_growth);
  tcase_add_test(tests, pacer_passing_rise_moves_the_goal_but_not_the_growth);
  tcase_add_test(tests, pacer_small_heap_has_the_least_heap_as_goal);
  tcase_add_test(tests, pacer_with_confirmation_gives_each_cycle_half_of_the_growth);
  tcase_add_test(tests, pacer_fruitless_cycles_have_all_of_the_growth);
  tcase_add_test(tests, pacer_fruitless_cycles_double_the_percent_once);
  tcase_add_test(tests, pacer_fruitless_cycles_of_a_small_heap_double_nothing);
  tcase_add_test(tests, pacer_program_that_builds_has_no_doubling);
  tcase_add_test(tests, pacer_fruitful_cycle_ends_the_doubling);
  tcase_add_test(tests, pacer_cycle_pays_from_a_64th_of_the_new_blocks_on);
  tcase_add_test(tests, pacer_much_that_is_held_is_confirmed_soon);
  tcase_add_test(tests, pacer_held_blocks_count_as_found);
  tcase_add_test(tests, pacer_shrunk_heap_is_no_reason_to_double);
  tcase_add_test(tests, pacer_not_due_counts_again_after_the_missing_bytes);
  tcase_add_test(tests, pacer_close_to_the_goal_is_due);
  tcase_add_test(tests, pacer_set_percent_holds_for_the_goal_in_force);
  tcase_add_test(tests, pacer_after_a_cycle_given_up_waits_a_while);
  tcase_add_test(tests, pacer_cycle_beside_the_program_starts_before_its_goal);
  tcase_add_test(tests, pacer_fruitless_cycle_lets_the_next_one_start_little_early);
  tcase_add_test(tests, pacer_what_has_died_since_it_was_marked_is_part_of_the_growth);
  tcase_add_test(tests, pacer_cycles_that_last_as_long_as_the_growth_follow_each_other_after_a_step);
  tcase_add_test(tests, pacer_limit_lowers_the_goal_by_what_the_heap_takes_beyond_its_blocks);
  tcase_add_test(tests, pacer_beyond_the_limit_leaves_a_sixteenth_between_cycles);
  tcase_add_test(tests, pacer_partial_cycle_leaves_the_goal_and_asks_for_a_whole_one_when_little_room_is_left);
  tcase_add_test(tests, pacer_largest_values_do_not_overflow);
  return suite;
}
