/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "record/stack_depot.h"

enum { SITES_MAX = (1 << 28) - 1, STACKS = 100000 };

/* A stack as it was given, to be compared with what is read back. */
struct given {
  uint64_t hash;
  uint32_t number;
  uint8_t  function;
  bool     is_cut;
  unsigned count;
  uint32_t sites[40];
};

static struct unit_random stack_random;

/* Numbers of all lengths. */
static uint32_t
random_site(void) {
  unsigned bits = 1 + (unsigned)unit_random_below(&stack_random, 28);
  return (uint32_t)unit_random_below(&stack_random, (uint64_t)1 << bits);
}

static uint64_t
random_hash(void) {
  const uint64_t limit = (uint64_t)1 << 32;
  return unit_random_below(&stack_random, limit) << 32 | unit_random_below(&stack_random, limit);
}

/* With the outermost frames of another one, or NULL. */
static void
add(struct given *stack, const struct given *parent) {
  unsigned shared = parent ? (unsigned)unit_random_below(&stack_random, parent->count + 1) : 0;
  unsigned own = (unsigned)unit_random_below(&stack_random, CGC_COUNT(stack->sites) - shared + 1);
  *stack = (struct given){.hash = random_hash(), .count = own + shared, .is_cut = unit_random_below(&stack_random, 2),
                          .function = (uint8_t)unit_random_below(&stack_random, 10)};
  for (unsigned i = 0; i < own; i++)
    stack->sites[i] = random_site();
  for (unsigned i = 0; i < shared; i++)
    stack->sites[own + i] = parent->sites[parent->count - shared + i];
  struct depot_stack head = {.parent = shared ? parent->number : 0, .shared_frames = (uint16_t)shared,
                             .own_frames = (uint16_t)own, .function = stack->function, .is_cut = stack->is_cut};
  stack->number = stack_depot_add(stack->hash, &head, stack->sites);
  ck_assert_uint_ne(stack->number, 0);
}

static void
check(const struct given *stack) {
  uint32_t sites[STACK_FRAMES_MAX];
  const struct depot_stack *stored = stack_depot_at(stack->number);
  ck_assert_uint_eq(stack_depot_find(stack->hash), stack->number);
  ck_assert_uint_eq(stack_depot_read(stack->number, sites), stack->count);
  ck_assert_mem_eq(sites, stack->sites, stack->count * sizeof sites[0]);
  ck_assert_uint_eq(stored->function, stack->function);
  ck_assert_int_eq(stored->is_cut, stack->is_cut);
}

static void
start(void) {
  unit_start_heap();
  stack_random = unit_random_start();
}

START_TEST(stack_depot_has_nothing_at_first) {
  start();
  ck_assert_uint_eq(stack_depot_find(0), 0);
  ck_assert_uint_eq(stack_depot_find(random_hash()), 0);
}
END_TEST

/* Of which most share frames with one of the last ones; each is found as soon as it is stored, and still at the end. */
START_TEST(stack_depot_gives_back_what_is_stored) {
  struct given *stacks = calloc(STACKS, sizeof *stacks);
  start();
  for (size_t i = 0; i < STACKS; i++) {
    size_t back = 1 + unit_random_below(&stack_random, 100);
    add(&stacks[i], back <= i ? &stacks[i - back] : NULL);
    check(&stacks[i]);
  }
  for (size_t i = 0; i < STACKS; i++)
    check(&stacks[i]);
  for (size_t i = 0; i < STACKS; i++)
    ck_assert_uint_eq(stack_depot_find(random_hash()), 0);
}
END_TEST

START_TEST(stack_depot_keeps_the_longest_stack) {
  static uint32_t sites[STACK_FRAMES_MAX], read[STACK_FRAMES_MAX];
  start();
  for (unsigned i = 0; i < STACK_FRAMES_MAX; i++)
    sites[i] = SITES_MAX - i;
  uint32_t number = stack_depot_add(1, &(struct depot_stack){.own_frames = STACK_FRAMES_MAX}, sites);
  ck_assert_uint_eq(stack_depot_read(number, read), STACK_FRAMES_MAX);
  ck_assert_mem_eq(read, sites, sizeof sites);
}
END_TEST

/* A hundred in a row, each with one frame more: no reading goes through them all. */
START_TEST(stack_depot_shares_with_the_stack_that_owns_the_frames) {
  enum { FRAMES = 100 };
  uint32_t sites[FRAMES], number = 0, read[STACK_FRAMES_MAX], first = 0;
  start();
  for (unsigned i = 0; i < FRAMES; i++) {
    sites[FRAMES - 1 - i] = 1000 + i;
    struct depot_stack head = {.parent = number, .shared_frames = (uint16_t)i, .own_frames = 1};
    number = stack_depot_add(random_hash(), &head, &sites[FRAMES - 1 - i]);
    first = first ? first : number;
  }
  ck_assert_uint_eq(stack_depot_read(number, read), FRAMES);
  ck_assert_mem_eq(read, sites, sizeof sites);
  struct depot_stack outermost = {.parent = number, .shared_frames = 1, .own_frames = 0};
  ck_assert_uint_eq(stack_depot_at(stack_depot_add(random_hash(), &outermost, NULL))->parent, first);
}
END_TEST

START_TEST(stack_depot_takes_each_turn_once) {
  struct given stack;
  start();
  add(&stack, NULL);
  ck_assert(stack_depot_take_turn(stack.number, 1));
  ck_assert(!stack_depot_take_turn(stack.number, 1));
  ck_assert(stack_depot_take_turn(stack.number, 2));
  check(&stack);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, SHARED_STACKS = 5000 };

static uint32_t
hash_low_of(uint64_t i) {
  return (uint32_t)(i * 0x9e3779b1);
}

/* All threads store the same stacks, each with its index as the one frame; arg is where to put their numbers. */
static void *
store_all(void *arg) {
  uint32_t *numbers = arg;
  for (uint32_t i = 1; i <= SHARED_STACKS; i++) {
    uint64_t hash = (uint64_t)i << 32 | hash_low_of(i);
    uint32_t found = stack_depot_find(hash), sites[STACK_FRAMES_MAX];
    if (!found)
      found = stack_depot_add(hash, &(struct depot_stack){.own_frames = 1}, &i);
    if (stack_depot_read(found, sites) != 1 || sites[0] != i)
      return arg;
    numbers[i - 1] = found;
  }
  return NULL;
}

START_TEST(stack_depot_serves_threads_while_it_grows) {
  static uint32_t numbers[THREADS][SHARED_STACKS];
  pthread_t threads[THREADS];
  start();
  for (int i = 0; i < THREADS; i++)
    threads[i] = unit_start_thread(store_all, numbers[i]);
  for (int i = 0; i < THREADS; i++) {
    void *result;
    pthread_join(threads[i], &result);
    ck_assert_ptr_null(result);
    ck_assert_mem_eq(numbers[i], numbers[0], sizeof numbers[0]);
  }
}
END_TEST

Suite *
stack_depot_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("stack_depot", &tests);
  tcase_add_test(tests, stack_depot_has_nothing_at_first);
  tcase_add_test(tests, stack_depot_gives_back_what_is_stored);
  tcase_add_test(tests, stack_depot_keeps_the_longest_stack);
  tcase_add_test(tests, stack_depot_shares_with_the_stack_that_owns_the_frames);
  tcase_add_test(tests, stack_depot_takes_each_turn_once);
  tcase_add_test(tests, stack_depot_serves_threads_while_it_grows);
  return suite;
}
