/* SPDX-License-Identifier: MIT */
/* When a cycle starts, and what cycles beside the program keep. */
#include "unit.h"

#include "base/options.h"
#include "base/platform.h"
#include "gc/alloc.h"
#include "gc/cycle.h"
#include "gc/runtime.h"
#include "heap/page_heap.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

/* Two threads take enough before either of them counts. */
static void
note_twice(void) {
  ck_assert(cycle_note_handed(option(OPTION_MIN_HEAP)));
  ck_assert(cycle_note_handed(option(OPTION_MIN_HEAP)));
}

START_TEST(cycle_is_due_at_the_goal_to_the_first_that_counts) {
  enum cycle_cause cause;
  unit_start_runtime();
  unit_take_large(option(OPTION_MIN_HEAP), 0);
  note_twice();
  ck_assert(cycle_is_due(&cause));
  ck_assert_int_eq(cause, CYCLE_CAUSE_HEAP);
  ck_assert(!cycle_is_due(&cause));
}
END_TEST

START_TEST(cycle_is_not_due_below_the_goal_however_many_count) {
  enum cycle_cause cause;
  unit_start_runtime();
  note_twice();
  ck_assert(!cycle_is_due(&cause));
  ck_assert(!cycle_is_due(&cause));
}
END_TEST

/* ---- beside the program ---- */

/* Of the last cycle, and of all.  Addresses of blocks stand in the heap only, or in disguise. */
static struct cycle_report last_report;
static atom_int cycle_reports;
static atom_word reclaimed_blocks;

static void
note_report(const struct cycle_report *report) {
  last_report = *report;
  atom_add_full(&reclaimed_blocks, report->collection.sweep.reclaimed_blocks);
  atom_int_add_full(&cycle_reports, 1);
}

/* False if the system does not let pages be watched. */
static bool
start_beside(uint64_t confirm) {
  unit_start_runtime();
  ck_assert(options_set("dirty=uffd", strlen("dirty=uffd")));
  ck_assert(options_set("verify=1", strlen("verify=1")));
  option_values[OPTION_CONFIRM] = confirm;
  option_values[OPTION_MIN_HEAP] = HULL_HEAP_BYTES;   /* no cycles but those that are asked for */
  cycle_init();
  cycle_listener = note_report;
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
  if (last_report.collection.is_beside)
    return true;
  printf("cycle: no cycle beside the program here\n");
  ck_assert(!dirty_is_available());
  return false;
}

static void
collect_beside(void) {
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
  ck_assert(last_report.collection.is_beside);
  ck_assert_int_eq(last_report.collection.err, 0);
  page_heap_check();
}

/* Beside the program, or in one stop. */
static const struct { uint64_t heap_bytes, taken_bytes; bool makes_garbage, is_beside; } kinds[] = {
  {1 * MIB, 0, true, CGC_CONFIG_HOSTILE},         {1 * MIB, 64 * MIB, false, CGC_CONFIG_HOSTILE},
  {32 * MIB, 0, true, true},                      {32 * MIB, 128 * KIB, true, true},
  {32 * MIB, 64 * MIB, true, CGC_CONFIG_HOSTILE}, {32 * MIB, 64 * MIB, false, true},
  {128 * MIB, 512 * MIB, true, true},
};

CGC_NOINLINE static void
drop_large_blocks(void) {
  for (int i = 0; i < 8; i++)
    unit_take_large(128 * KIB, SPAN_KIND_NOSCAN);
}

START_TEST(cycle_suits_the_size_of_the_heap_and_the_pace_of_the_program) {
  unit_start_runtime();
  cycle_listener = note_report;
  if (kinds[_i].makes_garbage)
    drop_large_blocks();
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
  ck_assert_int_eq(last_report.pacer.is_fruitless, !kinds[_i].makes_garbage);
  unit_take_large(kinds[_i].heap_bytes, SPAN_KIND_NOSCAN);
  usleep(20 * 1000);
  cycle_note_handed(kinds[_i].taken_bytes);
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
  ck_assert_int_eq(last_report.collection.is_beside, kinds[_i].is_beside && dirty_is_available());
}
END_TEST

