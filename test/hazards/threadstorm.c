/* SPDX-License-Identifier: MIT */
/* threadstorm - threads that come and go, and threads nobody announced.
   Servers start a thread per request; libraries start threads by thrd_create, SIGEV_THREAD timers or
   clone() that no pthread_create wrapper sees; destructors run malloc and free after the collector's
   own per-thread state is gone; main leaves by pthread_exit while workers go on. A collector that
   waits for a thread that is just ending, counts its own threads among the program's, or trusts that
   every thread has a glibc thread descriptor hangs, never ends, or crashes in its signal handler. */
#include "hazard.h"

#include <sched.h>
#include <threads.h>

static atomic_int ended;

/* ---- ordinary creation and exit ---- */

static HZ_NOINLINE void
work(unsigned seed) {
  struct hz_chain mine;
  void *volatile head = chain_make_small(&mine, seed);
  void *loose[6];
  for (unsigned i = 0; i < 6; i++)
    loose[i] = malloc(30 + seed * 7 % 500);
  if (!chain_is_intact(&mine))
    FAIL("a block of a young thread broke");
  for (unsigned i = 0; i < 6; i++)
    free(loose[i]);
  chain_free(&mine, head);
}

static void *
short_main(void *arg) {
  work((unsigned)(uintptr_t)arg);
  atomic_fetch_add(&ended, 1);
  return arg;
}

static int
short_main_c11(void *arg) {
  short_main(arg);
  return 42;
}

static void
joined(void) {
  struct hz_collector c;
  collector_start(&c, 0);
  for (uintptr_t b = 0; b < 60; b++) {
    pthread_t t[25];
    for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
      hz_thread(&t[i], short_main, (void *)(b * 100 + i));
    for (uintptr_t i = 0; i < HZ_COUNT(t); i++) {
      void *result;
      pthread_join(t[i], &result);
      CHECK(result == (void *)(b * 100 + i), "a thread returned another value");
    }
  }
  collector_stop(&c);
  CHECK(ended == 60 * 25, "%d threads ran", ended);
}

static void
detached(void) {
  enum { THREADS = 1500 };
  struct hz_collector c;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  collector_start(&c, 0);
  for (int i = 0; i < THREADS; i++) {
    pthread_t t;
    int err;
    while ((err = pthread_create(&t, &attr, short_main, (void *)(uintptr_t)i)) == EAGAIN)
      hz_sleep_ms(1);
    if (err)
      FAIL("pthread_create: %s", strerror(err));
    while (i - atomic_load(&ended) > 60)
      hz_sleep_ms(1);
  }
  CHECK(hz_wait_for(&ended, THREADS, 10), "%d of %d detached threads ended", ended, THREADS);
  collector_stop(&c);
}

static void
c11_threads(void) {
  struct hz_collector c;
  collector_start(&c, 0);
  for (uintptr_t b = 0; b < 30; b++) {
    thrd_t t[20];
    int result = 0;
    for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
      if (thrd_create(&t[i], short_main_c11, (void *)(b * 20 + i)) != thrd_success)
        FAIL("thrd_create");
    for (unsigned i = 0; i < HZ_COUNT(t); i++)
      CHECK(thrd_join(t[i], &result) == thrd_success && result == 42, "thrd_join gave %d", result);
  }
  collector_stop(&c);
}

/* Threads that start threads, with the parents gone before the children. */
static void *
tree_main(void *arg) {
  uintptr_t depth = (uintptr_t)arg;
  for (int i = 0; i < 2 && depth; i++) {
    pthread_t t;
    hz_thread(&t, tree_main, (void *)(depth - 1));
    pthread_detach(t);
  }
  return short_main(arg);
}

static void
trees(void) {
  struct hz_collector c;
  collector_start(&c, 0);
  for (int round = 1; round <= 6; round++) {
    pthread_t t;
    hz_thread(&t, tree_main, (void *)(uintptr_t)6);
    pthread_join(t, NULL);
    CHECK(hz_wait_for(&ended, 127 * round, 10), "%d of %d threads ended", ended, 127 * round);
  }
  collector_stop(&c);
}

