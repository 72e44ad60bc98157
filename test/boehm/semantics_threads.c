/* SPDX-License-Identifier: MIT */
/* Threads: made, known and ended; calls in which they are not stopped; coroutines; standing still; fork. */
#include "semantics_common.h"

#define GC_SUSPEND_THREAD_ID pthread_t
#include <gc/gc_disclaim.h>
#include <gc/gc_mark.h>
#include <gc/javaxfc.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 4, AWAIT_MS = 60000 };

static void **kept;   /* a block of pointers, kept by this variable */
static atomic_int ready, must_end;

static void
start(void) {
  GC_INIT();
  GC_allow_register_threads();
  kept = GC_malloc(64 * sizeof *kept);
}

static void
await(atomic_int *counter, int value) {
  for (int ms = 0; atomic_load(counter) < value; ms++) {
    EXPECT(ms < AWAIT_MS);
    usleep(1000);
  }
}

static pthread_t
run(void *(*function)(void *), void *arg) {
  pthread_t thread;
  EXPECT_EQUAL(GC_pthread_create(&thread, NULL, function, arg), 0);
  return thread;
}

static void *
join(pthread_t thread) {
  void *result = NULL;
  EXPECT_EQUAL(GC_pthread_join(thread, &result), 0);
  return result;
}

/* A list that only the caller's frame holds, checked while others collect. */
struct node {
  struct node *next;
  unsigned number;
};

static struct node *
make_list(unsigned length, unsigned first) {
  struct node *list = NULL;
  for (unsigned i = 0; i < length; i++) {
    struct node *node = GC_malloc(sizeof *node);
    node->next = list;
    node->number = first + i;
    list = node;
  }
  return list;
}

static void
check_list(const struct node *list, unsigned length, unsigned first) {
  unsigned i = length;
  for (; list; list = list->next) {
    i--;
    EXPECT(i < length && list->number == first + i);
  }
  EXPECT_EQUAL(i, 0);
}

/* ---- making and ending ---- */

static void *
work(void *arg) {
  unsigned first = (unsigned)(uintptr_t)arg;
  for (unsigned round = 0; round < 40; round++) {
    struct node *list = make_list(500, first);
    if (round % 8 == 0)
      GC_gcollect();
    check_list(list, 500, first);
  }
  return NULL;
}

static void
threads_made(void) {
  pthread_t threads[THREADS];
  start();
  for (unsigned i = 0; i < THREADS; i++)
    threads[i] = run(work, (void *)(uintptr_t)(i * 100000));
  work((void *)900000);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT(!join(threads[i]));
}

/* Without the interface's function, and without registering. */
static void
threads_found(void) {
  pthread_t threads[THREADS];
  start();
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i * 100000)), 0);
  work((void *)900000);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
}

static void *
register_and_work(void *arg) {
  struct GC_stack_base base;
  EXPECT(!GC_thread_is_registered());
  EXPECT_EQUAL(GC_get_stack_base(&base), GC_SUCCESS);
  EXPECT_EQUAL(GC_register_my_thread(&base), GC_SUCCESS);
  EXPECT(GC_thread_is_registered());
  EXPECT_EQUAL(GC_register_my_thread(&base), GC_DUPLICATE);
  work(arg);
  EXPECT_EQUAL(GC_unregister_my_thread(), GC_SUCCESS);
  EXPECT(!GC_thread_is_registered());
  return NULL;
}

static void
threads_registered(void) {
  pthread_t threads[THREADS];
  start();
  EXPECT(GC_thread_is_registered());
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(pthread_create(&threads[i], NULL, register_and_work, (void *)(uintptr_t)(i * 100000)), 0);
  work((void *)900000);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
}

static void *
work_with_base(struct GC_stack_base *base, void *arg) {
  EXPECT(base->mem_base);
  int result = GC_register_my_thread(base);
  EXPECT(result == GC_SUCCESS || result == GC_DUPLICATE);
  work(arg);
  if (result == GC_SUCCESS)
    GC_unregister_my_thread();
  return arg;
}

static void *
call_with_base(void *arg) {
  return GC_call_with_stack_base(work_with_base, arg);
}

/* As guile, from its main thread before anything else, too. */
static void *
start_inside(struct GC_stack_base *base, void *arg) {
  (void)base, (void)arg;
  start();
  pthread_t thread;
  EXPECT_EQUAL(pthread_create(&thread, NULL, call_with_base, (void *)500), 0);
  work(NULL);
  void *result;
  EXPECT_EQUAL(pthread_join(thread, &result), 0);
  EXPECT(result == (void *)500);
  return &ready;
}

