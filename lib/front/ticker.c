/* SPDX-License-Identifier: MIT */
#include "front/ticker.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "base/platform.h"
#include "base/syscall_probe.h"
#include "front/leaks.h"
#include "gc/cycle.h"
#include "gc/runtime.h"
#include "world/park.h"
#include "world/tasks.h"

#include <pthread.h>
#include <signal.h>

static bool
is_company(int tid, void *arg) {
  bool *has_company = arg;
  *has_company = tid != platform_thread_id() && !tasks_is_dead(tid);
  return !*has_company;
}

/* A process whose main thread has left by pthread_exit ends with its last thread: that must not be this one. */
static bool
has_company(void) {
  bool result = false;
  return tasks_visit(is_company, &result) != 0 || result;
}

static pthread_t thread;
static bool      is_started;
static atom_int  must_end;

static uint64_t
interval_ns(void) {
  if (option(OPTION_MODE) == OPTION_MODE_LEAK)
    return option(OPTION_LEAK_INTERVAL) * 1000000000;
  return option(OPTION_STRESS_MS) * 1000000;
}

static void
tick(void) {
  if (option(OPTION_MODE) == OPTION_MODE_LEAK)
    leaks_check_interval();
  else
    cycle_collect(CYCLE_CAUSE_STRESS);
}

/* In pieces, so that the end of the process need not wait for it. */
static void
sleep_parked(uint64_t ns) {
  enum { PIECE_NS = 50 * 1000 * 1000 };
  struct cgc_thread *self = park_begin(arch_stack_pointer());
  uint64_t end_ns = platform_now_ns() + ns, now_ns;
  while (!atom_int_load_rlx(&must_end) && (now_ns = platform_now_ns()) < end_ns)
    platform_sleep(min_u64(end_ns - now_ns, PIECE_NS));
  park_end(self);
}

static void *
tick_until_end(void *arg) {
  (void)arg;
  if (runtime_prepare())
    thread_self()->has_own_descriptors = cycle_take_descriptors() == 0;
  while (has_company() && !atom_int_load_rlx(&must_end)) {
    sleep_parked(interval_ns());
    if (!atom_int_load_rlx(&must_end))
      tick();
  }
  return NULL;
}

/* Signals are for the program's threads. */
static void
start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  is_started = pthread_create(&thread, NULL, tick_until_end, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
ticker_start(void) {
  if (!interval_ns())
    return;
  syscall_probe();   /* before that thread makes calls that no other makes */
  pthread_atfork(NULL, NULL, start_thread);
  start_thread();
}

void
ticker_end(void) {
  atom_int_store_rlx(&must_end, 1);
  if (is_started)
    pthread_join(thread, NULL);
}
