/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/lock.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { THREADS = 4, TURNS = 100000 };

static struct lock lock = LOCK_INITIALIZER(LOCK_RANK_META);
static volatile unsigned long counter;   /* lock: lock */
static atom_int has_lock;

static void
count_locked(void) {
  unsigned long before = counter;
  if (before % 64 == 0)
    sched_yield();   /* while it is held, so that others find it so */
  counter = before + 1;
}

static void *
count_with_acquire(void *arg) {
  (void)arg;
  for (int i = 0; i < TURNS; i++) {
    lock_acquire(&lock);
    count_locked();
    lock_release(&lock);
  }
  return NULL;
}

static void *
count_with_try(void *arg) {
  (void)arg;
  for (int i = 0; i < TURNS; i++) {
    while (!lock_try_acquire(&lock))
      sched_yield();
    count_locked();
    lock_release(&lock);
  }
  return NULL;
}

START_TEST(lock_contended_by_threads_excludes) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, i % 2 ? count_with_acquire : count_with_try, NULL), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  ck_assert_uint_eq(counter, (unsigned long)THREADS * TURNS);
  ck_assert(!lock_is_held(&lock));
}
END_TEST

START_TEST(lock_held_refuses_try) {
  ck_assert(!lock_is_held(&lock));
  ck_assert(lock_try_acquire(&lock));
  ck_assert(lock_is_held(&lock));
  ck_assert(!lock_try_acquire(&lock));
  lock_release(&lock);
  ck_assert(!lock_is_held(&lock));
  ck_assert(lock_try_acquire(&lock));
}
END_TEST

START_TEST(lock_reset_is_free_whatever_it_was) {
  lock_acquire(&lock);
  lock_reset(&lock);
  ck_assert(!lock_is_held(&lock));
  ck_assert(lock_try_acquire(&lock));
}
END_TEST

static void *
take(void *arg) {
  (void)arg;
  lock_acquire(&lock);
  atom_int_store_rel(&has_lock, 1);
  return NULL;
}

/* Long enough for the other thread to be past spinning and asleep. */
START_TEST(lock_released_wakes_a_sleeper) {
  pthread_t thread;
  lock_acquire(&lock);
  ck_assert_int_eq(pthread_create(&thread, NULL, take, NULL), 0);
  usleep(50 * 1000);
  ck_assert_uint_eq(atom_int_load_acq(&has_lock), 0);
  lock_release(&lock);
  pthread_join(thread, NULL);
  ck_assert_uint_eq(atom_int_load_acq(&has_lock), 1);
}
END_TEST

START_TEST(lock_free_released_aborts) {
  lock_release(&lock);
}
END_TEST

Suite *
lock_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("lock", &tests);
  tcase_add_test(tests, lock_contended_by_threads_excludes);
  tcase_add_test(tests, lock_held_refuses_try);
  tcase_add_test(tests, lock_reset_is_free_whatever_it_was);
  tcase_add_test(tests, lock_released_wakes_a_sleeper);
  if (CGC_CONFIG_DEBUG)
    tcase_add_test_raise_signal(tests, lock_free_released_aborts, SIGABRT);
  return suite;
}