static void
with_stack_base(void) {
  EXPECT(GC_call_with_stack_base(start_inside, NULL) == &ready);
}

static void
disturb(void) {
  for (int i = 0; i < 3; i++) {
    collect();
    for (int j = 0; j < 5000; j++)
      memset(GC_malloc(sizeof(struct node)), 0xff, sizeof(struct node));
  }
}

/* The argument is held by nothing but the thread that is being made. */
static pthread_t last_thread;

static void *
take_list(void *arg) {
  EXPECT(GC_thread_is_registered());
  check_list(arg, 100, 7);
  return NULL;
}

static void
make_thread_with_list(void) {
  last_thread = run(take_list, make_list(100, 7));
}

static void
arguments(void) {
  start();
  for (int i = 0; i < 20; i++) {
    deep(make_thread_with_list);
    disturb();
    EXPECT(!join(last_thread));
  }
}

/* The result is held by nothing until the thread is joined. */
static void *
return_list(void *arg) {
  (void)arg;
  return make_list(100, 50);
}

static void *
exit_with_list(void *arg) {
  (void)arg;
  GC_pthread_exit(make_list(100, 50));
}

static void
check_result(void *(*function)(void *)) {
  start();
  for (int i = 0; i < 10; i++) {
    pthread_t thread = run(function, NULL);
    usleep(i % 2 ? 0 : 20000);
    disturb();
    check_list(join(thread), 100, 50);
  }
}

static void
results(void) {
  check_result(return_list);
}

static void
results_by_exit(void) {
  check_result(exit_with_list);
}

static void *
work_little(void *arg) {
  struct node *list = make_list(20, 3);
  check_list(list, 20, 3);
  return arg;
}

static void
many_short_threads(void) {
  start();
  for (unsigned i = 0; i < 600; i++) {
    pthread_t threads[THREADS];
    for (unsigned j = 0; j < THREADS; j++)
      threads[j] = run(work_little, (void *)(uintptr_t)j);
    if (i % 20 == 0)
      GC_gcollect();
    for (unsigned j = 0; j < THREADS; j++)
      EXPECT(join(threads[j]) == (void *)(uintptr_t)j);
  }
}

static void *
work_little_and_count(void *arg) {
  work_little(arg);
  atomic_fetch_add(&ready, 1);
  return NULL;
}

static void
detached_threads(void) {
  start();
  for (unsigned i = 0; i < 200; i++) {
    EXPECT_EQUAL(GC_pthread_detach(run(work_little_and_count, NULL)), 0);
    if (i % 20 == 0)
      GC_gcollect();
  }
  await(&ready, 200);
  collect();
}

static void *
make_others(void *arg) {
  uintptr_t depth = (uintptr_t)arg;
  pthread_t thread = {0};
  if (depth)
    thread = run(make_others, (void *)(depth - 1));
  work_little(NULL);
  return depth ? join(thread) : make_list(10, 10);
}

static void
threads_make_threads(void) {
  start();
  check_list(join(run(make_others, (void *)30)), 10, 10);
}

static void *
wait_to_be_cancelled(void *arg) {
  struct node *list = make_list(100, 1);
  atomic_fetch_add(&ready, 1);
  for (;;) {
    usleep(1000);
    check_list(list, 100, 1);
  }
  return arg;
}

static void
cancelled(void) {
  start();
  for (int i = 0; i < 10; i++) {
    pthread_t thread = run(wait_to_be_cancelled, NULL);
    await(&ready, i + 1);
    GC_gcollect();
    EXPECT_EQUAL(GC_pthread_cancel(thread), 0);
    EXPECT(join(thread) == PTHREAD_CANCELED);
    GC_gcollect();
  }
}

