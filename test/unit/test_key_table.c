/* SPDX-License-Identifier: MIT */
/* Tables of Boehm's interface, against a plain array. */
#include "unit.h"

#include "boehm/key_table.h"
#include "gc/runtime.h"
#include "world/roots.h"

enum { KEYS = 500 };

struct item {
  uintptr_t key;
  uintptr_t value;
};

static struct key_table table = KEY_TABLE(struct item, false);
static uintptr_t values[KEYS];   /* 0: not there */

/* As addresses are: multiples of 16, near each other, so that homes collide. */
static uintptr_t
key_of(size_t index) {
  return 0x7f0000000000 + index * 16;
}

static void
add(size_t index, uintptr_t value) {
  struct item *item = key_table_add(&table, key_of(index));
  ck_assert_ptr_nonnull(item);
  ck_assert_uint_eq(item->value, 0);
  item->value = values[index] = value;
}

static void
take_out(size_t index) {
  key_table_remove(&table, key_table_find(&table, key_of(index)));
  values[index] = 0;
}

static void
assert_equal(void) {
  size_t count = 0;
  for (size_t i = 0; i < KEYS; i++) {
    const struct item *item = key_table_find(&table, key_of(i));
    ck_assert_int_eq(item != NULL, values[i] != 0);
    ck_assert(!item || (item->key == key_of(i) && item->value == values[i]));
    count += values[i] != 0;
  }
  ck_assert_uint_eq(table.count, count);
}

START_TEST(key_table_is_empty_at_first) {
  unit_start_runtime();
  size_t place = 0;
  ck_assert_ptr_null(key_table_find(&table, 16));
  ck_assert_ptr_null(key_table_at(&table, &place));
}
END_TEST

START_TEST(key_table_at_random_equals_a_plain_array) {
  struct unit_random random = unit_random_start();
  unit_start_runtime();
  for (int i = 0; i < 20000; i++) {
    size_t index = unit_random_below(&random, KEYS);
    /* Now and then it is nearly empty, and nearly full. */
    bool grows = unit_random_below(&random, 100) < (i / 2000 % 2 ? 20 : 80);
    if (grows && !values[index])
      add(index, (uintptr_t)i + 1);
    else if (!grows && values[index])
      take_out(index);
    if (i % 100 == 0)
      assert_equal();
  }
}
END_TEST

/* Each is seen at least once, whatever is removed on the way, and what is removed never again. */
START_TEST(key_table_walked_while_items_are_removed) {
  static unsigned seen[KEYS];
  struct unit_random random = unit_random_start();
  unit_start_runtime();
  for (size_t i = 0; i < KEYS; i++)
    add(i, i + 1);
  const struct item *item;
  for (size_t place = 0; (item = key_table_at(&table, &place));) {
    size_t index = item->value - 1;
    ck_assert_uint_ne(values[index], 0);
    seen[index]++;
    if (unit_random_below(&random, 2))
      take_out(index);
    else
      place++;
  }
  for (size_t i = 0; i < KEYS; i++)
    ck_assert_uint_ge(seen[i], 1);
  assert_equal();
}
END_TEST

/* As it grows it leaves as much behind as it has: a smaller one finds all of its memory there, which is empty. */
START_TEST(key_table_grows_where_another_one_was) {
  enum { MANY = 8192, FEWER = 3000 };
  static struct key_table large = KEY_TABLE(struct item, false);
  unit_start_runtime();
  for (size_t i = 0; i < MANY; i++) {
    struct item *item = key_table_add(&large, key_of(i));
    ck_assert_ptr_nonnull(item);
    item->value = UINTPTR_MAX;
  }
  for (size_t i = 0; i < FEWER; i++) {
    const struct item *item = key_table_add(&table, key_of(i));
    ck_assert_ptr_nonnull(item);
    ck_assert_uint_eq(item->value, 0);
  }
  ck_assert_uint_lt((uintptr_t)table.items, (uintptr_t)large.items);
  for (size_t i = 0; i < MANY; i++)
    ck_assert(key_table_find(&large, key_of(i)) && (i >= FEWER || key_table_find(&table, key_of(i))));
}
END_TEST

/* ---- as roots ---- */

static struct key_table rooted = KEY_TABLE(struct item, true);

static unsigned
count_roots_at(uintptr_t addr) {
  struct root_list list;
  unsigned count = 0;
  ck_assert_int_eq(roots_list_stw((uintptr_t)__builtin_frame_address(0), &list), 0);
  for (size_t i = 0; i < list.count; i++)
    count += list.roots[i].start_addr <= addr && addr < list.roots[i].end_addr;
  return count;
}

START_TEST(key_table_is_roots_if_it_says_so_and_where_it_was_is_not) {
  unit_start_runtime();
  uintptr_t before = 0;
  for (size_t i = 0; i < KEYS; i++) {
    ck_assert_ptr_nonnull(key_table_add(&rooted, key_of(i)));
    uintptr_t now = (uintptr_t)rooted.items;
    if (now == before)
      continue;
    ck_assert_uint_eq(count_roots_at(now), 1);
    ck_assert_uint_eq(count_roots_at(now + rooted.capacity * sizeof(struct item) - 8), 1);
    ck_assert(!before || count_roots_at(before) == 0);
    before = now;
  }
}
END_TEST

START_TEST(key_table_that_does_not_say_so_is_none) {
  unit_start_runtime();
  add(3, 5);
  ck_assert_uint_eq(count_roots_at((uintptr_t)table.items), 0);
}
END_TEST

Suite *
key_table_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("key_table", &tests);
  tcase_add_test(tests, key_table_is_empty_at_first);
  tcase_add_test(tests, key_table_grows_where_another_one_was);
  tcase_add_test(tests, key_table_at_random_equals_a_plain_array);
  tcase_add_test(tests, key_table_walked_while_items_are_removed);
  tcase_add_test(tests, key_table_is_roots_if_it_says_so_and_where_it_was_is_not);
  tcase_add_test(tests, key_table_that_does_not_say_so_is_none);
  return suite;
}
