/* SPDX-License-Identifier: MIT */
/*
 * Uses of signals that must be as without the library, most of them of the very signal that stops threads.
 * signals.sh runs each case without and with the library and compares what they print; a case that has no
 * collector does not collect.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern int cgc_collect(void) __attribute__((weak));

enum { OURS = 58, FIRST = 34, LAST = 64, THREADS = 3 };   /* the default of option stop-signal */

static atomic_int must_end, ready, taken[LAST + 1];

static void
expect(bool is_so, const char *what, int line) {
  if (is_so)
    return;
  printf("line %d: not so: %s\n", line, what);
  fflush(stdout);
  _exit(1);
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)

static void
collect(void) {
  if (cgc_collect)
    EXPECT(cgc_collect() == 0);
}

static void
await(atomic_int *counter, int value) {
  for (int ms = 0; atomic_load(counter) < value; ms++) {
    EXPECT(ms < 20000);
    usleep(1000);
  }
}

/* ---- sets ---- */

static sigset_t
set_of(const int *signals) {
  sigset_t set;
  sigemptyset(&set);
  for (; *signals; signals++)
    sigaddset(&set, *signals);
  return set;
}
#define SET(...) set_of((const int[]){__VA_ARGS__, 0})

static sigset_t
full_set(void) {
  sigset_t set;
  sigfillset(&set);
  return set;
}

static void
print_set(const char *name, const sigset_t *set) {
  printf("%s:", name);
  for (int i = 1; i <= LAST; i++)
    if (sigismember(set, i) == 1)
      printf(" %d", i);
  printf("\n");
}

static void
print_mask(const char *name) {
  sigset_t set;
  EXPECT(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0);
  print_set(name, &set);
}

static void
change(int how, sigset_t set) {
  sigset_t before;
  EXPECT(sigprocmask(how, &set, &before) == 0);
  print_set("before", &before);
  print_mask("now");
}

/* ---- threads ---- */

static void *
spin(void *arg) {
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    free(malloc(100));
  return arg;
}

static void *
spin_blocked(void *arg) {
  sigset_t all = full_set();
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  return spin(arg);
}

static pthread_t threads[THREADS];

static void
start_threads(void *(*function)(void *)) {
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_create(&threads[i], NULL, function, NULL) == 0);
  await(&ready, THREADS);
}

static void
end_threads(void) {
  atomic_store(&must_end, 1);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static void
count(int signal, siginfo_t *info, void *context) {
  (void)context;
  atomic_fetch_add(&taken[signal], 1 + info->si_value.sival_int);
}

static void
handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  EXPECT(sigaction(signal, &action, NULL) == 0);
}

/* ---- masks ---- */

static void
masks(void) {
  change(SIG_SETMASK, full_set());
  change(SIG_UNBLOCK, SET(OURS - 1));       /* a neighbour only */
  change(SIG_UNBLOCK, SET(OURS - 2, OURS - 3));
  change(SIG_UNBLOCK, full_set());
  change(SIG_BLOCK, SET(OURS));             /* ours only */
  collect();
  change(SIG_BLOCK, SET(OURS - 1, OURS + 1));
  change(SIG_UNBLOCK, SET(OURS));
  change(SIG_SETMASK, SET(FIRST, FIRST + 1, LAST - 1, LAST, OURS, SIGUSR1, SIGKILL));
  sigset_t set = SET(OURS);
  EXPECT(sigprocmask(99, &set, NULL) == -1 && errno == EINVAL);
  EXPECT(pthread_sigmask(99, &set, NULL) == EINVAL);
  EXPECT(pthread_sigmask(99, NULL, &set) == 0);
  EXPECT(sighold(OURS - 4) == 0 && sigrelse(OURS) == 0);
  EXPECT(sighold(0) == -1 && errno == EINVAL);
  print_mask("held");
}

/* Every signal blocked alone, and every signal left out, by a new process each. */
static void
masks_of_one(void) {
  for (int i = 1; i <= LAST; i++) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      sigset_t rest = full_set();
      sigdelset(&rest, i);
      change(SIG_SETMASK, SET(i));
      change(SIG_SETMASK, rest);
      fflush(stdout);
      _exit(0);
    }
    EXPECT(waitpid(child, NULL, 0) == child);
  }
}