static bool
is_allocated(const void *block) {
  enum free_verdict verdict;
  return alloc_find_block(block, &verdict) != NULL;
}

enum { LINKS = 3000, LINK_BYTES = 64 };

static uintptr_t hidden[LINKS];

/* The only pointer to each is in the next one. */
CGC_NOINLINE static void *
make_list(void) {
  void **first = NULL;
  for (size_t i = 0; i < LINKS; i++) {
    void **block = alloc_zeroed(LINK_BYTES, 0);
    ck_assert_ptr_nonnull(block);
    *block = first;
    hidden[i] = unit_hide(block);
    first = block;
  }
  return first;
}

static size_t
count_allocated(void) {
  size_t count = 0;
  for (size_t i = 0; i < LINKS; i++)
    count += is_allocated(unit_reveal(hidden[i]));
  return count;
}

static void *volatile list_root;

/* A word that is left over somewhere may keep a block, and what it leads to: the list is cut to pieces. */
CGC_NOINLINE static void
forget_list(void) {
  for (size_t i = 0; i < LINKS; i++)
    *(void **)unit_reveal(hidden[i]) = NULL;
  list_root = NULL;
}

START_TEST(cycle_beside_reclaims_what_cannot_be_reached_and_keeps_the_rest) {
  if (!start_beside((uint64_t)_i))
    return;
  list_root = make_list();
  for (int i = 0; i < 3; i++)
    collect_beside();
  ck_assert_uint_eq(count_allocated(), LINKS);
  forget_list();
  for (int i = 1; i < _i; i++) {
    collect_beside();
    ck_assert_uint_eq(count_allocated(), LINKS);
  }
  collect_beside();
  collect_beside();   /* windows are not judged, but the caller's are closed */
  ck_assert_uint_lt(count_allocated(), 20);
}
END_TEST

/* ---- beside the program: threads that change what is marked ---- */

/* The classical way to lose a block: the only pointer to it moves from where the marker has yet to look to where it
 * has looked already. */
enum { PAGES = 100, PAGE_WORDS = 512, TARGETS = PAGES * PAGE_WORDS, MOVERS = 2, CYCLES = 25 };

static void **volatile places[2];   /* two large blocks */
static atom_int must_end;
static atom_word moves;

struct target {
  uintptr_t check[4];   /* of its number */
};

static void
fill_target(struct target *target, size_t number) {
  for (size_t i = 0; i < CGC_COUNT(target->check); i++)
    target->check[i] = ~(number * 4 + i);
}

static bool
is_target(const struct target *target, size_t number) {
  for (size_t i = 0; i < CGC_COUNT(target->check); i++)
    if (target->check[i] != ~(number * 4 + i))
      return false;
  return true;
}

/* One number lies a page behind the one before. */
static size_t
word_of(size_t number) {
  return number % PAGES * PAGE_WORDS + number / PAGES;
}

/* In between the mover alone has it, for a while. */
CGC_NOINLINE static void
move(size_t number) {
  size_t at = word_of(number);
  void *volatile *from = &places[0][at], *volatile *to = &places[1][at];
  if (!*from) {
    from = &places[1][at];
    to = &places[0][at];
  }
  void *target = *from;
  *from = NULL;
  for (int i = 0; i < 20; i++)
    atom_pause();
  *to = target;
}

/* Each moves its own numbers: one in so many. */
static void *
move_targets(void *arg) {
  size_t index = (size_t)arg;
  struct unit_random random = {unit_seed() * (2 * index + 3) | 1};
  while (!atom_int_load_acq(&must_end)) {
    move(unit_random_below(&random, TARGETS / MOVERS) * MOVERS + index);
    atom_add_full(&moves, 1);
  }
  return NULL;
}