/* Signals are blocked by all means that a program has; the collector's own is let through. */
static void *
spin_with_signals_blocked(void *arg) {
  sigset_t all;
  sigfillset(&all);
  EXPECT_EQUAL(GC_pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
  struct node *list = make_list(100, 1);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    check_list(list, 100, 1);
  return arg;
}

static void
signals_blocked(void) {
  start();
  pthread_t thread = run(spin_with_signals_blocked, NULL);
  await(&ready, 1);
  for (int i = 0; i < 10; i++)
    disturb();
  atomic_store(&must_end, 1);
  join(thread);
}

/* ---- calls in which a thread is not stopped ---- */

static void *
wait_blocked(void *data) {
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    usleep(1000);
  return data;
}

/* What the frames above hold is kept. */
static void *
block_with_list(void *arg) {
  struct node *list = make_list(1000, 5);
  void *result = GC_do_blocking(wait_blocked, arg);
  check_list(list, 1000, 5);
  return result;
}

static void
blocking(void) {
  pthread_t threads[THREADS];
  start();
  for (unsigned i = 0; i < THREADS; i++)
    threads[i] = run(block_with_list, (void *)(uintptr_t)(i + 1));
  await(&ready, THREADS);
  disturb();
  atomic_store(&must_end, 1);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT(join(threads[i]) == (void *)(uintptr_t)(i + 1));
}

/* A thread that spins with all signals blocked in such a call does not hold a collection up. */
static void *
spin_blocked(void *data) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    ;
  return data;
}

static void *
block_and_spin(void *arg) {
  struct node *list = make_list(1000, 5);
  GC_do_blocking(spin_blocked, arg);
  check_list(list, 1000, 5);
  return NULL;
}

static void
blocking_is_not_stopped(void) {
  start();
  pthread_t thread = run(block_and_spin, NULL);
  await(&ready, 1);
  for (int i = 0; i < 3; i++)
    disturb();
  atomic_store(&must_end, 1);
  join(thread);
}

/* Each level has a list of its own. */
struct level {
  unsigned depth;
};

static void *nest_active(void *data);

static void *
nest_blocked(void *data) {
  struct level *level = data;
  usleep(100);
  return level->depth ? GC_call_with_gc_active(nest_active, level) : NULL;
}

static void *
nest_active(void *data) {
  struct level *level = data, inner = {level->depth - 1};
  struct node *list = make_list(200, level->depth), *result;
  if (level->depth % 4 == 0)
    GC_gcollect();
  result = GC_do_blocking(nest_blocked, &inner);
  check_list(list, 200, level->depth);
  if (result)
    check_list(result, 50, 9);
  return make_list(50, 9);
}

static void *
nest(void *arg) {
  struct level level = {20};
  for (int i = 0; i < 5; i++)
    check_list(nest_active(&level), 50, 9);
  return arg;
}

static void *
collect_until_end(void *arg) {
  while (!atomic_load(&must_end)) {
    make_list(1000, 1);
    GC_gcollect();
  }
  return arg;
}

static void
blocking_and_active_nested(void) {
  start();
  pthread_t collector = run(collect_until_end, NULL), other = run(nest, NULL);
  nest(NULL);
  join(other);
  atomic_store(&must_end, 1);
  join(collector);
}

/* What is allocated meanwhile, and written into the frame of who is blocked, is there when the call has returned. */
static void *
make_ten(void *data) {
  (void)data;
  return make_list(10, 70);
}

static void *
exchange(void *data) {
  void **cell = data;
  for (int i = 0; i < 200; i++) {
    *cell = GC_call_with_gc_active(make_ten, NULL);
    usleep(100);
  }
  return NULL;
}

static void
blocking_calls_back(void) {
  void *cell = NULL;
  start();
  pthread_t collector = run(collect_until_end, NULL);
  GC_do_blocking(exchange, &cell);
  check_list(cell, 10, 70);
  atomic_store(&must_end, 1);
  join(collector);
}

/* ---- coroutines ---- */

enum { COROUTINE_BYTES = 256 * 1024 };

static ucontext_t main_context, coroutine_context;
static struct GC_stack_base main_base, coroutine_base;
static void *stack_handle;
static char *main_top, *coroutine_top;
static GC_push_other_roots_proc pushed_before;
static unsigned switches;

struct bottom_change {
  void *handle;
  const struct GC_stack_base *base;
};

static void *
set_bottom(void *data) {
  const struct bottom_change *change = data;
  GC_set_stackbottom(change->handle, change->base);
  return NULL;
}

/* The stack that is not being run on, as a program with coroutines does. */
static void
push_other_stack(void) {
  if (main_top)
    GC_push_all_eager(main_top, main_base.mem_base);
  if (coroutine_top)
    GC_push_all_eager(coroutine_top, coroutine_base.mem_base);
  if (pushed_before)
    pushed_before();
}