/* Several threads ask for a collection at once. */
static void *
collect_main(void *arg) {
  for (int i = 0; i < 15; i++) {
    collect_once();
    work((unsigned)(uintptr_t)arg + 10 * (unsigned)i);
  }
  return NULL;
}

static void
concurrent_collections(void) {
  pthread_t t[8];
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], collect_main, (void *)i);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
}

/* ---- SIGEV_THREAD: libc starts the threads, with all signals blocked ---- */

static struct hz_chain timer_chain;
static atomic_int ticks;

static void
tick(union sigval v) {
  if (!chain_is_head(&timer_chain, v.sival_ptr) || !chain_is_intact(&timer_chain))
    hz_bad("the value of a timer broke");
  work((unsigned)atomic_fetch_add(&ticks, 1));
}

static void
make_timer(void *arg) {
  struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
  e.sigev_value.sival_ptr = chain_make(&timer_chain, 3);
  if (timer_create(CLOCK_MONOTONIC, &e, arg))
    FAIL("timer_create: %s", strerror(errno));
}

static void
timer_threads(void) {
  static timer_t timer;
  run_hidden(make_timer, &timer);
  clear_stack();
  settle();
  struct itimerspec every = {{0, 3000000}, {0, 3000000}};
  timer_settime(timer, 0, &every, NULL);
  struct hz_collector c;
  collector_start(&c, 2);
  CHECK(hz_wait_for(&ticks, 150, 10), "only %d timer threads ran", ticks);
  collector_stop(&c);
  timer_delete(timer);
  hz_sleep_ms(50);
  int refused = atomic_load(&hz_collections_refused);
  settle();   /* the helper thread of libc is still there, blocking every signal */
  if (hz_has_collector())
    NOTE("%d collections were refused with libc's timer thread idle",
         atomic_load(&hz_collections_refused) - refused);
}

/* ---- raw clone(): a thread without a glibc descriptor ---- */

struct raw_thread {
  uintptr_t hidden;
  atomic_int ready, go, found;
  bool spin;
  int tid;             /* cleared and woken by the kernel at exit */
};

static long
raw_futex_wait(void *at, int value) {
#if defined(__x86_64__)
  long r;
  register long r10 __asm__("r10") = 0;
  __asm__ volatile("syscall" : "=a"(r) : "0"(202L), "D"(at), "S"(0L), "d"((long)value), "r"(r10)
                   : "rcx", "r11", "memory");
  return r;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = 98, x0 __asm__("x0") = (long)at, x1 __asm__("x1") = 0;
  register long x2 __asm__("x2") = value, x3 __asm__("x3") = 0;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
#else
  return syscall(SYS_futex, at, FUTEX_WAIT, value, NULL, NULL, 0);
#endif
}

/* May use no libc function and no errno: the thread register belongs to another thread or to nobody. */
__attribute__((no_stack_protector)) static int
raw_main(void *arg) {
  struct raw_thread *t = arg;
  void *volatile local = (void *)(t->hidden ^ HZ_KEY);
  atomic_store(&t->ready, 1);
  while (!atomic_load(&t->go))
    if (!t->spin)
      raw_futex_wait(&t->go, 0);
  atomic_store(&t->found, ((uintptr_t)local ^ HZ_KEY) == t->hidden ? 1 : 2);
  return 0;
}

static struct hz_chain raw_chain;

static void
put_raw(void *arg) {
  ((struct raw_thread *)arg)->hidden = hide(chain_make(&raw_chain, 9));
}

enum { RAW_STACK = 128 * 1024 };