/* Takes what was reclaimed, and writes to it. */
static void *
make_garbage(void *arg) {
  for (unsigned i = 0; !atom_int_load_acq(&must_end); i++) {
    memset(alloc_block(sizeof(struct target), 0), 0xdb, sizeof(struct target));
    if (i % 100 == 0)
      usleep(50);
  }
  return arg;
}

CGC_NOINLINE static void
make_targets(void) {
  places[0] = alloc_zeroed(TARGETS * sizeof(void *), 0);
  places[1] = alloc_zeroed(TARGETS * sizeof(void *), 0);
  for (size_t i = 0; i < TARGETS; i++) {
    struct target *target = alloc_block(sizeof *target, 0);
    fill_target(target, i);
    places[i % 2][word_of(i)] = target;
  }
}

CGC_NOINLINE static size_t
count_lost(void) {
  size_t lost = 0;
  for (size_t i = 0; i < TARGETS; i++) {
    const struct target *target = places[0][word_of(i)] ? places[0][word_of(i)] : places[1][word_of(i)];
    lost += !target || !is_allocated(target) || !is_target(target, i);
  }
  return lost;
}

/* While so many cycles of that cause run. */
static void
move_meanwhile(enum cycle_cause cause) {
  pthread_t threads[MOVERS + 1];
  make_targets();
  for (size_t i = 0; i < MOVERS; i++)
    threads[i] = unit_start_thread(move_targets, (void *)i);
  threads[MOVERS] = unit_start_thread(make_garbage, NULL);
  for (int i = 0; i < CYCLES || atom_load_rlx(&moves) <= TARGETS; i++)
    ck_assert_int_eq(cycle_collect(cause), 0);
  atom_int_store_rel(&must_end, 1);
  for (size_t i = 0; i <= MOVERS; i++)
    pthread_join(threads[i], NULL);
  ck_assert_uint_gt(atom_load_rlx(&moves), TARGETS);
  ck_assert_uint_gt(atom_load_rlx(&reclaimed_blocks), 0);
  ck_assert_uint_eq(count_lost(), 0);
  page_heap_check();
}

START_TEST(cycle_beside_loses_no_block_whose_only_pointer_moves) {
  if (!start_beside((uint64_t)_i))
    return;
  move_meanwhile(CYCLE_CAUSE_FORCED);
  ck_assert(last_report.collection.is_beside);
}
END_TEST

/* ---- partial cycles ---- */

/* A whole one has kept its marks.  False if the system does not let pages be watched. */
static bool
start_partial(uint64_t confirm) {
  unit_start_runtime();
  ck_assert(options_set("partial=2", strlen("partial=2")));
  ck_assert(options_set("verify=1", strlen("verify=1")));
  option_values[OPTION_CONFIRM] = confirm;
  option_values[OPTION_MIN_HEAP] = HULL_HEAP_BYTES;   /* no cycles but those that are asked for */
  cycle_init();
  cycle_listener = note_report;
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
  ck_assert(!last_report.collection.is_beside && !last_report.collection.is_partial);
  int watch = last_report.collection.keeps_marks ? platform_open_watch() : -1;
  if (watch >= 0) {
    platform_close(watch);
    return true;
  }
  printf("cycle: no partial cycle here\n");
  return false;
}

static void
collect_stopped(bool is_partial) {
  ck_assert_int_eq(cycle_collect(is_partial ? CYCLE_CAUSE_STRESS : CYCLE_CAUSE_FORCED), 0);
  ck_assert_int_eq(last_report.collection.is_partial, is_partial);
  page_heap_check();
}

/* The first block of the list before leads to the new one. */
static uintptr_t old_end;

