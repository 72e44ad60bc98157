/* SPDX-License-Identifier: MIT */
/* Groups of leaks that are joined, against sums made for each of them anew. */
#include "unit.h"

#include "report/leak_join.h"

enum { GROUPS = 5000, STACKS = 300, KINDS = LEAK_REACHABLE + 1, MANY_GROUPS = 500000 };

static struct leak_group groups[MANY_GROUPS], before[GROUPS];

static void
fill(size_t count) {
  struct unit_random random = unit_random_start();
  for (size_t i = 0; i < count; i++)
    groups[i] = (struct leak_group){.stack = (uint32_t)unit_random_below(&random, STACKS),
                                    .kind = (enum leak_kind)unit_random_below(&random, KINDS),
                                    .is_cycle = unit_random_below(&random, 2), .owners = i + 1,
                                    .blocks = 1 + unit_random_below(&random, 10),
                                    .bytes = unit_random_below(&random, 1000), .reach_blocks = i, .address_count = 1,
                                    .addresses = {i}};
  memcpy(before, groups, count * sizeof *groups);
}

static bool
are_one(const struct leak_group *a, const struct leak_group *b) {
  return a == b || (a->kind == LEAK_INDIRECT && b->kind == LEAK_INDIRECT && a->stack == b->stack &&
                    a->is_cycle == b->is_cycle);
}

/* What the group should have now, of what there was before. */
static struct leak_counts
expected_of(size_t index, size_t count) {
  struct leak_counts sum = {0};
  for (size_t i = 0; i < count; i++)
    if (are_one(&before[i], &before[index])) {
      if (i < index)
        return (struct leak_counts){0};
      sum.blocks += before[i].blocks;
      sum.bytes += before[i].bytes;
    }
  return sum;
}

static void
assert_joined(size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct leak_counts expected = expected_of(i, count);
    ck_assert_uint_eq(groups[i].blocks, expected.blocks);
    ck_assert_uint_eq(groups[i].bytes, expected.bytes);
  }
}

START_TEST(leak_join_sums_those_of_one_stack) {
  fill(GROUPS);
  leak_join(groups, GROUPS);
  assert_joined(GROUPS);
}
END_TEST

/* Few, of which often none or one is indirect. */
START_TEST(leak_join_has_any_count) {
  fill((size_t)_i);
  leak_join(groups, (size_t)_i);
  assert_joined((size_t)_i);
}
END_TEST

START_TEST(leak_join_once_more_changes_nothing) {
  fill(GROUPS);
  leak_join(groups, GROUPS);
  leak_join(groups, GROUPS);
  assert_joined(GROUPS);
}
END_TEST

START_TEST(leak_join_leaves_all_else) {
  fill(GROUPS);
  leak_join(groups, GROUPS);
  for (size_t i = 0; i < GROUPS; i++) {
    groups[i].blocks = before[i].blocks;
    groups[i].bytes = before[i].bytes;
    groups[i].next = NULL;
    ck_assert_mem_eq(&groups[i], &before[i], sizeof groups[i]);
  }
}
END_TEST

/* Two of each stack, far from each other: where each looks at all others, minutes go by. */
START_TEST(leak_join_of_many_stacks_takes_no_time) {
  for (uint32_t i = 0; i < MANY_GROUPS; i++)
    groups[i] = (struct leak_group){.stack = i % (MANY_GROUPS / 2), .kind = LEAK_INDIRECT, .owners = i + 1,
                                    .blocks = 1 + i, .bytes = 7};
  leak_join(groups, MANY_GROUPS);
  for (uint32_t i = 0; i < MANY_GROUPS; i++) {
    bool is_first = i < MANY_GROUPS / 2;
    ck_assert_uint_eq(groups[i].blocks, is_first ? 2 + 2 * i + MANY_GROUPS / 2 : 0);
    ck_assert_uint_eq(groups[i].bytes, is_first ? 14 : 0);
  }
}
END_TEST

Suite *
leak_join_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("leak_join", &tests);
  tcase_add_test(tests, leak_join_sums_those_of_one_stack);
  tcase_add_loop_test(tests, leak_join_has_any_count, 0, 20);
  tcase_add_test(tests, leak_join_once_more_changes_nothing);
  tcase_add_test(tests, leak_join_leaves_all_else);
  tcase_add_test(tests, leak_join_of_many_stacks_takes_no_time);
  return suite;
}