static void
run_raw(struct raw_thread *t, int more_flags, void *tls) {
  char *stack = mmap(NULL, RAW_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK,
                     -1, 0);
  run_hidden(put_raw, t);
  clear_stack();
  t->tid = 1;
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
              CLONE_CHILD_CLEARTID | more_flags;
  if (clone(raw_main, stack + RAW_STACK, flags, t, NULL, tls, &t->tid) < 0)
    FAIL("clone: %s", strerror(errno));
  if (!hz_wait_for(&t->ready, 1, 10))
    FAIL("the cloned thread did not start");
  settle();
  chain_check(&raw_chain, "stack of a cloned thread");
  atomic_store(&t->go, 1);
  syscall(SYS_futex, &t->go, FUTEX_WAKE, 1, NULL, NULL, 0);
  for (int ms = 0; __atomic_load_n(&t->tid, __ATOMIC_SEQ_CST) && ms < 10000; ms++)
    hz_sleep_ms(1);
  CHECK(t->found == 1 && !t->tid, "the cloned thread did not end well");
  munmap(stack, RAW_STACK);
}

/* The clone shares the thread register of its creator, as many hand-made threads do. */
static void
raw_clone_shared_tls(void) {
  for (int spin = 0; spin < 2; spin++) {
    static struct raw_thread t;
    memset(&t, 0, sizeof t);
    t.spin = spin;
    run_raw(&t, 0, NULL);
  }
}

/* The clone has a thread register of its own that points at zeros. */
static void
raw_clone_own_tls(void) {
  for (int spin = 0; spin < 2; spin++) {
    static struct raw_thread t;
    char *tls = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(&t, 0, sizeof t);
    t.spin = spin;
    run_raw(&t, CLONE_SETTLS, tls + (1 << 19));
    munmap(tls, 1 << 20);
  }
}

/* ---- destructors that run late ---- */

static pthread_key_t late_key;
static atomic_int late_frees;

enum { LATE_ROUNDS = 4 /* PTHREAD_DESTRUCTOR_ITERATIONS */, LATE_ONCE = 100 };

struct late {
  unsigned round, seed;
  unsigned char bytes[300];
};

static struct late *
make_late(unsigned seed, unsigned round) {
  struct late *l = malloc(sizeof *l);
  l->round = round;
  l->seed = seed;
  guard_block(l->bytes, sizeof l->bytes, seed);
  return l;
}

/* Re-arms its key as often as POSIX allows, with a new block each time. */
static void
late_destructor(void *arg) {
  struct late *l = arg;
  if (check_block(l->bytes, sizeof l->bytes, l->seed) >= 0)
    FAIL("a block known only to thread-specific data broke");
  if (l->round + 1 < LATE_ROUNDS)
    pthread_setspecific(late_key, make_late(l->seed + 1, l->round + 1));
  if (l->seed % 16 == 0)
    collect_once();
  churn_light(l->seed);
  free(l);
  atomic_fetch_add(&late_frees, 1);
}

/* What C++ compilers use for thread_local objects with destructors. */
extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle __attribute__((visibility("hidden")));

static void *
late_main(void *arg) {
  unsigned seed = (unsigned)(uintptr_t)arg * 4;
  pthread_setspecific(late_key, make_late(seed, 0));
  __cxa_thread_atexit_impl(late_destructor, make_late(seed + 2, LATE_ONCE), &__dso_handle);
  work(seed);
  return NULL;
}

static void
late_destructors(void) {
  enum { BATCHES = 25, BATCH = 12 };
  struct hz_collector c;
  pthread_key_create(&late_key, late_destructor);
  collector_start(&c, 0);
  for (uintptr_t b = 0; b < BATCHES; b++) {
    pthread_t t[BATCH];
    for (uintptr_t i = 0; i < BATCH; i++)
      hz_thread(&t[i], late_main, (void *)(b * BATCH + i));
    for (unsigned i = 0; i < BATCH; i++)
      pthread_join(t[i], NULL);
  }
  collector_stop(&c);
  CHECK(late_frees == BATCHES * BATCH * (LATE_ROUNDS + 1), "%d of %d late frees", late_frees,
        BATCHES * BATCH * (LATE_ROUNDS + 1));
}