static void *
print_inherited(void *arg) {
  print_mask("thread");
  return arg;
}

static void
masks_carried(void) {
  sigjmp_buf jump;
  pthread_t thread;
  change(SIG_SETMASK, full_set());
  if (sigsetjmp(jump, 1) == 0) {
    change(SIG_SETMASK, SET(SIGUSR1));
    siglongjmp(jump, 1);
  }
  print_mask("after a jump");
  pthread_create(&thread, NULL, print_inherited, NULL);
  pthread_join(thread, NULL);
  pthread_attr_t attributes;
  sigset_t set = SET(OURS, SIGUSR2), got;
  pthread_attr_init(&attributes);
  pthread_attr_setsigmask_np(&attributes, &set);
  pthread_attr_getsigmask_np(&attributes, &got);
  print_set("attributes", &got);
  pthread_create(&thread, &attributes, print_inherited, NULL);
  pthread_join(thread, NULL);
  fflush(stdout);
  if (fork() == 0) {
    print_mask("child");
    exit(0);
  }
  wait(NULL);
}

/* ---- dispositions ---- */

static void
print_action(int signal) {
  struct sigaction action;
  EXPECT(sigaction(signal, NULL, &action) == 0);
  printf("%d: %s flags %x", signal,
         action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored"
         : action.sa_sigaction == count ? "count" : "another",
         (unsigned)action.sa_flags & ~0x04000000u);
  print_set(" mask", &action.sa_mask);
}

static void
on_plain(int signal) {
  atomic_fetch_add(&taken[signal], 1);
}

static void
dispositions_of(int signal) {
  struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_NODEFER};
  action.sa_mask = full_set();
  EXPECT(sigaction(signal, &action, NULL) == 0);
  print_action(signal);
  action.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK | SA_RESTART);
  action.sa_handler = on_plain;
  action.sa_mask = SET(OURS, OURS - 1);
  EXPECT(sigaction(signal, &action, NULL) == 0);
  print_action(signal);
  collect();
  raise(signal);
  EXPECT(taken[signal] == 1);
  print_action(signal);
  action.sa_handler = SIG_IGN;
  EXPECT(sigaction(signal, &action, NULL) == 0);
  raise(signal);
  print_action(signal);
  action.sa_handler = SIG_DFL;
  action.sa_flags = 0;
  struct sigaction before;
  EXPECT(sigaction(signal, &action, &before) == 0 && before.sa_handler == SIG_IGN);
  print_action(signal);
}

static void
dispositions(void) {
  start_threads(spin);
  collect();
  for (int i = FIRST; i <= LAST; i++)
    print_action(i);
  dispositions_of(OURS);
  dispositions_of(OURS - 1);
  dispositions_of(SIGUSR1);
  struct sigaction action = {.sa_handler = on_plain};
  static const int bad[] = {-1, 0, SIGKILL, SIGSTOP, 32, 33, 65};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    errno = 0;
    printf("%d: %d", bad[i], sigaction(bad[i], &action, NULL));
    printf(" %s", strerror(errno));
    printf(" %d\n", signal(bad[i], on_plain) == SIG_ERR);
  }
  end_threads();
}

static void
print_old(const char *call, sighandler_t old, int signal) {
  printf("%s: %s, ", call, old == SIG_DFL ? "default" : old == SIG_IGN ? "ignored" : old == on_plain ? "plain"
         : old == SIG_HOLD ? "hold" : old == SIG_ERR ? "error" : "another");
  print_action(signal);
}

