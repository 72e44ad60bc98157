/* SPDX-License-Identifier: MIT */
/* forkstorm - fork() in the middle of everything.
   Servers fork with other threads inside malloc and a collection half done; the child has one thread,
   no collector threads, half-finished marks, locks held by nobody, and must still allocate, free what
   the parent allocated, collect, start threads and exit in good order. A collector that holds a lock
   across fork, waits for threads that do not exist there, or writes through a shared mapping or an
   inherited descriptor into its parent hangs or corrupts one of the two. */
#include "hazard.h"

static atomic_int stop;
static struct hz_chain before[8];
static void *volatile before_heads[8];

static void *
storm_main(void *arg) {
  unsigned n = (unsigned)(uintptr_t)arg;
  struct hz_chain mine;
  while (!atomic_load(&stop)) {
    void *head = chain_make_small(&mine, n);
    churn_light(n++);
    if (n % 16 == 0) {
      collect_once();
      hz_sleep_ms(1);   /* or four such threads leave the children no processor */
    }
    chain_free(&mine, head);
  }
  return NULL;
}

static void *
child_thread(void *arg) {
  struct hz_chain mine;
  void *head = chain_make_small(&mine, 5);
  churn_light(7);
  collect_once();
  chain_free(&mine, head);
  return arg;
}

static bool
live_chains_intact(void) {
  for (unsigned i = 0; i < HZ_COUNT(before); i++)
    if (before_heads[i] && !chain_is_intact(&before[i]))
      return false;
  return true;
}

/* What a child does with the heap it inherited; 0 if all is well. */
static int
use_inherited_heap(unsigned round) {
  if (!live_chains_intact())
    return 11;
  chain_free(&before[round % 8], before_heads[round % 8]);
  before_heads[round % 8] = NULL;
  churn_light(round);
  for (int i = 0; i < 3; i++) {
    collect_once();
    churn_light(round + 1);
  }
  if (!live_chains_intact())
    return 12;
  pthread_t t;
  void *result = NULL;
  if (pthread_create(&t, NULL, child_thread, &result) || pthread_join(t, &result) || result == NULL)
    return 13;
  return atomic_load(&hz_bad_count) ? 14 : 0;
}

static int
wait_for_child(pid_t pid, const char *what) {
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid)
    FAIL("%s: %s", what, strerror(errno));
  if (WIFSIGNALED(status))
    FAIL("%s died of SIG%s%s", what, sigabbrev_np(WTERMSIG(status)),
         WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
  return WEXITSTATUS(status);
}

/* A child of the child, while the collector of the child is at work. */
static int
fork_again(unsigned round) {
  struct hz_collector c;
  collector_start(&c, 0);
  pid_t pid = fork();
  if (pid == 0) {
    alarm((unsigned)hz_limit(10));
    _exit(use_inherited_heap(round + 1));
  }
  int status = -1;
  waitpid(pid, &status, 0);
  collector_stop(&c);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 15;
}

static void
run_child(unsigned round) {
  alarm((unsigned)hz_limit(10));
  int code = use_inherited_heap(round);
  if (!code && round % 10 == 9)
    code = fork_again(round);
  if (round % 2)
    exit(code);
  _exit(code);
}

static void
make_before(void) {
  for (unsigned i = 0; i < HZ_COUNT(before); i++)
    before_heads[i] = chain_make_sizes(&before[i], i * 43, hz_sizes, 6);
}

static void
check_before(void) {
  for (unsigned i = 0; i < HZ_COUNT(before); i++)
    chain_check(&before[i], "block allocated before the forks");
}

static void
fork_rounds(unsigned rounds, double seconds) {
  char what[40];
  double end = hz_now() + seconds;
  unsigned done = 0;
  for (; done < rounds && (done < 20 || hz_now() < end); done++) {
    pid_t pid = fork();
    if (pid == 0)
      run_child(done);
    snprintf(what, sizeof what, "child %u", done);
    int code = wait_for_child(pid, what);
    if (code)
      FAIL("%s exited with %d", what, code);
  }
  if (done < rounds)
    NOTE("only %u of %u forks in the time allowed", done, rounds);
}

static void
fork_from_main(void) {
  pthread_t t[4];
  make_before();
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], storm_main, (void *)i);
  fork_rounds(200, 4);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  settle();
  check_before();
}

