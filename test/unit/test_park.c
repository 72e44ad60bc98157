/* SPDX-License-Identifier: MIT */
/* While the world is stopped a test calls nothing that could wait for a stopped thread. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "base/fault.h"
#include "base/platform.h"
#include "gc/runtime.h"
#include "world/park.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

enum { THREADS = 3, STOPS = 300 };

static int wake_pipe[2];
static atom_int must_end, parked_tid, is_back;
static atom_int counters[THREADS];
static int poll_result, poll_errno;

static struct thread_cache *
register_self(void) {
  struct thread_cache *cache = runtime_enter();
  runtime_leave(cache);
  return cache;
}

static void
start(int needs_fence) {
  unit_start_runtime();
  atom_int_store_rlx(&park_needs_fence, (unsigned)needs_fence);
  ck_assert_int_eq(pipe(wake_pipe), 0);
}

/* And some time to get into its call. */
static void
await(atom_int *word) {
  unit_await(word);
  usleep(10 * 1000);
}

/* Sleeps in poll as libc's callers do. */
static void *
poll_parked(void *arg) {
  struct pollfd fd = {.fd = wake_pipe[0], .events = POLLIN};
  (void)arg;
  register_self();
  struct cgc_thread *thread = park_begin(arch_stack_pointer());
  atom_int_store_rel(&parked_tid, (unsigned)platform_thread_id());
  poll_result = poll(&fd, 1, 10000);
  poll_errno = errno;
  park_end(thread);
  atom_int_store_rel(&is_back, 1);
  return NULL;
}

START_TEST(park_thread_is_stopped_without_a_signal) {
  struct stop_result result;
  start(_i);
  pthread_t thread = unit_start_thread(poll_parked, NULL);
  await(&parked_tid);
  for (int turn = 0; turn < 10; turn++) {
    int err = stop_world_begin(&result);
    const struct cgc_thread *record = thread_find((int)atom_int_load_rlx(&parked_tid));
    bool has_context = record->context, is_stopped = stop_world_has(record);
    stop_world_end();
    ck_assert_int_eq(err, 0);
    ck_assert_uint_eq(result.threads, 1);
    ck_assert_uint_eq(result.kernel_parked, 0);
    ck_assert(is_stopped && !has_context);
    ck_assert_uint_eq(record->stack_pointer, record->parked_stack_pointer);
  }
  ck_assert_int_eq(write(wake_pipe[1], "x", 1), 1);
  pthread_join(thread, NULL);
  ck_assert_msg(poll_result == 1, "poll returned %d, errno %d", poll_result, poll_errno);
}
END_TEST

START_TEST(park_thread_that_comes_back_waits_while_the_world_is_stopped) {
  struct stop_result result;
  start(_i);
  pthread_t thread = unit_start_thread(poll_parked, NULL);
  await(&parked_tid);
  int err = stop_world_begin(&result);
  ssize_t written = write(wake_pipe[1], "x", 1);
  usleep(20 * 1000);
  bool was_back = atom_int_load_acq(&is_back);
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert_int_eq(written, 1);
  ck_assert(!was_back);
  pthread_join(thread, NULL);
  ck_assert(atom_int_load_acq(&is_back));
}
END_TEST

/* In and out of calls that do not block: the counter is the program's. */
static void *
park_and_count(void *arg) {
  atom_int *counter = arg;
  register_self();
  while (!atom_int_load_acq(&must_end)) {
    struct cgc_thread *thread = park_begin(arch_stack_pointer());
    atom_barrier_compiler();
    park_end(thread);
    atom_int_add_full(counter, 1);
  }
  return NULL;
}

START_TEST(park_in_a_storm_of_stops_never_runs_in_a_stopped_world) {
  struct stop_result result;
  pthread_t threads[THREADS];
  start(_i);
  for (int i = 0; i < THREADS; i++)
    threads[i] = unit_start_thread(park_and_count, (void *)&counters[i]);
  for (int turn = 0; turn < STOPS; turn++) {
    unsigned before[THREADS], after[THREADS];
    int err = stop_world_begin(&result);
    for (int i = 0; i < THREADS; i++)
      before[i] = atom_int_load_acq(&counters[i]);
    for (int spin = 0; spin < 20000; spin++)
      atom_pause();
    for (int i = 0; i < THREADS; i++)
      after[i] = atom_int_load_acq(&counters[i]);
    stop_world_end();
    ck_assert_int_eq(err, 0);
    for (int i = 0; i < THREADS && !err; i++)
      ck_assert_uint_eq(before[i], after[i]);
  }
  atom_int_store_rel(&must_end, 1);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_uint_gt(atom_int_load_rlx(&counters[i]), 0);
  }
}
END_TEST

START_TEST(park_ends_in_a_slow_path) {
  start(0);
  struct thread_cache *cache = register_self();
  struct cgc_thread *thread = park_begin(arch_stack_pointer());
  ck_assert_ptr_eq(&thread->cache, cache);
  ck_assert_ptr_eq(thread_cache_self, &thread_cache_parked);
  ck_assert_ptr_eq(park_self(), thread);
  ck_assert_ptr_eq(runtime_enter(), cache);
  runtime_leave(cache);
  ck_assert_uint_eq(atom_int_load_rlx(&thread->is_parked), 0);
  park_end(thread);   /* nothing is left to be done */
  ck_assert_ptr_eq(thread_cache_self, cache);
  ck_assert_ptr_null(park_self());
}
END_TEST

START_TEST(park_of_an_unknown_thread_does_nothing) {
  start(0);
  thread_cache_self = &thread_cache_none;
  ck_assert_ptr_null(park_begin(arch_stack_pointer()));
  park_end(NULL);
  park_break();
  ck_assert_ptr_eq(thread_cache_self, &thread_cache_none);
}
END_TEST

START_TEST(park_without_membarrier_has_fences_from_the_next_stop_on) {
  start(0);
  if (!fault_configure("membarrier:1"))
    ck_abort();
  int err = park_synchronize();
  if (CGC_CONFIG_FAULTS)
    ck_assert_int_eq(err, EAGAIN);
  ck_assert_uint_eq(atom_int_load_rlx(&park_needs_fence), CGC_CONFIG_FAULTS);
  ck_assert_int_eq(park_synchronize(), 0);
}
END_TEST

Suite *
park_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("park", &tests);
  tcase_add_loop_test(tests, park_thread_is_stopped_without_a_signal, 0, 2);
  tcase_add_loop_test(tests, park_thread_that_comes_back_waits_while_the_world_is_stopped, 0, 2);
  tcase_add_loop_test(tests, park_in_a_storm_of_stops_never_runs_in_a_stopped_world, 0, 2);
  tcase_add_test(tests, park_ends_in_a_slow_path);
  tcase_add_test(tests, park_of_an_unknown_thread_does_nothing);
  tcase_add_test(tests, park_without_membarrier_has_fences_from_the_next_stop_on);
  return suite;
}
