/* SPDX-License-Identifier: MIT */
/* While the world is stopped a test calls nothing that could wait for a stopped thread: no malloc, no
 * assertion. */
#include "unit.h"

#include "base/options.h"
#include "base/platform.h"
#include "gc/runtime.h"
#include "world/signal_action.h"
#include "world/stop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { THREADS = 3 };

static atom_int counters[THREADS];
static atom_int must_end, blocks_now, may_unblock;
static int pipe_fds[2];

static void *
count(void *arg) {
  atom_int *counter = arg;
  while (!atom_int_load_acq(&must_end))
    atom_int_add_full(counter, 1);
  return NULL;
}

static void
block_all_signals(void) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void *
sleep_blocked(void *arg) {
  char byte;
  (void)arg;
  block_all_signals();
  atom_int_store_rel(&blocks_now, 1);
  while (!atom_int_load_acq(&must_end))
    ck_assert_int_eq(read(pipe_fds[0], &byte, 1), 1);
  return NULL;
}

/* Busy with all signals blocked, until it may take them. */
static void *
spin_blocked(void *arg) {
  sigset_t none;
  (void)arg;
  block_all_signals();
  atom_int_store_rel(&blocks_now, (unsigned)platform_thread_id());
  while (!atom_int_load_acq(&may_unblock))
    ;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  while (!atom_int_load_acq(&must_end))
    usleep(100);
  return NULL;
}

static void
end(pthread_t thread) {
  atom_int_store_rel(&must_end, 1);
  pthread_join(thread, NULL);
}

/* Stops the world, and whether the counters stand still while it is. */
static bool
counters_stand_still(struct stop_result *result, int *err) {
  unsigned before[THREADS];
  bool stand_still = true;
  *err = stop_world_begin(result);
  if (*err)
    return false;
  for (int i = 0; i < THREADS; i++)
    before[i] = atom_int_load_acq(&counters[i]);
  usleep(20 * 1000);
  for (int i = 0; i < THREADS; i++)
    stand_still = stand_still && atom_int_load_acq(&counters[i]) == before[i];
  stop_world_end();
  return stand_still;
}

static void
await_counting(void) {
  for (int i = 0; i < THREADS; i++) {
    unsigned before = atom_int_load_acq(&counters[i]);
    while (atom_int_load_acq(&counters[i]) == before)   /* a thread that is not resumed is a hang */
      usleep(100);
  }
}

START_TEST(stop_of_a_single_thread_stops_nobody) {
  struct stop_result result;
  unit_start_runtime();
  ck_assert(!stop_world_is_on());
  int err = stop_world_begin(&result);
  bool is_on = stop_world_is_on(), by_other = stop_world_is_on_by_other();
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert_uint_eq(result.threads, 0);
  ck_assert(is_on && !by_other);
  ck_assert(!stop_world_is_on());
}
END_TEST

START_TEST(stop_holds_busy_threads_and_resumes_them) {
  struct stop_result result;
  pthread_t threads[THREADS];
  int err;
  unit_start_runtime();
  for (int i = 0; i < THREADS; i++)
    threads[i] = unit_start_thread(count, (void *)&counters[i]);
  for (int turn = 0; turn < 20; turn++) {
    await_counting();
    bool stand_still = counters_stand_still(&result, &err);
    ck_assert_int_eq(err, 0);
    ck_assert(stand_still);
    ck_assert_uint_eq(result.threads, THREADS);
    ck_assert_uint_eq(result.kernel_parked, 0);
  }
  await_counting();
  for (int i = 0; i < THREADS; i++)
    end(threads[i]);
}
END_TEST

START_TEST(stop_tells_where_the_stacks_of_the_threads_are) {
  struct stop_result result;
  unit_start_runtime();
  pthread_t thread = unit_start_thread(count, (void *)&counters[0]);
  pthread_attr_t attributes;
  void *low;
  size_t bytes;
  ck_assert_int_eq(pthread_getattr_np(thread, &attributes), 0);
  pthread_attr_getstack(&attributes, &low, &bytes);
  int err = stop_world_begin(&result);
  unsigned inside = 0, with_context = 0;
  for (const struct cgc_thread *record = thread_first(); record; record = record->next)
    if (atom_int_load_rlx(&record->tid) && record != thread_self() && stop_world_has(record)) {
      inside += record->stack_pointer - (uintptr_t)low < bytes;
      with_context += record->context != NULL;
    }
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert_uint_eq(inside, 1);
  ck_assert_uint_eq(with_context, 1);
  end(thread);
}
END_TEST