/* The relatives of sigaction. */
static void
relatives(void) {
  static const int signals[] = {SIGUSR1, OURS};
  for (size_t i = 0; i < 2; i++) {
    int number = signals[i];
    print_old("signal", signal(number, on_plain), number);
    EXPECT(siginterrupt(number, 1) == 0);
    print_old("interrupt", SIG_DFL, number);
    print_old("signal", signal(number, on_plain), number);
    EXPECT(siginterrupt(number, 0) == 0);
    print_old("bsd", ssignal(number, on_plain), number);
    print_old("sysv", sysv_signal(number, on_plain), number);
    print_old("hold", sigset(number, SIG_HOLD), number);
    print_mask("mask");
    print_old("hold", sigset(number, SIG_HOLD), number);
    print_old("sigset", sigset(number, on_plain), number);
    print_old("sigset", sigset(number, SIG_DFL), number);
    print_mask("mask");
    EXPECT(sigignore(number) == 0);
    print_old("error", signal(number, SIG_ERR), number);
    print_old("default", signal(number, SIG_DFL), number);
  }
}

/* ---- the program's own use of the signal ---- */

static void
send_all(int rounds) {
  for (int i = 0; i < rounds; i++) {
    for (int t = 0; t < THREADS; t++)
      EXPECT(pthread_sigqueue(threads[t], OURS, (union sigval){.sival_int = 2}) == 0);
    collect();
  }
}

static void
handler_late(void) {
  start_threads(spin);
  collect();
  handle(OURS, count, SA_RESTART);
  send_all(50);
  await(&taken[OURS], 3 * 50 * THREADS);
  EXPECT(raise(OURS) == 0 && taken[OURS] == 3 * 50 * THREADS + 1);
  end_threads();
}

static sigset_t unblocked_later;
static atomic_int may_unblock;

static void *
spin_until_unblocked(void *arg) {
  sigset_t all = full_set(), pending;
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&may_unblock))
    free(malloc(100));
  sigpending(&pending);
  EXPECT(sigismember(&pending, OURS) == 1);
  pthread_sigmask(SIG_UNBLOCK, &unblocked_later, NULL);
  return spin(arg);
}

/* Threads that block all signals get theirs when they unblock it, and can be stopped meanwhile. */
static void
handler_blocked(void) {
  unblocked_later = SET(OURS);
  start_threads(spin_until_unblocked);
  collect();
  handle(OURS, count, SA_RESTART);
  for (int i = 0; i < THREADS; i++)
    pthread_kill(threads[i], OURS);
  usleep(20 * 1000);
  for (int i = 0; i < 20; i++)
    collect();
  EXPECT(taken[OURS] == 0);
  atomic_store(&may_unblock, 1);
  await(&taken[OURS], THREADS);
  await(&ready, 2 * THREADS);
  collect();
  end_threads();
  EXPECT(taken[OURS] == THREADS);
}

/* A system call that the library does not see. */
static long
call_system(long number, long a, const void *b, const void *c, long d) {
  register long fourth __asm__("r10") = d;
  __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
  return number;
}

static void *
nap_blocked(void *arg) {
  uint64_t all = ~(uint64_t)0;
  struct timespec nap = {.tv_nsec = 100000000};   /* much longer than a cycle of any build takes */
  EXPECT(call_system(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all) == 0);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    EXPECT(call_system(SYS_nanosleep, (long)&nap, NULL, NULL, 0) == 0);
  return arg;
}

/* Threads that block all signals and sleep count as stopped; they wake up in some of the collections. */
static void
naps_blocked(void) {
  start_threads(nap_blocked);
  time_t end = time(NULL) + 2;
  while (time(NULL) < end)
    collect();
  end_threads();
}

static void
by_default(void) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    start_threads(spin);
    collect();
    kill(getpid(), OURS);
    sleep(5);
    _exit(0);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == OURS);
}

static void
ignored(void) {
  start_threads(spin);
  collect();
  signal(OURS, SIG_IGN);
  for (int i = 0; i < 20; i++) {
    kill(getpid(), OURS);
    raise(OURS);
    collect();
  }
  end_threads();
}

static atomic_int nested, deepest;

static void
on_nested(int signal, siginfo_t *info, void *context) {
  int depth = atomic_fetch_add(&nested, 1) + 1;
  if (depth > deepest)
    deepest = depth;
  if (depth < 4)
    raise(signal);
  atomic_fetch_sub(&nested, 1);
  count(signal, info, context);
}