START_TEST(cycle_partial_keeps_what_old_blocks_lead_to_and_reclaims_what_is_new) {
  if (!start_partial((uint64_t)_i))
    return;
  list_root = make_list();
  old_end = hidden[0];
  collect_stopped(false);
  *(void **)unit_reveal(old_end) = make_list();
  for (int i = 0; i < 3; i++)
    collect_stopped(true);
  ck_assert_uint_eq(count_allocated(), LINKS);
  make_list();
  forget_list();
  for (int i = 0; i < _i; i++)
    collect_stopped(true);
  ck_assert_uint_lt(count_allocated(), 200);   /* in windows and by stale words some stay */
}
END_TEST

START_TEST(cycle_partial_leaves_old_garbage_to_the_next_whole_one) {
  if (!start_partial((uint64_t)_i))
    return;
  list_root = make_list();
  collect_stopped(false);
  forget_list();
  for (int i = 0; i < 3; i++)
    collect_stopped(true);
  ck_assert_uint_eq(count_allocated(), LINKS);
  for (int i = 0; i < _i; i++)
    collect_stopped(false);
  ck_assert_uint_lt(count_allocated(), 20);
}
END_TEST

/* Those beside the program know nothing of what others have kept. */
START_TEST(cycle_partial_and_those_beside_the_program_follow_each_other) {
  if (!start_partial(1))
    return;
  list_root = make_list();
  for (int i = 0; i < 3; i++) {
    collect_stopped(true);
    option_values[OPTION_PARTIAL] = 1;
    option_values[OPTION_DIRTY] = OPTION_DIRTY_UFFD;
    collect_beside();
    ck_assert_uint_eq(count_allocated(), LINKS);
    option_values[OPTION_PARTIAL] = 2;
    collect_stopped(false);
  }
  ck_assert_uint_eq(count_allocated(), LINKS);
  forget_list();
  option_values[OPTION_PARTIAL] = 1;
  collect_beside();
  ck_assert_uint_lt(count_allocated(), 20);
}
END_TEST

START_TEST(cycle_partial_loses_no_block_whose_only_pointer_moves) {
  if (!start_partial((uint64_t)_i))
    return;
  move_meanwhile(CYCLE_CAUSE_STRESS);
}
END_TEST

enum { GROWN_BYTES = 64 * 1024, GROWN_WORDS = GROWN_BYTES / sizeof(void *) };

static void **grown;

/* Addresses of blocks that are free then fill memory that was scanned when another block lay there. */
CGC_NOINLINE static void
leave_stale_words(void) {
  void **other = unit_take_large(GROWN_BYTES, 0);
  ck_assert_ptr_eq(other, grown + GROWN_WORDS);
  for (size_t i = 0; i < GROWN_WORDS; i++)
    other[i] = alloc_block(64, 0);
  list_root = other;
  for (int i = 0; i < 2; i++)
    collect_stopped(true);
  for (size_t i = 0; i < GROWN_WORDS; i++)
    ck_assert_int_eq(free_block(other[i]), FREE_VERDICT_FREED);
  list_root = NULL;
  ck_assert_int_eq(free_block(other), FREE_VERDICT_FREED);
}

CGC_NOINLINE static void
drop_small_blocks(void) {
  for (size_t i = 0; i < 2 * GROWN_WORDS; i++)
    alloc_block(64, 0);
}

/* What it grows over holds words older than the blocks that they point to. */
START_TEST(cycle_partial_does_not_believe_what_a_block_has_grown_over) {
  if (!start_partial(1))
    return;
  grown = unit_take_large(GROWN_BYTES, 0);
  leave_stale_words();
  collect_stopped(false);
  ck_assert(alloc_resize_in_place(heap_map_span((uintptr_t)grown), 2 * GROWN_BYTES));
  drop_small_blocks();
  collect_stopped(true);
  grown = NULL;
}
END_TEST

/* ---- holding off ---- */

