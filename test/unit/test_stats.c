/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "report/stats.h"

#include <string.h>

static struct cgc_stats stats;

static void
fill(uint32_t version) {
  memset(&stats, 0xa5, sizeof stats);
  stats.version = version;
  stats_fill(&stats);
}

START_TEST(stats_of_an_earlier_version_end_where_that_ends) {
  unit_start_runtime();
  fill(1);
  ck_assert_uint_eq(stats.version, 1);
  ck_assert_uint_eq(stats.cycles, 0);
  ck_assert_uint_eq(stats.memory_limit_bytes, 0xa5a5a5a5a5a5a5a5);
  fill(2);
  ck_assert_uint_eq(stats.memory_limit_bytes, CGC_MEMORY_LIMIT_AUTO);
}
END_TEST

static void
add_stop(uint64_t ns) {
  struct cycle_report report = {.collection = {.stop_count = 1}};
  report.collection.stops[0] = (struct collection_stop){.begin_ns = 1000, .end_ns = 1000 + ns};
  stats_add_cycle(&report);
}

START_TEST(stats_times_are_counted_by_their_length) {
  static const struct { uint64_t ns; unsigned bucket; } rows[] = {
    {0, 0}, {999, 0}, {1000, 1}, {1999, 1}, {2000, 2}, {3999, 2}, {4000, 3}, {1000000, 10}, {UINT64_MAX / 2, 31},
  };
  unit_start_runtime();
  for (size_t i = 0; i < CGC_COUNT(rows); i++) {
    fill(2);
    struct cgc_stats before = stats;
    add_stop(rows[i].ns);
    stats_add_wait(rows[i].ns);
    fill(2);
    ck_assert_uint_eq(stats.stop_times[rows[i].bucket], before.stop_times[rows[i].bucket] + 1);
    ck_assert_uint_eq(stats.wait_times[rows[i].bucket], before.wait_times[rows[i].bucket] + 1);
  }
}
END_TEST

START_TEST(stats_of_a_cycle_have_each_of_its_stops) {
  struct cycle_report report = {.collection = {.stop_count = 2, .sweep = {.live_bytes = 7}}};
  report.collection.stops[0] = (struct collection_stop){.begin_ns = 0, .end_ns = 100};
  report.collection.stops[1] = (struct collection_stop){.begin_ns = 500, .end_ns = 800};
  unit_start_runtime();
  stats_add_cycle(&report);
  fill(2);
  ck_assert_uint_eq(stats.stop_total_ns, 400);
  ck_assert_uint_eq(stats.stop_longest_ns, 300);
  ck_assert_uint_eq(stats.cycles, 1);
  ck_assert_uint_eq(stats.live_bytes, 7);
}
END_TEST

Suite *
stats_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("stats", &tests);
  tcase_add_test(tests, stats_of_an_earlier_version_end_where_that_ends);
  tcase_add_test(tests, stats_times_are_counted_by_their_length);
  tcase_add_test(tests, stats_of_a_cycle_have_each_of_its_stops);
  return suite;
}
