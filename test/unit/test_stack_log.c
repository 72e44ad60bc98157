/* SPDX-License-Identifier: MIT */
/* Logs of made up stacks, each with some of the outermost frames of the one before, for a few records in no order. */
#include "unit.h"

#include "base/meta.h"
#include "record/stack_depot.h"
#include "record/stack_log.h"

enum { RECORDS = 500, ALLOCATIONS = 200000, FRAMES_MAX = 60, SITES = 300 };
enum { LOG_BYTES_MAX = 8 * 1024 * 1024 };   /* of all logs, and less than so many stacks would take */

/* What a record should tell. */
struct expected {
  unsigned count, function;
  uint32_t sites[FRAMES_MAX];   /* the innermost first */
};

static struct record records[RECORDS];
static struct expected expected[RECORDS];

/* A thread's trail and log. */
struct writer {
  struct stack_trail trail;
  struct stack_log log;
};

static struct writer writers[2];
static struct unit_random random_state;

static unsigned
below(unsigned limit) {
  return (unsigned)unit_random_below(&random_state, limit);
}

static void
start(void) {
  unit_start_heap();
  random_state = unit_random_start();
}

/* A stack that shares so many frames with the one before; its new frames are of so many sites. */
static void
allocate(struct writer *writer, unsigned index, unsigned shared, unsigned count, unsigned sites) {
  uint32_t *to = stack_log_room(&writer->log, FRAMES_MAX);
  struct expected *wanted = &expected[index];
  ck_assert_ptr_nonnull(to);
  for (unsigned i = shared; i < count; i++) {
    writer->trail.frames[i].site = (site_word)(1 + below(sites)) << SITE_NUMBER_SHIFT;
    to[count - 1 - i] = site_number(writer->trail.frames[i].site);
  }
  writer->trail.count = count;
  *wanted = (struct expected){.count = count, .function = below(10)};
  for (unsigned i = 0; i < count; i++)
    wanted->sites[i] = site_number(writer->trail.frames[count - 1 - i].site);
  uint32_t mark = stack_log_add(&writer->log, &records[index], &writer->trail, shared, wanted->function);
  ck_assert_uint_ge(mark, RECORD_STACK_MARK);
  ck_assert_uint_ne(mark, RECORD_STACK_NOT_SAMPLED);
  records[index] = (struct record){.stack = mark};
}

static void
allocate_at_random(struct writer *writer, unsigned index) {
  unsigned shared = below(writer->trail.count + 1);
  allocate(writer, index, shared, shared + below(FRAMES_MAX + 1 - shared), SITES);
}

static void
check(unsigned index) {
  uint32_t sites[STACK_FRAMES_MAX], number = records[index].stack;
  ck_assert_uint_lt(number, RECORD_STACK_MARK);
  ck_assert_uint_ne(number, 0);
  ck_assert_uint_eq(stack_depot_read(number, sites), expected[index].count);
  ck_assert_mem_eq(sites, expected[index].sites, expected[index].count * sizeof sites[0]);
  ck_assert_uint_eq(stack_depot_at(number)->function, expected[index].function);
}

/* As in a child that was forked in the midst of settling another segment. */
static void
scramble(struct stack_log *log) {
  memset(log->sites, 0x55, sizeof log->sites);
  memset(log->hashes, 0x55, sizeof log->hashes);
  memset(log->owners, 0x55, sizeof log->owners);
  log->count = log->stored_count = FRAMES_MAX;
}

static void
settle_and_check_all(void) {
  scramble(&writers[0].log);
  scramble(&writers[1].log);
  stack_log_settle(&writers[0].log);
  stack_log_settle(&writers[1].log);
  for (unsigned i = 0; i < RECORDS; i++)
    if (records[i].stack)
      check(i);
}

START_TEST(stack_log_gives_each_record_its_last_stack) {
  start();
  for (unsigned i = 0; i < ALLOCATIONS; i++) {
    allocate_at_random(&writers[0], below(RECORDS));
    if (below(ALLOCATIONS / 10) == 0)
      settle_and_check_all();
  }
  settle_and_check_all();
  settle_and_check_all();
}
END_TEST

/* Slots that one thread frees another one takes: whichever log is settled first, it leaves the other's records alone. */
START_TEST(stack_log_leaves_records_of_others_alone) {
  start();
  for (unsigned i = 0; i < ALLOCATIONS; i++) {
    allocate_at_random(&writers[below(2)], below(RECORDS));
    if (below(1000) == 0)
      stack_log_settle(&writers[below(2)].log);
  }
  settle_and_check_all();
}
END_TEST

/* Of blocks that are freed, and their slots taken again, nothing is kept. */
START_TEST(stack_log_does_not_store_what_is_not_asked_for) {
  start();
  size_t before_bytes = meta_bytes();
  for (unsigned i = 0; i < ALLOCATIONS; i++)
    allocate(&writers[0], 0, 0, FRAMES_MAX, SITES);
  ck_assert_uint_lt(meta_bytes() - before_bytes, LOG_BYTES_MAX);
  settle_and_check_all();
}
END_TEST

/* One log after another begins with one segment, and grows; in all they stay below a limit that goes with the depot. */
START_TEST(stack_log_takes_bounded_memory) {
  start();
  size_t before_bytes = meta_bytes();
  for (unsigned i = 0; i < 2 * ALLOCATIONS; i++)
    allocate(&writers[i >= ALLOCATIONS], i % RECORDS, 0, FRAMES_MAX, 1);
  ck_assert_uint_lt(meta_bytes() - before_bytes, LOG_BYTES_MAX);
  settle_and_check_all();
}
END_TEST

Suite *
stack_log_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("stack_log", &tests);
  tcase_add_test(tests, stack_log_gives_each_record_its_last_stack);
  tcase_add_test(tests, stack_log_leaves_records_of_others_alone);
  tcase_add_test(tests, stack_log_does_not_store_what_is_not_asked_for);
  tcase_add_test(tests, stack_log_takes_bounded_memory);
  return suite;
}