static unsigned
count_threads(void) {
  unsigned count = 0;
  DIR *directory = opendir("/proc/self/task");
  ck_assert_ptr_nonnull(directory);
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
    count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

static atom_int collected;

static void *
collect_once(void *arg) {
  runtime_prepare();
  cycle_collect(CYCLE_CAUSE_FORCED);
  atom_int_store_rel(&collected, 1);
  return arg;
}

/* The kernel says that a thread has ended a moment before it takes it off its list. */
START_TEST(cycle_hold_off_waits_for_the_one_that_runs_and_for_its_thread) {
  enum { TURNS = 50 };
  unsigned alone = 0;
  if (!start_beside(1))
    return;
  list_root = make_list();
  for (int i = 0; i < TURNS; i++) {
    unsigned before = atom_int_load_acq(&cycle_reports);
    ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_PERIODIC), 0);   /* goes on when that returns */
    uint64_t held = cycle_hold_off();
    unsigned threads = count_threads(), after = atom_int_load_acq(&cycle_reports);
    cycle_let_go_on(held);
    ck_assert_uint_eq(after, before + 1);
    alone += threads == 1;
  }
  ck_assert_uint_gt(alone, TURNS * 3 / 4);
}
END_TEST

START_TEST(cycle_hold_off_keeps_others_from_beginning) {
  if (!start_beside(1))
    return;
  unsigned before = atom_int_load_acq(&cycle_reports);
  uint64_t held = cycle_hold_off();
  pthread_t thread = unit_start_thread(collect_once, NULL);
  usleep(50 * 1000);
  unsigned threads = count_threads(), meanwhile = atom_int_load_acq(&cycle_reports), ended = atom_int_load_acq(&collected);
  cycle_let_go_on(held);
  pthread_join(thread, NULL);
  ck_assert_uint_eq(threads, 2);
  ck_assert_uint_eq(meanwhile, before);
  ck_assert_uint_eq(ended, 0);
  ck_assert_uint_eq(atom_int_load_acq(&collected), 1);
  ck_assert_uint_eq(atom_int_load_acq(&cycle_reports), before + 1);
}
END_TEST

/* What libc does meanwhile may allocate. */
START_TEST(cycle_hold_off_does_not_wait_for_itself) {
  unit_start_runtime();
  uint64_t held = cycle_hold_off();
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_NO_MEMORY), EPERM);
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_STRESS), EPERM);
  cycle_let_go_on(held);
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
}
END_TEST

Suite *
cycle_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("cycle", &tests);
  tcase_add_test(tests, cycle_is_due_at_the_goal_to_the_first_that_counts);
  tcase_add_test(tests, cycle_is_not_due_below_the_goal_however_many_count);
  tcase_add_loop_test(tests, cycle_suits_the_size_of_the_heap_and_the_pace_of_the_program, 0, CGC_COUNT(kinds));
  tcase_add_loop_test(tests, cycle_beside_reclaims_what_cannot_be_reached_and_keeps_the_rest, 1, 3);
  tcase_add_loop_test(tests, cycle_beside_loses_no_block_whose_only_pointer_moves, 1, 3);
  tcase_add_loop_test(tests, cycle_partial_keeps_what_old_blocks_lead_to_and_reclaims_what_is_new, 1, 3);
  tcase_add_loop_test(tests, cycle_partial_leaves_old_garbage_to_the_next_whole_one, 1, 3);
  tcase_add_test(tests, cycle_partial_does_not_believe_what_a_block_has_grown_over);
  tcase_add_test(tests, cycle_partial_and_those_beside_the_program_follow_each_other);
  tcase_add_loop_test(tests, cycle_partial_loses_no_block_whose_only_pointer_moves, 1, 3);
  tcase_add_test(tests, cycle_hold_off_waits_for_the_one_that_runs_and_for_its_thread);
  tcase_add_test(tests, cycle_hold_off_keeps_others_from_beginning);
  tcase_add_test(tests, cycle_hold_off_does_not_wait_for_itself);
  return suite;
}
