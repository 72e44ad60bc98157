/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/atom.h"
#include "base/platform.h"
#include "world/tasks.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { SIGNAL = 50 };

/* A thread that says who it is, then sleeps in read or spins, until told to end. */
struct sleeper {
  pthread_t thread;
  int pipe[2];
  bool blocks_signals, spins;
  atom_int tid, must_end;
  uintptr_t stack_addr;
};

static void *
sleep_until_told(void *arg) {
  struct sleeper *sleeper = arg;
  char byte;
  sigset_t all;
  sigfillset(&all);
  if (sleeper->blocks_signals)
    pthread_sigmask(SIG_SETMASK, &all, NULL);
  sleeper->stack_addr = (uintptr_t)&byte;
  atom_int_store_rel(&sleeper->tid, (unsigned)platform_thread_id());
  while (sleeper->spins && !atom_int_load_acq(&sleeper->must_end))
    ;
  while (!atom_int_load_acq(&sleeper->must_end))
    ck_assert_int_ge(read(sleeper->pipe[0], &byte, 1), 0);
  return NULL;
}

static int
start_sleeper(struct sleeper *sleeper) {
  ck_assert_int_eq(pipe(sleeper->pipe), 0);
  ck_assert_int_eq(pthread_create(&sleeper->thread, NULL, sleep_until_told, sleeper), 0);
  while (!atom_int_load_acq(&sleeper->tid))
    usleep(1000);
  usleep(20 * 1000);   /* it is in read by then */
  return (int)atom_int_load_rlx(&sleeper->tid);
}

static void
wake(struct sleeper *sleeper) {
  ck_assert_int_eq(write(sleeper->pipe[1], "x", 1), 1);
}

static void
end_sleeper(struct sleeper *sleeper) {
  atom_int_store_rel(&sleeper->must_end, 1);
  wake(sleeper);
  pthread_join(sleeper->thread, NULL);
}

/* ---- listing ---- */

struct listing {
  int tids[200];
  int count, limit;
};

static bool
note(int tid, void *arg) {
  struct listing *listing = arg;
  listing->tids[listing->count++] = tid;
  return listing->count < listing->limit;
}

static bool
has(const struct listing *listing, int tid) {
  for (int i = 0; i < listing->count; i++)
    if (listing->tids[i] == tid)
      return true;
  return false;
}

static bool
blocks(int tid) {
  return tasks_blocked_signals(tid) & platform_signal_bit(SIGNAL);
}

START_TEST(tasks_all_threads_are_visited) {
  enum { COUNT = 150 };   /* more than one answer of the kernel */
  static struct sleeper sleepers[COUNT];
  struct listing listing = {.limit = 200};
  for (int i = 0; i < COUNT; i++) {
    ck_assert_int_eq(pipe(sleepers[i].pipe), 0);
    ck_assert_int_eq(pthread_create(&sleepers[i].thread, NULL, sleep_until_told, &sleepers[i]), 0);
  }
  for (int i = 0; i < COUNT; i++)
    while (!atom_int_load_acq(&sleepers[i].tid))
      usleep(1000);
  ck_assert_int_eq(tasks_visit(note, &listing), 0);
  ck_assert_int_eq(listing.count, COUNT + 1);
  ck_assert(has(&listing, platform_thread_id()));
  for (int i = 0; i < COUNT; i++)
    ck_assert(has(&listing, (int)atom_int_load_rlx(&sleepers[i].tid)));
  for (int i = 0; i < COUNT; i++)
    end_sleeper(&sleepers[i]);
}
END_TEST

START_TEST(tasks_visit_ends_when_told) {
  struct sleeper sleeper = {.spins = false};
  struct listing listing = {.limit = 1};
  start_sleeper(&sleeper);
  ck_assert_int_eq(tasks_visit(note, &listing), 0);
  ck_assert_int_eq(listing.count, 1);
  end_sleeper(&sleeper);
}
END_TEST

/* ---- asleep ---- */