/* A program with a handler for everything shares one with the collector. */
static void
handlers_for_all(void) {
  for (int i = FIRST; i <= LAST; i++)
    handle(i, count, SA_RESTART);
  start_threads(spin_blocked);
  for (int i = 0; i < 20; i++) {
    for (int s = FIRST; s <= LAST; s++)
      EXPECT(raise(s) == 0 && taken[s] == i + 1);
    collect();
  }
  for (int s = FIRST; s <= LAST; s++)
    print_action(s);
  for (int s = FIRST; s <= LAST; s++) {
    deepest = 0;
    handle(s, on_nested, SA_NODEFER);
    EXPECT(raise(s) == 0 && deepest == 4 && nested == 0);
    handle(s, count, (int)SA_RESETHAND);
    collect();
    EXPECT(raise(s) == 0);
    print_action(s);
    handle(s, count, SA_RESTART);
    collect();
  }
  end_threads();
}

/* A thread that was there before another signal was chosen, by a use other than a handler. */
static void
moved_early(void) {
  start_threads(spin);
  change(SIG_BLOCK, SET(OURS));
  collect();
  print_action(OURS);
  end_threads();
}

static void
attributes(void) {
  sigset_t all = full_set();
  pthread_attr_t blocked;
  pthread_attr_init(&blocked);
  pthread_attr_setsigmask_np(&blocked, &all);
  for (int i = 0; i < THREADS; i++)
    EXPECT(pthread_create(&threads[i], &blocked, spin, NULL) == 0);
  await(&ready, THREADS);
  collect();
  end_threads();
}

static sigset_t mask_inside;

static void
on_stay(int signal) {
  (void)signal;
  pthread_sigmask(SIG_BLOCK, NULL, &mask_inside);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    ;
}

/* Threads can be stopped inside of handlers that block everything. */
static void
handlers_that_stay(void) {
  struct sigaction action = {.sa_handler = on_stay};
  action.sa_mask = full_set();
  EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
  start_threads(spin);
  pthread_kill(threads[0], SIGUSR1);
  await(&ready, THREADS + 1);
  print_set("inside", &mask_inside);
  collect();
  handle(OURS, count, SA_RESTART);
  pthread_kill(threads[1], SIGUSR1);
  await(&ready, THREADS + 2);
  print_set("inside", &mask_inside);
  collect();
  end_threads();
}

/* ---- waiting for it ---- */

