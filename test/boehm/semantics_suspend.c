/* SPDX-License-Identifier: MIT */
/* Threads that are told to stand still: many at a time, those that end, and oneself. */
#include "semantics_common.h"

#include <gc/javaxfc.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 6, ROUNDS = 400 };

static void
make_thread(pthread_t *thread, void *(*function)(void *), void *arg) {
  EXPECT_EQUAL(GC_pthread_create(thread, NULL, function, arg), 0);
}

static void *
allocate(void *count) {
  for (atomic_int *i = count; i && atomic_fetch_sub(i, 1) > 0;)
    EXPECT(GC_malloc(40) != NULL);
  return NULL;
}

/* A thread that may have ended at any of these points. */
static void
suspend_and_resume(pthread_t thread) {
  EXPECT(!GC_is_thread_suspended(thread));
  GC_suspend_thread(thread);
  EXPECT(GC_is_thread_suspended(thread));
  GC_suspend_thread(thread);
  GC_resume_thread(thread);
  EXPECT(!GC_is_thread_suspended(thread));
  GC_resume_thread(thread);
}

static void *
suspend_others(void *arg) {
  (void)arg;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_t thread;
    make_thread(&thread, allocate, NULL);
    suspend_and_resume(thread);
    EXPECT_EQUAL(pthread_join(thread, NULL), 0);
  }
  return NULL;
}

static void
by_many_threads(void) {
  pthread_t threads[THREADS];
  GC_INIT();
  for (int i = 0; i < THREADS; i++)
    make_thread(&threads[i], suspend_others, NULL);
  for (int i = 0; i < THREADS; i++)
    EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
}

/* Suspended again before it has noticed that it may go on. */
static void
again_and_again(void) {
  atomic_int count = 1 << 30;
  pthread_t thread;
  GC_INIT();
  make_thread(&thread, allocate, &count);
  for (int i = 0; i < 2000; i++) {
    GC_suspend_thread(thread);
    int left = atomic_load(&count);
    if (i % 50 == 0)
      sched_yield();
    EXPECT_EQUAL(atomic_load(&count), left);
    GC_resume_thread(thread);
  }
  atomic_store(&count, 0);
  EXPECT_EQUAL(pthread_join(thread, NULL), 0);
}

static void
ended_thread(void) {
  pthread_t thread;
  GC_INIT();
  make_thread(&thread, allocate, NULL);
  nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
  suspend_and_resume(thread);
  EXPECT_EQUAL(pthread_join(thread, NULL), 0);
}

static atomic_int has_gone_on;

static void *
suspend_oneself(void *arg) {
  (void)arg;
  GC_suspend_thread(pthread_self());
  atomic_store(&has_gone_on, 1);
  return NULL;
}

static void
oneself(void) {
  pthread_t thread;
  GC_INIT();
  make_thread(&thread, suspend_oneself, NULL);
  while (!GC_is_thread_suspended(thread))
    sched_yield();
  nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
  GC_gcollect();
  EXPECT_EQUAL(atomic_load(&has_gone_on), 0);
  GC_resume_thread(thread);
  EXPECT_EQUAL(pthread_join(thread, NULL), 0);
  EXPECT_EQUAL(atomic_load(&has_gone_on), 1);
}

static const struct test_case cases[] = {
  CASE(by_many_threads, ANYONES),
  CASE(again_and_again, ANYONES),
  CASE(ended_thread, ANYONES),
  CASE(oneself, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