static void
go_to(ucontext_t *from, ucontext_t *to, const struct GC_stack_base *base, char **left_top, char **entered_top) {
  struct bottom_change change = {stack_handle, base};
  GC_disable();   /* in between, the bottom and the stack do not fit */
  *left_top = (char *)__builtin_frame_address(0) - 1024;
  *entered_top = NULL;
  GC_call_with_alloc_lock(set_bottom, &change);
  switches++;
  swapcontext(from, to);
  GC_enable();
}

static void
run_coroutine(void) {
  GC_enable();   /* which go_to has left to be done */
  for (unsigned i = 0;; i++) {
    struct node *list = make_list(300, i);
    GC_gcollect();
    go_to(&coroutine_context, &main_context, &main_base, &coroutine_top, &main_top);
    check_list(list, 300, i);
  }
}

static void
coroutines(void) {
  start();
  char *stack = malloc(COROUTINE_BYTES);
  stack_handle = GC_get_my_stackbottom(&main_base);
  EXPECT(main_base.mem_base && (char *)main_base.mem_base > (char *)&stack);
  coroutine_base.mem_base = stack + COROUTINE_BYTES;
  pushed_before = GC_get_push_other_roots();
  GC_set_push_other_roots(push_other_stack);
  EXPECT_EQUAL(getcontext(&coroutine_context), 0);
  coroutine_context.uc_stack.ss_sp = stack;
  coroutine_context.uc_stack.ss_size = COROUTINE_BYTES;
  makecontext(&coroutine_context, run_coroutine, 0);
  for (unsigned i = 0; i < 30; i++) {
    struct node *list = make_list(300, 1000 + i);
    go_to(&main_context, &coroutine_context, &coroutine_base, &main_top, &coroutine_top);
    disturb();
    check_list(list, 300, 1000 + i);
  }
  EXPECT_EQUAL(switches, 60);
}

/* As crystal: the bottom is a variable that the program writes. */
static void
go_to_by_variable(ucontext_t *from, ucontext_t *to, const struct GC_stack_base *base, char **left_top,
                  char **entered_top) {
  GC_disable();
  *left_top = (char *)__builtin_frame_address(0) - 1024;
  *entered_top = NULL;
  GC_stackbottom = base->mem_base;
  switches++;
  swapcontext(from, to);
  GC_enable();
}

static void
run_coroutine_by_variable(void) {
  GC_enable();
  for (unsigned i = 0;; i++) {
    struct node *list = make_list(300, i);
    GC_gcollect();
    go_to_by_variable(&coroutine_context, &main_context, &main_base, &coroutine_top, &main_top);
    check_list(list, 300, i);
  }
}

static void
coroutines_by_variable(void) {
  start();
  char *stack = malloc(COROUTINE_BYTES);
  main_base.mem_base = GC_stackbottom;
  EXPECT((char *)main_base.mem_base > (char *)&stack);
  coroutine_base.mem_base = stack + COROUTINE_BYTES;
  pushed_before = GC_get_push_other_roots();
  GC_set_push_other_roots(push_other_stack);
  EXPECT_EQUAL(getcontext(&coroutine_context), 0);
  coroutine_context.uc_stack.ss_sp = stack;
  coroutine_context.uc_stack.ss_size = COROUTINE_BYTES;
  makecontext(&coroutine_context, run_coroutine_by_variable, 0);
  for (unsigned i = 0; i < 30; i++) {
    struct node *list = make_list(300, 1000 + i);
    go_to_by_variable(&main_context, &coroutine_context, &coroutine_base, &main_top, &coroutine_top);
    disturb();
    check_list(list, 300, 1000 + i);
  }
}

/* ---- standing still ---- */

static _Atomic unsigned long beats;

static void *
beat(void *arg) {
  struct node *list = make_list(1000, 5);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    atomic_fetch_add(&beats, 1);
  check_list(list, 1000, 5);
  return arg;
}

static bool
stands_still(void) {
  unsigned long before = atomic_load(&beats);
  usleep(20000);
  return atomic_load(&beats) == before;
}

static void
await_beat(void) {
  unsigned long before = atomic_load(&beats);
  for (int ms = 0; atomic_load(&beats) == before; ms++) {
    EXPECT(ms < AWAIT_MS);
    usleep(1000);
  }
}