START_TEST(tasks_thread_asleep_with_signals_blocked_is_told_with_its_stack_pointer) {
  struct sleeper sleeper = {.blocks_signals = true};
  struct task_sleep sleep;
  int tid = start_sleeper(&sleeper);
  ck_assert(blocks(tid));
  ck_assert(tasks_is_asleep(tid, SIGNAL, &sleep));
  ck_assert_uint_le(sleep.stack_pointer, sleeper.stack_addr);
  ck_assert_uint_lt(sleeper.stack_addr - sleep.stack_pointer, 4096);
  end_sleeper(&sleeper);
}
END_TEST

/* Woken twice, so that all registers are the same in the same call. */
START_TEST(tasks_fingerprint_changes_only_when_the_thread_runs) {
  struct sleeper sleeper = {.blocks_signals = true};
  struct task_sleep sleeps[4];
  int tid = start_sleeper(&sleeper);
  for (int i = 0; i < 4; i++) {
    if (i == 1 || i == 2)
      wake(&sleeper);
    usleep(20 * 1000);
    ck_assert(tasks_is_asleep(tid, SIGNAL, &sleeps[i]));
  }
  ck_assert_uint_ne(sleeps[0].fingerprint, sleeps[1].fingerprint);
  ck_assert_uint_ne(sleeps[1].fingerprint, sleeps[2].fingerprint);
  ck_assert_uint_eq(sleeps[2].fingerprint, sleeps[3].fingerprint);
  end_sleeper(&sleeper);
}
END_TEST

START_TEST(tasks_thread_that_takes_signals_is_not_asleep) {
  struct sleeper sleeper = {.blocks_signals = false};
  struct task_sleep sleep;
  int tid = start_sleeper(&sleeper);
  ck_assert(!blocks(tid));
  ck_assert(!tasks_is_asleep(tid, SIGNAL, &sleep));
  end_sleeper(&sleeper);
}
END_TEST

START_TEST(tasks_busy_thread_is_not_asleep) {
  struct sleeper sleeper = {.blocks_signals = true, .spins = true};
  struct task_sleep sleep;
  int tid = start_sleeper(&sleeper);
  ck_assert(blocks(tid));
  ck_assert(!tasks_is_asleep(tid, SIGNAL, &sleep));
  end_sleeper(&sleeper);
}
END_TEST

START_TEST(tasks_thread_that_is_gone_is_not_asleep) {
  struct sleeper sleeper = {.blocks_signals = true};
  struct task_sleep sleep;
  int tid = start_sleeper(&sleeper);
  ck_assert(!tasks_is_dead(tid));
  end_sleeper(&sleeper);
  ck_assert(!tasks_is_asleep(tid, SIGNAL, &sleep));
  ck_assert(!blocks(tid));
}
END_TEST

/* ---- dead ---- */

static void *
look_at_first_thread(void *arg) {
  int first = platform_process_id();
  (void)arg;
  for (int i = 0; i < 1000 && !tasks_is_dead(first); i++)
    usleep(1000);
  _exit(tasks_is_dead(first) && !tasks_is_dead(platform_thread_id()) ? 0 : 1);
}

START_TEST(tasks_first_thread_that_has_ended_is_dead) {
  pthread_t thread;
  ck_assert(!tasks_is_dead(platform_thread_id()));
  ck_assert_int_eq(pthread_create(&thread, NULL, look_at_first_thread, NULL), 0);
  pthread_exit(NULL);
}
END_TEST

Suite *
tasks_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("tasks", &tests);
  tcase_add_test(tests, tasks_all_threads_are_visited);
  tcase_add_test(tests, tasks_visit_ends_when_told);
  tcase_add_test(tests, tasks_thread_asleep_with_signals_blocked_is_told_with_its_stack_pointer);
  tcase_add_test(tests, tasks_fingerprint_changes_only_when_the_thread_runs);
  tcase_add_test(tests, tasks_thread_that_takes_signals_is_not_asleep);
  tcase_add_test(tests, tasks_busy_thread_is_not_asleep);
  tcase_add_test(tests, tasks_thread_that_is_gone_is_not_asleep);
  tcase_add_exit_test(tests, tasks_first_thread_that_has_ended_is_dead, 0);
  return suite;
}