/* In the child the forking thread is the only one, and its stack is not the process's first. */
static void *
forking_thread(void *arg) {
  (void)arg;
  fork_rounds(40, 2);
  return NULL;
}

static void
fork_from_thread(void) {
  pthread_t t[3], forker;
  make_before();
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], storm_main, (void *)i);
  hz_thread(&forker, forking_thread, NULL);
  pthread_join(forker, NULL);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  check_before();
}

/* Two threads fork at once. */
static void
fork_from_two_threads(void) {
  pthread_t t[2], forker[2];
  make_before();
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], storm_main, (void *)i);
  for (unsigned i = 0; i < HZ_COUNT(forker); i++)
    hz_thread(&forker[i], forking_thread, NULL);
  for (unsigned i = 0; i < HZ_COUNT(forker); i++)
    pthread_join(forker[i], NULL);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  check_before();
}

/* Handlers of the program run before or after the library's own and allocate. */
static void *volatile handler_block;
static int handler_calls[3];

static void
handler_prepare(void) {
  handler_calls[0]++;
  handler_block = malloc(3000);
  memset(handler_block, 0x81, 3000);
  free(malloc(100));
}

static void
handler_parent(void) {
  handler_calls[1]++;
  free(handler_block);
  churn_light(5);
}

static void
handler_child(void) {
  handler_calls[2]++;
  free(handler_block);
  churn_light(6);
  collect_once();
}

static void
fork_handlers(void) {
  if (pthread_atfork(handler_prepare, handler_parent, handler_child))
    FAIL("pthread_atfork");
  pthread_t t[3];
  make_before();
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], storm_main, (void *)i);
  fork_rounds(60, 2);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  check_before();
  CHECK(handler_calls[0] == handler_calls[1] && handler_calls[0] >= 20, "handlers ran %d and %d times",
        handler_calls[0], handler_calls[1]);
}

/* The child collects with a large heap of its own; the parent must not see any of it. */
static void
memory_is_separate(void) {
  enum { BLOCKS = 3000 };
  static void *blocks[BLOCKS];
  for (unsigned i = 0; i < BLOCKS; i++) {
    blocks[i] = malloc(2000);
    guard_block(blocks[i], 2000, i);
  }
  collect(3);
  for (int round = 0; round < 4; round++) {
    pid_t pid = fork();
    if (pid == 0) {
      alarm((unsigned)hz_limit(10));
      for (unsigned i = 0; i < BLOCKS; i++) {
        if (check_block(blocks[i], 2000, i) >= 0)
          _exit(21);
        memset(blocks[i], 0xDD, 2000);
        if (i % 2) {
          free(blocks[i]);
          blocks[i] = NULL;
        }
      }
      collect(3);
      for (unsigned i = 0; i < BLOCKS; i += 2)
        for (unsigned k = 0; k < 2000; k += 100)
          if (((unsigned char *)blocks[i])[k] != 0xDD)
            _exit(22);
      _exit(0);
    }
    collect(3);
    int code = wait_for_child(pid, "child");
    CHECK(code == 0, "the child exited with %d", code);
    for (unsigned i = 0; i < BLOCKS; i++)
      if (check_block(blocks[i], 2000, i) >= 0)
        FAIL("block %u of the parent changed", i);
  }
}

/* A chain of generations, each forking the next, each collecting. */
static void
generations(void) {
  make_before();
  for (unsigned depth = 0; depth < 12; depth++) {
    pid_t pid = fork();
    if (pid) {
      int code = wait_for_child(pid, "generation");
      if (depth)
        _exit(code);
      CHECK(code == 0, "a generation exited with %d", code);
      return;
    }
    alarm((unsigned)hz_limit(12));
    int code = use_inherited_heap(depth % 7 + 1);
    if (code)
      _exit(code);
    make_before();
  }
  _exit(0);
}

static const struct hz_case cases[] = {
  {"fork_from_main", fork_from_main, 0, 30},
  {"fork_from_thread", fork_from_thread, 0, 25},
  {"fork_from_two_threads", fork_from_two_threads, 0, 25},
  {"fork_handlers", fork_handlers, 0, 25},
  {"memory_is_separate", memory_is_separate, 0, 0},
  {"generations", generations, 0, 20},
  {0},
};

HZ_MAIN("forkstorm", cases)