static void
suspended(void) {
  start();
  pthread_t thread = run(beat, NULL);
  await(&ready, 1);
  for (int i = 0; i < 5; i++) {
    await_beat();
    EXPECT(!GC_is_thread_suspended(thread));
    GC_suspend_thread(thread);
    EXPECT(GC_is_thread_suspended(thread));
    EXPECT(stands_still());
    disturb();
    EXPECT(stands_still());
    GC_suspend_thread(thread);
    GC_resume_thread(thread);
    EXPECT(!GC_is_thread_suspended(thread));
    GC_resume_thread(thread);
  }
  await_beat();
  atomic_store(&must_end, 1);
  join(thread);
}

static void
world_stopped(void) {
  pthread_t threads[2];
  start();
  for (unsigned i = 0; i < 2; i++)
    threads[i] = run(beat, NULL);
  await(&ready, 2);
  for (int i = 0; i < 5; i++) {
    await_beat();
    GC_stop_world_external();
    bool is_still = stands_still();
    GC_start_world_external();
    EXPECT(is_still);
    await_beat();
    GC_gcollect();
  }
  atomic_store(&must_end, 1);
  for (unsigned i = 0; i < 2; i++)
    join(threads[i]);
}

/* ---- fork ---- */

static void
await_child(pid_t pid) {
  int status;
  EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
  EXPECT_EQUAL(status, 0);
}

static struct node *static_list;

static void
use_in_child(void) {
  for (int i = 0; i < 5; i++) {
    disturb();
    check_list(static_list, 2000, 40);
    struct node *list = make_list(1000, 1);
    GC_gcollect();
    check_list(list, 1000, 1);
  }
  pthread_t thread = run(work, NULL);
  work((void *)5000);
  join(thread);
}

static void
check_child(void) {
  fflush(stdout);
  pid_t pid = fork();
  EXPECT(pid >= 0);
  if (!pid) {
    use_in_child();
    _exit(0);
  }
  await_child(pid);
}

static void
forked(void) {
  GC_set_handle_fork(1);
  start();
  static_list = make_list(2000, 40);
  check_child();
  check_list(static_list, 2000, 40);
  use_in_child();
}

static void *
work_until_end(void *arg) {
  while (!atomic_load(&must_end))
    work(arg);
  return NULL;
}

static void
forked_with_threads(void) {
  pthread_t threads[THREADS];
  GC_set_handle_fork(1);
  start();
  static_list = make_list(2000, 40);
  for (unsigned i = 0; i < THREADS; i++)
    threads[i] = run(work_until_end, (void *)(uintptr_t)(i * 100000));
  for (int i = 0; i < 6; i++) {
    usleep(1000);
    check_child();
  }
  atomic_store(&must_end, 1);
  for (unsigned i = 0; i < THREADS; i++)
    join(threads[i]);
  check_list(static_list, 2000, 40);
}

static int finalized_in;

static void
note_process(void *block, void *data) {
  (void)block, (void)data;
  finalized_in = (int)getpid();
}

static void
make_finalizable(void) {
  GC_register_finalizer(GC_malloc(10), note_process, NULL, NULL, NULL);
  watch(0, GC_malloc(10));
}

/* Finalizers and links are the child's own, too. */
static void
forked_with_finalizers(void) {
  GC_set_handle_fork(1);
  start();
  deep(make_finalizable);
  fflush(stdout);
  pid_t pid = fork();
  collect();
  EXPECT_EQUAL(finalized_in, getpid());
  EXPECT(is_gone(0));
  if (!pid)
    _exit(0);
  await_child(pid);
}

/* Kinds of the program's go on in the child where they were. */
static void
forked_with_kinds(void) {
  GC_set_handle_fork(1);
  start();
  unsigned kind = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  for (unsigned i = 0; i < 50; i++)
    memset(kept[i] = GC_generic_malloc(100, (int)kind), (int)i, 100);
  fflush(stdout);
  pid_t pid = fork();
  for (unsigned round = 0; round < 5; round++) {
    for (unsigned i = 0; i < 1000; i++)
      memset(GC_generic_malloc(100, (int)kind), 0xff, 100);
    collect();
  }
  for (unsigned i = 0; i < 50; i++)
    EXPECT(is_filled(kept[i], (int)i, 100));
  if (!pid)
    _exit(0);
  await_child(pid);
}

/* What a thread does with the allocation lock held it has done, or has not begun, in a child. */
static volatile unsigned first_half, second_half;

static void *
change_both(void *data) {
  first_half++;
  usleep(300);
  second_half++;
  return data;
}

