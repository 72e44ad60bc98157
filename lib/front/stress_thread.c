/* SPDX-License-Identifier: MIT */
/* Option stress-ms, for tests: a thread that collects again and again, at moments that the program has no
 * part in. */
#include "front/stress_thread.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "base/platform.h"
#include "base/syscall_probe.h"
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

static void *
collect_until_end(void *arg) {
  (void)arg;
  if (runtime_prepare())
    thread_self()->has_own_descriptors = cycle_take_descriptors() == 0;
  while (has_company() && !atom_int_load_rlx(&must_end)) {
    struct cgc_thread *self = park_begin(arch_stack_pointer());
    platform_sleep(option(OPTION_STRESS_MS) * 1000000);
    park_end(self);
    cycle_collect(CYCLE_CAUSE_STRESS);
  }
  return NULL;
}

/* Signals are for the program's threads. */
static void
start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  is_started = pthread_create(&thread, NULL, collect_until_end, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
stress_thread_start(void) {
  if (!option(OPTION_STRESS_MS))
    return;
  syscall_probe();   /* before that thread makes calls that no other makes */
  pthread_atfork(NULL, NULL, start_thread);
  start_thread();
}

void
stress_thread_end(void) {
  atom_int_store_rlx(&must_end, 1);
  if (is_started)
    pthread_join(thread, NULL);
}