static void
await_set(sigset_t set) {
  siginfo_t info;
  int number;
  EXPECT(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
  for (int i = 0; i < 20; i++) {
    kill(getpid(), OURS);
    EXPECT(sigwait(&set, &number) == 0 && number == OURS);
    sigqueue(getpid(), OURS, (union sigval){.sival_int = i});
    EXPECT(sigwaitinfo(&set, &info) == OURS && info.si_value.sival_int == i);
    collect();
  }
  EXPECT(sigtimedwait(&set, &info, &(struct timespec){0}) == -1 && errno == EAGAIN);
}

static void
waits(void) {
  sigset_t set = SET(OURS);
  await_set(set);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  await_set(SET(54, 55, 56, 57, OURS, 59, 60, 61, 62, 63));
}

static void
descriptors(void) {
  sigset_t set = SET(54, 55, 56, 57, OURS, 59, 60, 61, 62, 63);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  EXPECT(fd >= 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  start_threads(spin);
  struct signalfd_siginfo info;
  for (int i = 0; i < 20; i++) {
    collect();
    EXPECT(read(fd, &info, sizeof info) == -1 && errno == EAGAIN);
    kill(getpid(), OURS);
    EXPECT(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == OURS);
  }
  errno = 0;
  EXPECT(signalfd(-2, &set, 0) == -1 && errno == EBADF);
  end_threads();
}

/* ---- handlers and slow paths ---- */

/* Large blocks: their allocation is a slow path always. */
static void
use_memory(void) {
  enum { BYTES = 100 * 1000 };
  char *block = malloc(BYTES);
  memset(block, 1, BYTES);
  block = realloc(block, 3 * BYTES);
  block[3 * BYTES - 1] = 1;
  free(block);
}

static sigjmp_buf way_out;
static atomic_int may_jump, jumps, forks;
static pthread_t main_thread;

static void
on_storm(int signal, siginfo_t *info, void *context) {
  use_memory();
  count(signal, info, context);
  if (atomic_load(&taken[signal]) % 500 == 0) {
    pid_t child = _Fork();   /* fork is not to be called in handlers */
    if (child == 0) {
      use_memory();
      _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status == 0)
      atomic_fetch_add(&forks, 1);
  }
  if (atomic_exchange(&may_jump, 0)) {
    atomic_fetch_add(&jumps, 1);
    siglongjmp(way_out, 1);
  }
}

enum { STORM = 600, STORM_SUM = 4 * STORM };

static void *
send_storm(void *arg) {
  sigset_t all = full_set();
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  for (int i = 0; i < STORM; i++) {
    while (pthread_sigqueue(main_thread, i % 2 ? SIGUSR1 : OURS, (union sigval){.sival_int = 3}))
      usleep(100);
    int limit = i + 1;
    for (int us = 0; taken[SIGUSR1] + taken[OURS] < 4 * limit && us < 20000; us++)
      usleep(10);
  }
  return arg;
}

/* A handler that allocates, forks, and leaves by a jump, in the middle of allocations. */
static void
storm(void) {
  pthread_t sender;
  if (!cgc_collect)
    return;   /* libc's malloc may hang */
  main_thread = pthread_self();
  handle(SIGUSR1, on_storm, SA_RESTART);
  handle(OURS, on_storm, SA_RESTART);
  EXPECT(pthread_create(&sender, NULL, send_storm, NULL) == 0);
  while (taken[SIGUSR1] + taken[OURS] < STORM_SUM) {
    if (sigsetjmp(way_out, 1) == 0)
      atomic_store(&may_jump, 1);
    for (int i = 0; i < 20; i++)
      use_memory();
    atomic_store(&may_jump, 0);
  }
  pthread_join(sender, NULL);
  EXPECT(taken[SIGUSR1] + taken[OURS] == STORM_SUM && jumps > 0 && forks > 0);
  collect();
}

/* ---- exec ---- */

static void
run_self(const char *how) {
  char *arguments[] = {"signals", "inherited", NULL};
  fflush(stdout);
  if (!strcmp(how, "execl"))
    execl("/proc/self/exe", "signals", "inherited", NULL);
  else if (!strcmp(how, "execlp"))
    execlp("/proc/self/exe", "signals", "inherited", NULL);
  else if (!strcmp(how, "execle"))
    execle("/proc/self/exe", "signals", "inherited", NULL, environ);
  else if (!strcmp(how, "execvp"))
    execvp("/proc/self/exe", arguments);
  else
    execv("/proc/self/exe", arguments);
  _exit(1);
}

static void
inherited(void) {
  print_mask("mask");
  for (int i = 1; i <= LAST; i++)
    if (i != 32 && i != 33) {
      struct sigaction action;
      EXPECT(sigaction(i, NULL, &action) == 0);
      if (action.sa_handler != SIG_DFL)
        print_action(i);
    }
}

/* Without the library in the new program, so that the kernel's own state is seen. */
static void
exec(void) {
  unsetenv("LD_PRELOAD");
  static const char *const how[] = {"execl", "execlp", "execle", "execv", "execvp"};
  char *nothing[] = {NULL};
  start_threads(spin);
  collect();
  handle(SIGUSR1, count, 0);
  signal(SIGHUP, SIG_IGN);
  signal(OURS, SIG_IGN);
  change(SIG_SETMASK, full_set());
  for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
    fflush(stdout);
    pid_t child = i % 2 ? fork() : vfork();
    if (child == 0)
      run_self(how[i]);
    EXPECT(waitpid(child, NULL, 0) == child);
    EXPECT(execv("/nonexistent", nothing) == -1 && errno == ENOENT);
    collect();
  }
  print_mask("mask");
  print_action(OURS);
  pthread_kill(threads[0], OURS);
  collect();
}

static void *
collect_for_ever(void *arg) {
  for (;;)
    collect();
  return arg;
}

/* A stop signal that is still pending would end the new program. */
static void
exec_while_collecting(void) {
  enum { TURNS = 200 };
  fflush(stdout);
  for (int i = 0; i < TURNS; i++) {
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, collect_for_ever, NULL);
      usleep((useconds_t)i * 10);
      execl("/bin/true", "true", NULL);
      _exit(1);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
}

/* The same for libc's calls, whose child shares the parent's memory until it execs. */
static void
spawned(void) {
  unsetenv("LD_PRELOAD");
  char path[4096] = "", command[4200];
  EXPECT(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
  snprintf(command, sizeof command, "'%s' inherited", path);
  char *arguments[] = {"signals", "inherited", NULL};
  start_threads(spin);
  collect();
  for (int turn = 0; turn < 2; turn++) {
    change(SIG_SETMASK, turn ? SET(SIGUSR1) : full_set());
    fflush(stdout);
    pid_t child;
    EXPECT(posix_spawn(&child, path, NULL, NULL, arguments, environ) == 0 && waitpid(child, NULL, 0) == child);
    EXPECT(posix_spawnp(&child, path, NULL, NULL, arguments, environ) == 0 && waitpid(child, NULL, 0) == child);
    EXPECT(posix_spawn(&child, "/nonexistent", NULL, NULL, arguments, environ) == ENOENT);
    EXPECT(system(command) == 0);
    FILE *stream = popen(command, "w");
    EXPECT(stream && pclose(stream) == 0);
    collect();
    print_mask("mask");
  }
  end_threads();
}

static void
started_blocked(void) {
  inherited();
  start_threads(spin);
  collect();
  print_mask("mask");
  end_threads();
}

static void
exec_blocked(void) {
  change(SIG_SETMASK, full_set());
  fflush(stdout);
  if (vfork() == 0) {
    execl("/proc/self/exe", "signals", "started_blocked", NULL);
    _exit(1);
  }
  wait(NULL);
  change(SIG_SETMASK, SET(OURS));
  fflush(stdout);
  execl("/proc/self/exe", "signals", "started_blocked", NULL);
}

/* A vfork child sets up its signals on its parent's memory. */
static void
vforked(void) {
  handle(SIGUSR1, count, SA_RESTART);
  handle(OURS, count, SA_RESTART);
  pid_t child = vfork();
  if (child == 0) {
    struct sigaction action = {.sa_handler = on_plain}, old;
    sigaction(SIGUSR1, &action, &old);
    bool is_seen = old.sa_sigaction == count;
    sigaction(SIGUSR1, NULL, &old);
    _exit(is_seen && old.sa_handler == on_plain && signal(OURS, SIG_DFL) == (sighandler_t)(void *)count);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1);
  print_action(SIGUSR1);
  print_action(OURS);
  raise(SIGUSR1);
  EXPECT(taken[SIGUSR1] == 1);
}

static uintptr_t hidden_block;
static atomic_int vfork_child;

static void *
kill_vfork_child(void *arg) {
  await(&vfork_child, 1);
  usleep(20000);
  kill(atomic_load(&vfork_child), SIGKILL);
  return arg;
}

/* Not where the thread allocates next. */
static bool
hide_block(void) {
  void *volatile block = NULL;
  for (int i = 0; i < 1000; i++) {
    void *next = malloc(100);
    if (i == 500)
      block = memset(next, 0x5a, 100);
  }
  hidden_block = ~(uintptr_t)block;
  return true;
}

/* No malloc and no call that may block while the other collects; then the slot, if it is free, is used. */
static bool
is_intact(void) {
  const unsigned char *volatile block = (unsigned char *)~hidden_block;
  hidden_block = 0;
  atomic_store(&ready, 1);
  while (!atomic_load(&must_end))
    ;
  for (int i = 0; i < 1000; i++)
    memset(malloc(100), 0xff, 100);
  bool result = true;
  for (int i = 0; i < 100; i++)
    result &= block[i] == 0x5a;
  return result;
}

/* So deep that the frames of shallow calls do not reach there. */
__attribute__((noinline)) static bool
in_deep_frame(bool (*function)(void)) {
  char padding[16384];
  memset(padding, 0, sizeof padding);
  bool result = function();
  __asm__ volatile("" ::"r"(padding) : "memory");
  return result;
}

static void *
collect_beside(void *arg) {
  await(&ready, 1);
  for (int i = 0; i < 5; i++)
    collect();
  atomic_store(&must_end, 1);
  return arg;
}

/* A child that is killed in a call that may block: its parent runs again, and must be stopped as it runs. */
static void
vfork_killed(void) {
  pthread_t killer, collector;
  EXPECT(pthread_create(&killer, NULL, kill_vfork_child, NULL) == 0);
  EXPECT(pthread_create(&collector, NULL, collect_beside, NULL) == 0);
  in_deep_frame(hide_block);
  if (vfork() == 0) {
    atomic_store(&vfork_child, getpid());
    for (;;)
      pause();
  }
  EXPECT(in_deep_frame(is_intact));
  EXPECT(wait(NULL) == atomic_load(&vfork_child));
  pthread_join(killer, NULL);
  pthread_join(collector, NULL);
}

/* ---- faults, stacks ---- */

static void
on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  char here;
  stack_t stack;
  sigaltstack(NULL, &stack);
  printf("signal %d code %d on %s stack\n", signal, info->si_code,
         (uintptr_t)&here - (uintptr_t)stack.ss_sp < stack.ss_size ? "the alternate" : "the usual");
  siglongjmp(way_out, 1);
}

static void
faults(void) {
  enum { STACK_BYTES = 64 * 1024 };
  stack_t stack = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
  EXPECT(sigaltstack(&stack, NULL) == 0);
  volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  start_threads(spin);
  for (volatile int i = 0; i < 6; i++) {
    handle(SIGSEGV, on_fault, i % 2 ? SA_ONSTACK : 0);
    handle(OURS, on_fault, i % 2 ? 0 : SA_ONSTACK);
    if (sigsetjmp(way_out, 1) == 0)
      *nowhere = 1;
    if (sigsetjmp(way_out, 1) == 0)
      raise(OURS);
    collect();
    print_mask("mask");
  }
  end_threads();
}

/* ---- threads that end in a handler ---- */

static void
note_cleanup(void *arg) {
  (void)arg;
  printf("cleaned up\n");
}

static void
on_exit_thread(int signal) {
  (void)signal;
  pthread_exit(NULL);
}

static void *
spin_cleaned_up(void *arg) {
  pthread_cleanup_push(note_cleanup, NULL);
  spin(NULL);
  pthread_cleanup_pop(0);
  return arg;
}

/* The unwinder finds its way from a handler through the frames below it. */
static void
exits(void) {
  signal(SIGUSR1, on_exit_thread);
  signal(OURS, on_exit_thread);
  start_threads(spin_cleaned_up);
  for (int i = 0; i < THREADS; i++) {
    collect();
    pthread_kill(threads[i], i % 2 ? OURS : SIGUSR1);
    pthread_join(threads[i], NULL);
  }
  collect();
}

/* ---- alternate stacks that are none ---- */

enum { DEAD_STACK_BYTES = 64 * 1024 };

/* The array dies with this function, as asymptote's does. */
__attribute__((noinline)) static void
set_dying_stack(void) {
  char array[DEAD_STACK_BYTES];
  EXPECT(sigaltstack(&(stack_t){.ss_sp = array, .ss_size = sizeof array}, NULL) == 0);
  __asm__ volatile("" : : "r"(array) : "memory");
}

static void *
collect_often(void *arg) {
  while (!atomic_load(&must_end)) {
    collect();
    usleep(500);
  }
  return arg;
}

/* Its frame covers where the array was. */
__attribute__((noinline)) static bool
is_left_alone(void) {
  enum { WORDS = 2 * DEAD_STACK_BYTES / sizeof(long) };
  volatile long words[WORDS];
  bool is_alone = true;
  for (long i = 0; i < WORDS; i++)
    words[i] = i;
  for (int turn = 0; turn < 500; turn++) {
    for (long k = 0; k < 500000; k++)   /* signals that stop threads are taken here as well */
      __asm__ volatile("");
    for (long i = 0; i < WORDS; i++)
      is_alone = is_alone && words[i] == i;
  }
  return is_alone;
}

static void
dead_alternate_stack(void) {
  pthread_t collector;
  EXPECT(pthread_create(&collector, NULL, collect_often, NULL) == 0);
  set_dying_stack();
  EXPECT(is_left_alone());
  atomic_store(&must_end, 1);
  pthread_join(collector, NULL);
}

/* ---- alternate stacks that threads cannot be stopped on ---- */

static void
stop_often(void *(*function)(void *), int turns) {
  start_threads(function);
  for (int turn = 0; turn < turns; turn++) {
    collect();
    usleep(100);
  }
  end_threads();
}


static char shared_stack[DEAD_STACK_BYTES];

/* As Varnish gives its threads, for a signal after which none goes on. */
static void *
spin_on_shared_stack(void *arg) {
  const pthread_t self = pthread_self();
  const stack_t stack = {.ss_sp = shared_stack, .ss_size = sizeof shared_stack};
  EXPECT(sigaltstack(&stack, NULL) == 0);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end)) {
    for (long k = 0; k < 100000; k++)   /* signals that stop threads are taken here */
      __asm__ volatile("");
    EXPECT(pthread_equal(self, pthread_self()));
  }
  return arg;
}

