/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/fault.h"
#include "base/hull.h"
#include "base/meta.h"
#include "world/held_signals.h"
#include "world/tasks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORDERED = 40, UNORDERED = SIGUSR1 };

static struct array words;

static int
list(void) {
  words.count = 0;
  return held_signals_list_stw(&words);
}

static unsigned
count_words(uintptr_t word) {
  unsigned count = 0;
  ck_assert_int_eq(list(), 0);
  for (size_t i = 0; i < words.count; i++)
    count += ((uintptr_t *)words.items)[i] == word;
  return count;
}

static void
block(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
start(void) {
  unit_start_runtime();
  block(ORDERED);
  block(ORDERED + 1);
  block(UNORDERED);
}

/* As the wrapped sigqueue does. */
static void
send_value(int signal, uintptr_t value) {
  uint64_t mask = held_signals_begin();
  int err = sigqueue(getpid(), signal, (union sigval){.sival_ptr = (void *)value});
  held_signals_end(mask, signal, (uintptr_t)getpid(), err ? 0 : value);
  ck_assert_int_eq(err, 0);
}

static uintptr_t
take(int signal) {
  siginfo_t info;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ck_assert_int_eq(sigwaitinfo(&set, &info), signal);
  return (uintptr_t)info.si_value.sival_ptr;
}

START_TEST(held_signals_values_until_taken) {
  start();
  send_value(ORDERED, 1001);
  send_value(UNORDERED, 1002);
  ck_assert_uint_eq(count_words(1001), 1);
  ck_assert_uint_eq(count_words(1002), 1);
  take(ORDERED);
  ck_assert_uint_eq(count_words(1001), 0);
  ck_assert_uint_eq(count_words(1002), 1);
  take(UNORDERED);
  ck_assert_uint_eq(count_words(1002), 0);
}
END_TEST

/* The user's other processes may have signals queued, for which as many values more are kept; none if a user of the
 * test's own can be had. */
static uint64_t
queued_elsewhere(uint64_t queued_here) {
  struct task_signals signals;
  ck_assert(tasks_read_signals(getpid(), &signals));
  ck_assert_uint_ge(signals.queued, queued_here);
  return signals.queued - queued_here;
}

START_TEST(held_signals_last_values_while_some_are_taken) {
  if (setuid(54321))
    printf("not root: this test may see other processes' signals\n");
  start();
  for (uintptr_t i = 0; i < 100; i++)
    send_value(ORDERED, 1000 + i);
  for (uintptr_t i = 0; i < 93; i++)
    ck_assert_uint_eq(take(ORDERED), 1000 + i);
  uint64_t others = queued_elsewhere(7);
  for (uintptr_t i = 93; i < 100; i++)
    ck_assert_uint_eq(count_words(1000 + i), 1);
  ck_assert_uint_le(words.count, 7 + others);
}
END_TEST

/* One signal waits for long while many of another, and of the same for another thread, pass. */
START_TEST(held_signals_of_one_destination_outlast_those_of_others) {
  start();
  send_value(ORDERED, 1001);
  for (uintptr_t i = 0; i < 5000; i++) {
    send_value(ORDERED + 1, 2000);
    uint64_t mask = held_signals_begin();
    int err = pthread_sigqueue(pthread_self(), ORDERED, (union sigval){.sival_ptr = (void *)1});
    held_signals_end(mask, ORDERED, (uintptr_t)pthread_self(), 3000 + i);
    ck_assert_int_eq(err, 0);
    take(ORDERED + 1);
    ck_assert_uint_eq(take(ORDERED), 1);   /* a thread's own come first */
  }
  ck_assert_uint_eq(count_words(1001), 1);
  ck_assert_uint_eq(count_words(2000), 0);
  ck_assert_uint_eq(take(ORDERED), 1001);
  ck_assert_int_eq(list(), 0);
  ck_assert_uint_eq(words.count, 0);
}
END_TEST

START_TEST(held_signals_rounds_take_no_memory) {
  start();
  send_value(ORDERED, 1000);   /* so that one is always pending */
  size_t before = 0;
  for (uintptr_t i = 0; i < 300000; i++) {
    send_value(ORDERED, 1001 + i);
    ck_assert_uint_eq(take(ORDERED), 1000 + i);
    if (i == 20000)
      before = meta_bytes();
  }
  ck_assert_uint_eq(meta_bytes(), before);
  ck_assert_uint_eq(count_words(1000 + 300000), 1);
}
END_TEST

START_TEST(held_signals_destinations_take_no_memory) {
  start();
  size_t before = 0;
  for (uintptr_t i = 1; i <= 100000; i++) {
    uint64_t mask = held_signals_begin();
    held_signals_end(mask, ORDERED, i, i);
    if (i == 10000)
      before = meta_bytes();
  }
  ck_assert_uint_eq(meta_bytes(), before);
}
END_TEST

/* The first of an unordered signal stays pending, those sent meanwhile are lost: all may be it. */
START_TEST(held_signals_unordered_all_values_or_none) {
  enum { TOO_MANY = 5000 };
  start();
  send_value(UNORDERED, 1000);
  for (uintptr_t i = 1; i < 10; i++)
    send_value(UNORDERED, 1000 + i);
  ck_assert_uint_eq(count_words(1000), 1);
  ck_assert_uint_eq(count_words(1009), 1);
  for (uintptr_t i = 10; i < TOO_MANY; i++)
    send_value(UNORDERED, 1000 + i);
  ck_assert_int_eq(list(), ENOMEM);
  ck_assert_uint_eq(take(UNORDERED), 1000);
  ck_assert_int_eq(list(), 0);
  ck_assert_uint_eq(words.count, 0);
}
END_TEST

START_TEST(held_signals_lost_value_makes_lists_fail_while_pending) {
  start();
  held_signals_lose(ORDERED);
  ck_assert_int_eq(list(), 0);   /* not pending */
  send_value(ORDERED, 1001);
  held_signals_lose(ORDERED);
  ck_assert_int_eq(list(), ENOMEM);
  take(ORDERED);
  ck_assert_int_eq(list(), 0);
}
END_TEST

START_TEST(held_signals_that_were_not_sent_are_not_held) {
  start();
  send_value(ORDERED, 1001);
  held_signals_end(held_signals_begin(), ORDERED, 1, 0);
  held_signals_end(held_signals_begin(), 0, 1, 1002);    /* tells whether the process exists */
  held_signals_end(held_signals_begin(), 65, 1, 1002);
  held_signals_lose(0);
  held_signals_lose(65);
  ck_assert_int_eq(list(), 0);
  ck_assert_uint_eq(words.count, 1);
}
END_TEST

/* What was sent counts for the old user.  Another user may have no signals queued at all. */
START_TEST(held_signals_outlast_a_change_of_user) {
  start();
  for (uintptr_t i = 0; i < 10; i++)
    send_value(ORDERED, 1000 + i);
  if (setuid(54321) == 0) {   /* else this is not root */
    for (uintptr_t i = 0; i < 10; i++)
      ck_assert_uint_eq(count_words(1000 + i), 1);
  }
}
END_TEST

/* ---- threads ---- */

static atom_int step;

static void *
wait_with_pending_signal(void *arg) {
  block(ORDERED);
  atom_int_store_rel(&step, 1);
  while (atom_int_load_acq(&step) == 1)
    usleep(1000);
  take(ORDERED);
  atom_int_store_rel(&step, 3);
  while (atom_int_load_acq(&step) == 3)
    usleep(1000);
  return arg;
}

START_TEST(held_signals_pending_for_another_thread) {
  pthread_t thread;
  start();
  ck_assert_int_eq(pthread_create(&thread, NULL, wait_with_pending_signal, NULL), 0);
  while (atom_int_load_acq(&step) != 1)
    usleep(1000);
  uint64_t mask = held_signals_begin();
  int err = pthread_sigqueue(thread, ORDERED, (union sigval){.sival_ptr = (void *)1});
  held_signals_end(mask, ORDERED, (uintptr_t)thread, 1001);
  ck_assert_int_eq(err, 0);
  ck_assert_uint_eq(count_words(1001), 1);
  atom_int_store_rel(&step, 2);
  while (atom_int_load_acq(&step) != 3)
    usleep(1000);
  ck_assert_uint_eq(count_words(1001), 0);
  atom_int_store_rel(&step, 4);
  pthread_join(thread, NULL);
}
END_TEST

/* ---- fork ---- */

static bool
child_succeeds(bool (*run)(void)) {
  int status;
  pid_t child = fork();
  if (!child) {
    unit_start_runtime();
    _exit(run() ? 0 : 1);
  }
  return waitpid(child, &status, 0) == child && status == 0;
}

static bool
list_has_only_the_child_s(void) {
  send_value(UNORDERED, 2001);
  return list() == 0 && words.count == 1 && *(uintptr_t *)words.items == 2001;
}

START_TEST(held_signals_of_the_parent_are_not_the_child_s) {
  start();
  send_value(ORDERED, 1001);
  send_value(UNORDERED, 1003);
  held_signals_lose(UNORDERED);
  ck_assert(held_signals_reserve(3));
  held_signals_set(3, 1002);
  uint64_t mask = held_signals_begin();   /* as another thread may be */
  bool is_right = child_succeeds(list_has_only_the_child_s);
  held_signals_end(mask, ORDERED, 0, 0);
  ck_assert(is_right);
  take(UNORDERED);
  ck_assert_uint_eq(count_words(1001), 1);
  ck_assert_uint_eq(count_words(1002), 1);
}
END_TEST

/* ---- no memory ---- */

START_TEST(held_signals_without_memory_are_lost) {
  start();
  ck_assert(fault_configure("map:1+"));
  while (meta_alloc(64))
    ;
  send_value(ORDERED, 1001);
  ck_assert(!held_signals_reserve(3));
  ck_assert_int_eq(list(), ENOMEM);
  take(ORDERED);
  ck_assert_int_eq(list(), 0);
}
END_TEST

START_TEST(held_signals_are_kept_if_nothing_can_be_learnt) {
  start();
  send_value(ORDERED, 1001);
  take(ORDERED);
  ck_assert(fault_configure("open:2+"));   /* the threads are listed, but tell nothing */
  ck_assert_uint_eq(count_words(1001), 1);
  ck_assert_uint_eq(count_words(1001), 1);
}
END_TEST

START_TEST(held_signals_list_is_refused_while_one_is_sent) {
  start();
  uint64_t mask = held_signals_begin();
  ck_assert_int_eq(list(), EAGAIN);
  held_signals_end(mask, ORDERED, 0, 0);
  ck_assert_int_eq(list(), 0);
}
END_TEST

/* ---- message queues ---- */

START_TEST(held_signals_one_value_per_message_queue) {
  start();
  for (int queue = 3; queue < 100; queue++) {
    ck_assert(held_signals_reserve(queue));
    held_signals_set(queue, 1000 + (uintptr_t)queue);
  }
  ck_assert_uint_eq(count_words(1003), 1);
  ck_assert_uint_eq(count_words(1099), 1);
  ck_assert(held_signals_reserve(3));
  ck_assert_uint_eq(count_words(1003), 1);   /* until the new one is set */
  held_signals_set(3, 2000);
  ck_assert_uint_eq(count_words(1003), 0);
  ck_assert_uint_eq(count_words(2000), 1);
  held_signals_set(3, 0);
  ck_assert_uint_eq(count_words(2000), 0);
  ck_assert_uint_eq(count_words(1099), 1);
}
END_TEST

START_TEST(held_signals_message_queue_rounds_take_no_memory) {
  start();
  size_t before = meta_bytes();
  for (int queue = 0; queue < 200000; queue++) {
    ck_assert(held_signals_reserve(queue));
    held_signals_set(queue, 1);
    held_signals_set(queue, 0);
  }
  ck_assert_uint_eq(meta_bytes(), before);
}
END_TEST

/* ---- which values ---- */

START_TEST(hull_has_addresses_with_any_tag) {
  unit_start_runtime();
  ck_assert(hull_has_tagged(hull.heap_addr));
  ck_assert(hull_has_tagged((hull.heap_addr + 123457) | (uintptr_t)0xfff9 << 48));
  ck_assert(hull_has_tagged(hull.end_addr - 1));
  ck_assert(!hull_has_tagged(hull.end_addr));
  ck_assert(!hull_has_tagged(hull.base_addr - 1));
  ck_assert(!hull_has_tagged(0));
  ck_assert(!hull_has_tagged(4711));
  ck_assert(!hull_has_tagged((uintptr_t)&words));
}
END_TEST

Suite *
held_signals_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("held_signals", &tests);
  tcase_add_test(tests, held_signals_values_until_taken);
  tcase_add_test(tests, held_signals_last_values_while_some_are_taken);
  tcase_add_test(tests, held_signals_of_one_destination_outlast_those_of_others);
  tcase_add_test(tests, held_signals_rounds_take_no_memory);
  tcase_add_test(tests, held_signals_destinations_take_no_memory);
  tcase_add_test(tests, held_signals_unordered_all_values_or_none);
  tcase_add_test(tests, held_signals_lost_value_makes_lists_fail_while_pending);
  tcase_add_test(tests, held_signals_that_were_not_sent_are_not_held);
  tcase_add_test(tests, held_signals_outlast_a_change_of_user);
  tcase_add_test(tests, held_signals_pending_for_another_thread);
  tcase_add_test(tests, held_signals_of_the_parent_are_not_the_child_s);
  tcase_add_test(tests, held_signals_list_is_refused_while_one_is_sent);
  tcase_add_test(tests, held_signals_one_value_per_message_queue);
  tcase_add_test(tests, held_signals_message_queue_rounds_take_no_memory);
  tcase_add_test(tests, hull_has_addresses_with_any_tag);
  if (CGC_CONFIG_FAULTS) {
    tcase_add_test(tests, held_signals_without_memory_are_lost);
    tcase_add_test(tests, held_signals_are_kept_if_nothing_can_be_learnt);
  }
  return suite;
}