START_TEST(stop_parks_a_thread_that_sleeps_with_all_signals_blocked) {
  struct stop_result result;
  unit_start_runtime();
  ck_assert_int_eq(pipe(pipe_fds), 0);
  pthread_t thread = unit_start_thread(sleep_blocked, NULL);
  unit_await(&blocks_now);
  usleep(20 * 1000);
  for (int turn = 0; turn < 3; turn++) {
    int err = stop_world_begin(&result);
    bool is_still_parked = stop_world_is_still_parked();
    stop_world_end();
    ck_assert_int_eq(err, 0);
    ck_assert(is_still_parked);
    ck_assert_uint_eq(result.threads, 1);
    ck_assert_uint_eq(result.kernel_parked, 1);
  }
  atom_int_store_rel(&must_end, 1);
  ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
  pthread_join(thread, NULL);
}
END_TEST

START_TEST(stop_notices_that_a_parked_thread_has_run) {
  struct stop_result result;
  unit_start_runtime();
  ck_assert_int_eq(pipe(pipe_fds), 0);
  pthread_t thread = unit_start_thread(sleep_blocked, NULL);
  unit_await(&blocks_now);
  usleep(20 * 1000);
  int err = stop_world_begin(&result);
  ssize_t written = write(pipe_fds[1], "x", 1);
  usleep(20 * 1000);
  bool is_still_parked = stop_world_is_still_parked();
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert_int_eq(written, 1);
  ck_assert(!is_still_parked);
  atom_int_store_rel(&must_end, 1);
  ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
  pthread_join(thread, NULL);
}
END_TEST

START_TEST(stop_is_given_up_when_a_busy_thread_blocks_all_signals) {
  struct stop_result result;
  int err;
  unit_start_runtime();
  option_values[OPTION_STOP_TIMEOUT] = 50;
  pthread_t blocked = unit_start_thread(spin_blocked, NULL), counting = unit_start_thread(count, (void *)&counters[0]);
  unit_await(&blocks_now);
  for (int turn = 0; turn < 2; turn++) {
    uint64_t start_ns = platform_now_ns();
    err = stop_world_begin(&result);
    uint64_t waited_ns = platform_now_ns() - start_ns;
    ck_assert_int_eq(err, ETIMEDOUT);
    ck_assert_int_eq(result.silent_tid, (int)atom_int_load_rlx(&blocks_now));
    ck_assert_uint_ge(waited_ns, 50 * 1000000);
    ck_assert(!stop_world_is_on());
    unsigned before = atom_int_load_acq(&counters[0]);   /* the others run again */
    while (atom_int_load_acq(&counters[0]) == before)
      usleep(100);
  }
  atom_int_store_rel(&may_unblock, 1);   /* takes a signal of a stop that is over: nothing happens */
  usleep(20 * 1000);
  option_values[OPTION_STOP_TIMEOUT] = 5000;
  err = stop_world_begin(&result);
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert_uint_eq(result.threads, 2);
  end(blocked);
  end(counting);
}
END_TEST

/* ---- slow paths ---- */

static atom_int is_inside, may_leave, has_left;

static void *
stay_inside(void *arg) {
  struct thread_cache *cache = runtime_enter();
  (void)arg;
  atom_int_store_rel(&is_inside, 1);
  while (!atom_int_load_acq(&may_leave))
    ;
  runtime_leave(cache);
  atom_int_store_rel(&has_left, 1);
  while (!atom_int_load_acq(&must_end))
    usleep(100);
  return NULL;
}

static void *
let_leave_later(void *arg) {
  (void)arg;
  block_all_signals();   /* it is to act while others are being stopped */
  atom_int_store_rel(&blocks_now, 1);
  usleep(50 * 1000);
  atom_int_store_rel(&may_leave, 1);
  char byte;
  return (void *)read(pipe_fds[0], &byte, 1);
}