static void
shared_alternate_stack(void) {
  stop_often(spin_on_shared_stack, 500);
}

/* The sizes that programs give, some of which have never had to take one: the words that the processor's vector registers
 * are saved in have become more since. */
static void *
spin_on_small_stack(void *arg) {
  enum { BYTES_MAX = 8192 };
  static const size_t sizes[THREADS] = {2048, 4096, BYTES_MAX};
  static atomic_int next;
  size_t bytes = sizes[atomic_fetch_add(&next, 1)];
  char *block = malloc(BYTES_MAX + bytes);   /* the stack at its end */
  memset(block, 0x55, BYTES_MAX + bytes);
  EXPECT(sigaltstack(&(stack_t){.ss_sp = block + BYTES_MAX, .ss_size = bytes}, NULL) == 0);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&must_end))
    for (long k = 0; k < 100000; k++)   /* signals that stop threads are taken here */
      __asm__ volatile("");
  for (int i = 0; i < BYTES_MAX; i++)
    EXPECT(block[i] == 0x55);
  return arg;
}

static void
small_alternate_stack(void) {
  stop_often(spin_on_small_stack, 100);
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
  {"masks", masks}, {"masks_of_one", masks_of_one}, {"masks_carried", masks_carried},
  {"dispositions", dispositions}, {"relatives", relatives},
  {"handler_late", handler_late}, {"handler_blocked", handler_blocked}, {"naps_blocked", naps_blocked},
  {"by_default", by_default},
  {"ignored", ignored}, {"handlers_for_all", handlers_for_all}, {"waits", waits},
  {"descriptors", descriptors}, {"storm", storm}, {"exec", exec}, {"inherited", inherited},
  {"started_blocked", started_blocked}, {"exec_blocked", exec_blocked}, {"spawned", spawned},
  {"exec_while_collecting", exec_while_collecting}, {"attributes", attributes},
  {"moved_early", moved_early}, {"handlers_that_stay", handlers_that_stay},
  {"vforked", vforked}, {"vfork_killed", vfork_killed}, {"faults", faults}, {"exits", exits},
  {"dead_alternate_stack", dead_alternate_stack},
  {"shared_alternate_stack", shared_alternate_stack}, {"small_alternate_stack", small_alternate_stack},
};

int
main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (argc < 2)
      puts(cases[i].name);
    else if (!strcmp(argv[1], cases[i].name)) {
      cases[i].run();
      return 0;
    }
  }
  return argc > 1;
}