/* ---- how the process ends ---- */

static void *
last_worker(void *arg) {
  (void)arg;
  double end = hz_now() + 0.6;
  unsigned n = 0;
  while (hz_now() < end) {
    work(n++);
    collect_once();
    hz_sleep_ms(5);
  }
  collect(3);
  hz_line("worker ended");
  return NULL;
}

static void
main_leaves_sub(void) {
  pthread_t t;
  void *volatile local = malloc(1000);
  (void)local;
  hz_thread(&t, last_worker, NULL);
  pthread_detach(t);
  pthread_exit(NULL);
}

/* The process ends, with status 0, when the last thread of the program does. */
static void
main_leaves_first(void) {
  static struct hz_result r;
  char how[60];
  hz_exec_self(&r, "main_leaves_sub", NULL, environ, NULL, NULL, 8);
  CHECK(hz_exited_with(&r, 0), "after pthread_exit in main: %s", hz_status_text(&r, how, sizeof how));
  CHECK(strstr(r.out, "worker ended"), "the process ended before its last thread: %s", r.out);
}

static void *
exiting_main(void *arg) {
  hz_sleep_ms(20);
  exit((int)(uintptr_t)arg);
}

static void *
endless_main(void *arg) {
  for (unsigned n = 0;; n++) {
    work(n);
    if (n % 8 == 0)
      collect_once();
  }
  return arg;
}

static void
thread_exits_sub(void) {
  pthread_t t[4];
  for (unsigned i = 0; i < 3; i++)
    hz_thread(&t[i], endless_main, NULL);
  hz_thread(&t[3], exiting_main, (void *)(uintptr_t)33);
  for (;;)
    pause();
}

/* exit() on one thread while others allocate and collect. */
static void
thread_exits(void) {
  static struct hz_result r;
  char how[60];
  for (int i = 0; i < 12; i++) {
    hz_exec_self(&r, "thread_exits_sub", NULL, environ, NULL, NULL, 8);
    CHECK(hz_exited_with(&r, 33), "exit(33) on a thread: %s %s", hz_status_text(&r, how, sizeof how),
          r.out);
  }
}

static void
main_returns_sub(void) {
  for (unsigned i = 0; i < 3; i++) {
    pthread_t t;
    hz_thread(&t, endless_main, NULL);
    pthread_detach(t);
  }
  hz_sleep_ms(20);
}

static void
main_returns(void) {
  static struct hz_result r;
  char how[60];
  for (int i = 0; i < 12; i++) {
    hz_exec_self(&r, "main_returns_sub", NULL, environ, NULL, NULL, 8);
    CHECK(hz_exited_with(&r, 0), "return from main with threads running: %s %s",
          hz_status_text(&r, how, sizeof how), r.out);
  }
}

static const struct hz_case cases[] = {
  {"joined", joined, 0, 0},
  {"detached", detached, 0, 25},
  {"c11_threads", c11_threads, 0, 0},
  {"trees", trees, 0, 0},
  {"concurrent_collections", concurrent_collections, 0, 0},
  {"timer_threads", timer_threads, 0, 20},
  {"raw_clone_shared_tls", raw_clone_shared_tls, 0, 0},
  {"raw_clone_own_tls", raw_clone_own_tls, 0, 0},
  {"late_destructors", late_destructors, 0, 0},
  {"main_leaves_first", main_leaves_first, 0, 0},
  {"main_leaves_sub", main_leaves_sub, HZ_SUB, 0},
  {"thread_exits", thread_exits, 0, 0},
  {"thread_exits_sub", thread_exits_sub, HZ_SUB, 0},
  {"main_returns", main_returns, 0, 0},
  {"main_returns_sub", main_returns_sub, HZ_SUB, 0},
  {0},
};

HZ_MAIN("threadstorm", cases)