static void *
change_until_end(void *arg) {
  while (!atomic_load(&must_end)) {
    GC_call_with_alloc_lock(change_both, NULL);
    usleep(50);
  }
  return arg;
}

static pid_t
fork_by_hand(void) {
  GC_atfork_prepare();
  pid_t pid = fork();
  if (pid)
    GC_atfork_parent();
  else
    GC_atfork_child();
  return pid;
}

static void
check_lock_is_free(pid_t (*fork_it)(void)) {
  start();
  pthread_t thread = run(change_until_end, NULL);
  for (int i = 0; i < 30; i++) {
    fflush(stdout);
    pid_t pid = fork_it();
    EXPECT(pid >= 0);
    if (!pid) {
      EXPECT_EQUAL(first_half, second_half);
      GC_call_with_alloc_lock(change_both, NULL);   /* nobody holds it */
      collect();
      _exit(0);
    }
    await_child(pid);
    usleep(500);
  }
  EXPECT(first_half > 0);
  atomic_store(&must_end, 1);
  join(thread);
}

static void
forked_with_lock_free(void) {
  GC_set_handle_fork(1);
  check_lock_is_free(fork);
}

static void
forked_by_hand(void) {
  GC_set_handle_fork(-1);
  check_lock_is_free(fork_by_hand);
}

static unsigned kind_with_function;

/* The program fills blocks from their start on: behind a word that is empty all are. */
static int
check_words(void *block) {
  const uint64_t *words = block;
  size_t bytes, at = 0;
  GC_get_kind_and_size(block, &bytes);
  while (at < bytes / 8 && words[at])
    at++;
  EXPECT(is_filled(words + at, 0, bytes - at * 8));
  return 0;
}

static void
fill_words(volatile uint64_t *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    words[i] = UINT64_MAX;
}

/* Memory that others have used comes back as a block of the kind. */
static void *
use_kind_until_end(void *arg) {
  size_t sizes[] = {5000, 30000, 200000};
  for (unsigned i = 0; !atomic_load(&must_end); i++) {
    size_t bytes = sizes[(i + (uintptr_t)arg) % 3];
    void *other = GC_malloc_atomic(bytes);
    memset(other, 0x3c, bytes);
    GC_free(other);
    fill_words(GC_generic_malloc(bytes, (int)kind_with_function), bytes / 8);
  }
  return NULL;
}

/* The child asks about blocks whose thread is gone: it may have been about to clear them. */
static void
forked_with_blocks_half_made(void) {
  pthread_t threads[THREADS];
  GC_set_handle_fork(1);
  start();
  kind_with_function = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  GC_register_disclaim_proc((int)kind_with_function, check_words, 0);
  for (unsigned i = 0; i < THREADS; i++)
    threads[i] = run(use_kind_until_end, (void *)(uintptr_t)i);
  for (int i = 0; i < 40; i++) {
    usleep(1000);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (!pid) {
      collect();
      _exit(0);
    }
    await_child(pid);
  }
  atomic_store(&must_end, 1);
  for (unsigned i = 0; i < THREADS; i++)
    join(threads[i]);
}

static const struct test_case cases[] = {
  CASE(threads_made, ANYONES),
  CASE(threads_found, OURS),
  CASE(threads_registered, ANYONES),
  CASE(with_stack_base, ANYONES),
  CASE(arguments, ANYONES),
  CASE(results, OURS),
  CASE(results_by_exit, OURS),
  CASE(many_short_threads, ANYONES),
  CASE(detached_threads, ANYONES),
  CASE(threads_make_threads, ANYONES),
  CASE(cancelled, ANYONES),
  CASE(signals_blocked, ANYONES),
  CASE(blocking, ANYONES),
  CASE(blocking_is_not_stopped, ANYONES),
  CASE(blocking_and_active_nested, ANYONES),
  CASE(blocking_calls_back, ANYONES),
  CASE(coroutines, ANYONES),
  CASE(coroutines_by_variable, ANYONES),
  CASE(suspended, ANYONES),
  CASE(world_stopped, ANYONES),
  CASE(forked, ANYONES),
  CASE(forked_with_threads, ANYONES),
  CASE(forked_with_finalizers, ANYONES),
  CASE(forked_with_kinds, ANYONES),
  CASE(forked_with_lock_free, ANYONES),
  CASE(forked_by_hand, ANYONES),
  CASE(forked_with_blocks_half_made, OURS),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