START_TEST(stop_waits_for_a_thread_in_a_slow_path_to_leave_it) {
  struct stop_result result;
  unit_start_runtime();
  option_values[OPTION_STOP_TIMEOUT] = 5000;
  ck_assert_int_eq(pipe(pipe_fds), 0);
  pthread_t thread = unit_start_thread(stay_inside, NULL);
  unit_await(&is_inside);
  pthread_t helper = unit_start_thread(let_leave_later, NULL);
  unit_await(&blocks_now);
  int err = stop_world_begin(&result);
  bool could_leave = atom_int_load_acq(&may_leave);
  usleep(10 * 1000);
  bool went_on = atom_int_load_acq(&has_left);
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert(could_leave);
  ck_assert(!went_on);   /* stopped at the end of the slow path */
  unit_await(&has_left);
  end(thread);
  ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
  pthread_join(helper, NULL);
}
END_TEST

static atom_int wants_in, got_in;

static void *
go_inside_when_told(void *arg) {
  (void)arg;
  while (!atom_int_load_acq(&wants_in))
    ;
  runtime_leave(runtime_enter());
  atom_int_store_rel(&got_in, 1);
  while (!atom_int_load_acq(&must_end))
    usleep(100);
  return NULL;
}

START_TEST(stop_lets_nobody_into_a_slow_path) {
  struct stop_result result;
  unit_start_runtime();
  pthread_t thread = unit_start_thread(go_inside_when_told, NULL);
  int err = stop_world_begin(&result);
  atom_int_store_rel(&wants_in, 1);
  usleep(20 * 1000);
  bool was_in = atom_int_load_acq(&got_in);
  stop_world_end();
  ck_assert_int_eq(err, 0);
  ck_assert(!was_in);
  unit_await(&got_in);
  end(thread);
}
END_TEST

/* ---- the program's own signals ---- */

static atom_int own_signals;

static void
count_signal(int signal) {
  (void)signal;
  atom_int_add_full(&own_signals, 1);
}

START_TEST(stop_leaves_a_signal_with_a_handler_to_the_program) {
  struct stop_result result;
  int wanted = (int)option(OPTION_STOP_SIGNAL);
  unit_start_runtime();
  signal(wanted, count_signal);
  pthread_t thread = unit_start_thread(count, (void *)&counters[0]);
  int err = stop_world_begin(&result);
  stop_world_end();
  raise(wanted);
  ck_assert_int_eq(err, 0);
  ck_assert_uint_eq(result.threads, 1);
  ck_assert_uint_eq(atom_int_load_rlx(&own_signals), 1);
  end(thread);
}
END_TEST

START_TEST(stop_signal_sent_by_somebody_else_is_the_programs) {
  struct stop_result result;
  unit_start_runtime();
  pthread_t thread = unit_start_thread(count, (void *)&counters[0]);
  int err = stop_world_begin(&result);   /* the handler is there now */
  stop_world_end();
  ck_assert_int_eq(err, 0);
  struct platform_action ignore = {.handler = (uintptr_t)SIG_IGN}, old;
  ck_assert_int_eq(signal_action_change((int)option(OPTION_STOP_SIGNAL), &ignore, &old), 0);
  ck_assert_uint_eq(old.handler, (uintptr_t)SIG_DFL);
  pthread_kill(thread, (int)option(OPTION_STOP_SIGNAL));
  union sigval value = {.sival_ptr = (void *)0x1234};
  ck_assert_int_eq(pthread_sigqueue(thread, (int)option(OPTION_STOP_SIGNAL), value), 0);
  unsigned before = atom_int_load_acq(&counters[0]);
  while (atom_int_load_acq(&counters[0]) == before)
    usleep(100);
  end(thread);
}
END_TEST

Suite *
stop_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("stop", &tests);
  tcase_add_test(tests, stop_of_a_single_thread_stops_nobody);
  tcase_add_test(tests, stop_holds_busy_threads_and_resumes_them);
  tcase_add_test(tests, stop_tells_where_the_stacks_of_the_threads_are);
  tcase_add_test(tests, stop_parks_a_thread_that_sleeps_with_all_signals_blocked);
  tcase_add_test(tests, stop_notices_that_a_parked_thread_has_run);
  tcase_add_test(tests, stop_is_given_up_when_a_busy_thread_blocks_all_signals);
  tcase_add_test(tests, stop_waits_for_a_thread_in_a_slow_path_to_leave_it);
  tcase_add_test(tests, stop_lets_nobody_into_a_slow_path);
  tcase_add_test(tests, stop_leaves_a_signal_with_a_handler_to_the_program);
  tcase_add_test(tests, stop_signal_sent_by_somebody_else_is_the_programs);
  return suite;
}
