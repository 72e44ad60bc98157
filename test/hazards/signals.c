/* SPDX-License-Identifier: MIT */
/* signals - programs that use signals themselves.
   Daemons block everything and sit in sigwait or signalfd; runtimes take faults on alternate stacks and
   siglongjmp out; profilers tick at 1 kHz; message systems count queued real-time signals. A collector
   that stops threads by a signal must keep it out of the program's masks, dispositions, waits and
   counts, must stop threads that block everything (or give up that cycle), and its handler may disturb
   neither errno nor floating-point state nor the red zone. */
#include "hazard.h"

#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/time.h>

static atomic_int stop;
static struct hz_chain chain;

static void
put_local(void *arg) {
  *(void *volatile *)arg = chain_make(&chain, 1);
}

/* The signals a program may use: all but KILL, STOP and those libc keeps to itself. */
static bool
is_usable(int sig) {
  return sig != SIGKILL && sig != SIGSTOP && (sig < 32 || (sig >= SIGRTMIN && sig <= SIGRTMAX));
}

static void
full_set(sigset_t *set) {
  sigfillset(set);
}

/* ---- nothing of ours shows ---- */

static unsigned long long
status_mask(const char *field) {
  char text[4096], *at;
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  close(fd);
  if (n < 0)
    return 0;
  text[n] = 0;
  at = strstr(text, field);
  return at ? strtoull(at + strlen(field), NULL, 16) : 0;
}

static void
expect_default_dispositions(const char *when) {
  unsigned long long ignored = status_mask("SigIgn:");
  for (int sig = 1; sig <= SIGRTMAX; sig++) {
    struct sigaction old;
    if (!is_usable(sig) || sigaction(sig, NULL, &old))
      continue;
    bool ignore = ignored >> (sig - 1) & 1;
    CHECK(old.sa_handler == (ignore ? SIG_IGN : SIG_DFL),
          "%s: signal %d shows a handler that the program did not install", when, sig);
  }
}

static void
foreign_handlers(void) {
  expect_default_dispositions("at start");
  settle();
  expect_default_dispositions("after collections");
  struct hz_collector c;
  collector_start(&c, 0);
  hz_sleep_ms(50);
  expect_default_dispositions("during collections");
  collector_stop(&c);
  if (status_mask("SigCgt:") & 0x7fffffff)
    NOTE("the kernel shows caught signals %llx below 32", status_mask("SigCgt:") & 0x7fffffff);
}

/* What the program sets is what it gets back: masks, dispositions, pending signals. */
static void
masks_read_back(void) {
  struct hz_collector c;
  collector_start(&c, 0);
  for (int round = 0; round < 200; round++) {
    sigset_t set, old;
    full_set(&set);
    if (round % 2)
      sigprocmask(SIG_SETMASK, &set, NULL);
    else
      pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &old);
    for (int sig = 1; sig <= SIGRTMAX; sig++)
      if (is_usable(sig))
        CHECK(sigismember(&old, sig) == 1, "signal %d was blocked but does not show so", sig);
    sigpending(&old);
    for (int sig = 1; sig <= SIGRTMAX; sig++)
      CHECK(!is_usable(sig) || !sigismember(&old, sig), "signal %d is pending", sig);
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigprocmask(SIG_BLOCK, NULL, &old);
    for (int sig = 1; sig <= SIGRTMAX; sig++)
      CHECK(!is_usable(sig) || !sigismember(&old, sig), "signal %d shows as blocked", sig);
    if (round % 20 == 0)
      hz_sleep_ms(1);
  }
  collector_stop(&c);
  for (int sig = 1; sig <= SIGRTMAX; sig++) {
    if (!is_usable(sig))
      continue;
    struct sigaction set = {.sa_handler = SIG_IGN}, old;
    sigaction(sig, &set, NULL);
    sigaction(sig, NULL, &old);
    CHECK(old.sa_handler == SIG_IGN, "signal %d was ignored but does not show so", sig);
  }
  settle();   /* with everything ignored */
  for (int sig = 1; sig <= SIGRTMAX; sig++)
    if (is_usable(sig))
      signal(sig, SIG_DFL);
  settle();
}

/* ---- threads that block everything ---- */

static void *
blocking_main(void *arg) {
  unsigned n = (unsigned)(uintptr_t)arg;
  struct hz_chain mine;
  void *volatile local = chain_make(&mine, n);
  sigset_t set;
  full_set(&set);
  if (n & 1)
    pthread_sigmask(SIG_SETMASK, &set, NULL);
  else
    sigprocmask(SIG_SETMASK, &set, NULL);
  while (!atomic_load(&stop)) {
    churn_light(n++);
    if (n % 64 == 0)
      hz_sleep_ms(2);
  }
  chain_check(&mine, "stack of a thread that blocks all signals");
  CHECK(chain_is_head(&mine, local), "the local changed");
  return NULL;
}

static void
all_blocked(void) {
  pthread_t t[4];
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], blocking_main, (void *)i);
  hz_sleep_ms(20);
  for (int i = 0; i < 50; i++) {
    CHECK(collect_once() == 0, "a collection failed: threads block all signals");
    churn_light((unsigned)i);
  }
  settle();
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
}

/* As libc does inside posix_spawn and in its helper threads: past every wrapper. */
static void *
raw_blocking_main(void *arg) {
  (void)arg;
  struct hz_chain mine;
  void *volatile local = chain_make(&mine, 4);
  unsigned long long full = ~0ull;
  register long result;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = 8;
  __asm__ volatile("syscall" : "=a"(result) : "0"(14L), "D"(2L), "S"(&full), "d"(0L), "r"(r10)
                   : "rcx", "r11", "memory");
#else
  result = syscall(SYS_rt_sigprocmask, SIG_SETMASK, &full, NULL, 8L);
#endif
  if (result)
    FAIL("rt_sigprocmask");
  unsigned n = 0;
  for (double end = hz_now() + 0.7; hz_now() < end;)
    churn_light(n++);
  full = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &full, NULL, 8L);
  while (!atomic_load(&stop)) {
    churn_light(n++);
    hz_sleep_ms(1);
  }
  chain_check(&mine, "stack of a thread that blocked all signals");
  CHECK(chain_is_head(&mine, local), "the local changed");
  return NULL;
}

static void
all_blocked_raw(void) {
  pthread_t t;
  hz_thread(&t, raw_blocking_main, NULL);
  hz_sleep_ms(20);
  double start = hz_now(), longest = 0;
  while (hz_now() - start < 0.9) {
    double before = hz_now();
    collect_once();   /* may be refused, may not take long */
    double took = hz_now() - before;
    longest = took > longest ? took : longest;
    churn_light(1);
  }
  CHECK(longest < hz_limit(3), "a collection took %.1f s", longest);
  settle();
  CHECK(collect_once() == 0, "collections still fail after signals were unblocked");
  atomic_store(&stop, 1);
  pthread_join(t, NULL);
}

/* ---- waiting for everything ---- */

static atomic_int waited, foreign, is_masked;
enum { WAITS = 400 };

static void *
sigwait_main(void *arg) {
  (void)arg;
  sigset_t set;
  full_set(&set);
  pthread_sigmask(SIG_SETMASK, &set, NULL);
  atomic_store(&is_masked, 1);
  while (atomic_load(&waited) < WAITS) {
    int sig = 0;
    int err = sigwait(&set, &sig);
    if (err || sig != SIGUSR1) {
      hz_bad("sigwait on a full set gave error %d, signal %d", err, sig);
      atomic_fetch_add(&foreign, 1);
      if (atomic_load(&foreign) > 20)
        return NULL;
      continue;
    }
    atomic_fetch_add(&waited, 1);
  }
  return NULL;
}

/* Else a signal would end this process. */
static void
await_mask(void) {
  while (!atomic_load(&is_masked))
    hz_sleep_ms(1);
}

static void
sigwait_full_set(void) {
  struct hz_collector c;
  pthread_t t;
  hz_thread(&t, sigwait_main, NULL);
  collector_start(&c, 1);
  await_mask();
  for (int i = 0; i < WAITS && !foreign; i++) {
    pthread_kill(t, SIGUSR1);
    for (int ms = 0; atomic_load(&waited) <= i && ms < 4000 && !foreign; ms++)
      hz_sleep_ms(ms < 5 ? 0 : 1);
    if (atomic_load(&waited) <= i && !foreign)
      FAIL("signal %d of %d was lost", i, WAITS);
  }
  stop_if_bad();
  collector_stop(&c);
  pthread_join(t, NULL);
}

static int signal_fd;

static void *
signalfd_main(void *arg) {
  (void)arg;
  sigset_t set;
  full_set(&set);
  pthread_sigmask(SIG_SETMASK, &set, NULL);
  atomic_store(&is_masked, 1);
  while (atomic_load(&waited) < WAITS) {
    struct pollfd p = {signal_fd, POLLIN, 0};
    struct signalfd_siginfo info;
    if (poll(&p, 1, 5000) != 1) {
      hz_bad("poll on a signalfd: %s", strerror(errno));
      return NULL;
    }
    if (read(signal_fd, &info, sizeof info) != sizeof info || info.ssi_signo != SIGUSR1) {
      hz_bad("a signalfd of all signals gave signal %u", info.ssi_signo);
      return NULL;
    }
    atomic_fetch_add(&waited, 1);
  }
  return NULL;
}

static void
signalfd_full_set(void) {
  struct hz_collector c;
  pthread_t t;
  sigset_t set;
  full_set(&set);
  signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
  hz_thread(&t, signalfd_main, NULL);
  collector_start(&c, 1);
  await_mask();
  for (int i = 0; i < WAITS; i++) {
    pthread_kill(t, SIGUSR1);
    for (int ms = 0; atomic_load(&waited) <= i && ms < 4000; ms++) {
      stop_if_bad();
      hz_sleep_ms(ms < 5 ? 0 : 1);
    }
    if (atomic_load(&waited) <= i)
      FAIL("signal %d of %d was lost", i, WAITS);
  }
  collector_stop(&c);
  pthread_join(t, NULL);
}

/* ---- handlers for everything ---- */

static atomic_int delivered[65];

static void
count_handler(int sig, siginfo_t *info, void *context) {
  (void)context;
  if (!info || info->si_signo != sig)
    abort();
  int saved = errno;
  atomic_fetch_add(&delivered[sig], 1);
  errno = saved;
}

static void
install_all(int flags) {
  struct sigaction sa = {.sa_sigaction = count_handler, .sa_flags = SA_SIGINFO | SA_RESTART | flags};
  for (int sig = 1; sig <= SIGRTMAX; sig++) {
    if (!is_usable(sig))
      continue;
    if (sigaction(sig, &sa, NULL))
      FAIL("sigaction(%d): %s", sig, strerror(errno));
    struct sigaction old;
    sigaction(sig, NULL, &old);
    CHECK(old.sa_sigaction == count_handler && (old.sa_flags & SA_SIGINFO),
          "signal %d reads back another handler", sig);
  }
}

/* SIGCONT and the stop signals cancel each other's pending ones in the whole process, so threads that
   raise them at the same time lose some. */
static bool
is_job_control(int sig) {
  return sig == SIGCONT || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

static void *
raise_main(void *arg) {
  int rounds = (int)(intptr_t)arg;
  for (int i = 0; i < rounds; i++) {
    for (int sig = 1; sig <= SIGRTMAX; sig++)
      if (is_usable(sig) && !is_job_control(sig) && raise(sig))
        FAIL("raise(%d): %s", sig, strerror(errno));
    churn_light((unsigned)i);
  }
  return NULL;
}

static void
raise_job_control(int rounds) {
  for (int i = 0; i < rounds; i++)
    for (int sig = SIGCONT; sig <= SIGTTOU; sig++)
      if (is_job_control(sig) && raise(sig))
        FAIL("raise(%d): %s", sig, strerror(errno));
}

static void
expect_counts(int want, const char *how) {
  for (int sig = 1; sig <= SIGRTMAX; sig++)
    if (is_usable(sig))
      CHECK(delivered[sig] == want, "%s: signal %d was handled %d times, raised %d times", how, sig,
            delivered[sig], want);
}

static void
handlers_for_all(void) {
  enum { ROUNDS = 100 };
  struct hz_collector c;
  pthread_t t[3];
  install_all(0);
  collector_start(&c, 0);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], raise_main, (void *)(intptr_t)ROUNDS);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  raise_job_control(ROUNDS * (int)HZ_COUNT(t));
  collector_stop(&c);
  expect_counts(ROUNDS * (int)HZ_COUNT(t), "raise");
}

static void *
alternate_raise_main(void *arg) {
  stack_t s = {.ss_size = 64 * 1024};
  s.ss_sp = malloc(s.ss_size);
  sigaltstack(&s, NULL);
  raise_main(arg);
  stack_t now;
  sigaltstack(NULL, &now);
  CHECK(now.ss_sp == s.ss_sp && now.ss_size == s.ss_size, "the alternate stack was replaced");
  s.ss_flags = SS_DISABLE;
  sigaltstack(&s, NULL);
  free(s.ss_sp);
  return NULL;
}

static void
handlers_on_alternate_stacks(void) {
  enum { ROUNDS = 60 };
  struct hz_collector c;
  pthread_t t[3];
  install_all(SA_ONSTACK);
  collector_start(&c, 0);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], alternate_raise_main, (void *)(intptr_t)ROUNDS);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  raise_job_control(ROUNDS * (int)HZ_COUNT(t));
  collector_stop(&c);
  expect_counts(ROUNDS * (int)HZ_COUNT(t), "raise on an alternate stack");
}

/* ---- flags of sigaction ---- */

static volatile sig_atomic_t depth, deepest, masked_inside;

static void
nest_handler(int sig) {
  depth = depth + 1;
  if (depth > deepest)
    deepest = depth;
  if (sig == SIGUSR1 && depth < 6)
    raise(SIGUSR1);    /* SA_NODEFER: at once */
  if (sig == SIGUSR2) {
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    masked_inside = sigismember(&now, SIGUSR2) && sigismember(&now, SIGALRM) &&
                    sigismember(&now, SIGRTMIN + 1) && !sigismember(&now, SIGUSR1);
    raise(SIGUSR1);
  }
  depth = depth - 1;
}

static void
once_handler(int sig) {
  struct sigaction now;
  sigaction(sig, NULL, &now);
  masked_inside = now.sa_handler == SIG_DFL;
}

static void
handler_flags(void) {
  struct hz_collector c;
  collector_start(&c, 0);
  struct sigaction sa = {.sa_handler = nest_handler, .sa_flags = SA_NODEFER | SA_RESTART};
  sigaction(SIGUSR1, &sa, NULL);
  sa.sa_flags = SA_RESTART;
  sigaddset(&sa.sa_mask, SIGALRM);
  sigaddset(&sa.sa_mask, SIGRTMIN + 1);
  sigaction(SIGUSR2, &sa, NULL);
  for (int i = 0; i < 3000; i++) {
    depth = deepest = 0;
    raise(SIGUSR1);
    CHECK(deepest == 6 && depth == 0, "nested handlers reached depth %d", (int)deepest);
    masked_inside = 0;
    raise(SIGUSR2);
    CHECK(masked_inside, "the mask inside a handler is wrong");
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    CHECK(!sigismember(&now, SIGUSR2) && !sigismember(&now, SIGALRM), "a mask outlived its handler");
    struct sigaction once = {.sa_handler = once_handler, .sa_flags = (int)SA_RESETHAND}, old;
    sigaction(SIGWINCH, &once, NULL);
    masked_inside = 0;
    raise(SIGWINCH);
    sigaction(SIGWINCH, NULL, &old);
    CHECK(masked_inside && old.sa_handler == SIG_DFL, "SA_RESETHAND did not reset");
    if (i % 300 == 0)
      hz_sleep_ms(1);
  }
  collector_stop(&c);
}

/* ---- leaving handlers by siglongjmp ---- */

static sigjmp_buf jump;

static void
jump_handler(int sig) {
  siglongjmp(jump, sig);
}

static void
jump_storm(void) {
  struct hz_collector c;
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  collector_start(&c, 0);
  struct sigaction sa = {.sa_handler = jump_handler};
  sigaction(SIGUSR1, &sa, NULL);
  volatile int jumps = 0;
  for (volatile int i = 0; i < 4000; i++) {
    int sig = sigsetjmp(jump, 1);
    if (sig == 0) {
      raise(SIGUSR1);
      hz_bad("raise returned");
    }
    jumps = jumps + 1;
    if (i % 200 == 0) {
      churn_light((unsigned)i);
      hz_sleep_ms(1);
    }
  }
  sigset_t now;
  pthread_sigmask(SIG_BLOCK, NULL, &now);
  CHECK(!sigismember(&now, SIGUSR1), "siglongjmp did not restore the mask");
  collector_stop(&c);
  settle();
  chain_check(&chain, "stack after siglongjmp");
  CHECK(jumps == 4000 && chain_is_head(&chain, local), "%d jumps", jumps);
}

/* A runtime that survives stack overflow and wild pointers, as several do. */
static volatile bool overflow_on = true;

static HZ_NOINLINE int
overflow(volatile char *above) {
  volatile char frame[4096];
  frame[0] = above ? above[0] : 1;
  return (overflow_on ? overflow(frame) : 0) + frame[0];
}

static void
fault_recovery(void) {
  stack_t s = {.ss_size = 64 * 1024};
  s.ss_sp = malloc(s.ss_size);
  struct sigaction sa = {.sa_handler = jump_handler, .sa_flags = SA_ONSTACK};
  struct rlimit small = {1 << 20, 1 << 20}, old;
  getrlimit(RLIMIT_STACK, &old);
  small.rlim_max = old.rlim_max;
  setrlimit(RLIMIT_STACK, &small);
  sigaltstack(&s, NULL);
  sigaction(SIGSEGV, &sa, NULL);
  sigaction(SIGBUS, &sa, NULL);
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (volatile int i = 0; i < 12; i++) {
    int sig = sigsetjmp(jump, 1);
    if (sig == 0) {
      if (i % 3)
        *nowhere = 1;
      else
        overflow(NULL);
      hz_bad("the fault did not happen");
    }
    CHECK(sig == SIGSEGV || sig == SIGBUS, "signal %d", sig);
    collect(3);
  }
  chain_check(&chain, "stack after faults");
  CHECK(chain_is_head(&chain, local), "the local changed");
}

/* ---- storms and counts ---- */

static void
thread_count_handler(int sig) {
  (void)sig;
  atomic_fetch_add(&delivered[0], 1);
}

static void *
storm_main(void *arg) {
  (void)arg;
  for (int i = 0; i < 20000; i++) {
    raise(SIGUSR1);
    if (i % 1000 == 0)
      churn_light((unsigned)i);
  }
  return NULL;
}

static void
raise_storm(void) {
  struct hz_collector c;
  pthread_t t[4];
  struct sigaction sa = {.sa_handler = thread_count_handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &sa, NULL);
  collector_start(&c, 0);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], storm_main, NULL);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  collector_stop(&c);
  CHECK(delivered[0] == 4 * 20000, "%d of %d raised signals were handled", delivered[0], 4 * 20000);
}

enum { QUEUED = 3000 };
static atomic_int queued_got, queued_sum;

static void
queued_handler(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)context;
  atomic_fetch_add(&queued_got, 1);
  atomic_fetch_add(&queued_sum, info->si_value.sival_int);
}

static void *
busy_main(void *arg) {
  for (unsigned n = (unsigned)(uintptr_t)arg; !atomic_load(&stop); n++) {
    churn_light(n);
    if (n % 50 == 0)
      hz_sleep_ms(1);
  }
  return NULL;
}

static void
queued_signals(void) {
  struct hz_collector c;
  pthread_t t[3];
  struct sigaction sa = {.sa_sigaction = queued_handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  for (int k = 0; k < 3; k++)
    sigaction(SIGRTMIN + k, &sa, NULL), sigaction(SIGRTMAX - k, &sa, NULL);
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], busy_main, (void *)i);
  collector_start(&c, 0);
  int sum = 0;
  double end = hz_now() + hz_limit(8);
  for (int i = 0; i < QUEUED; i++) {
    union sigval v = {.sival_int = i % 97};
    int sig = i % 2 ? SIGRTMIN + i % 3 : SIGRTMAX - i % 3;
    while (sigqueue(getpid(), sig, v)) {
      if (errno != EAGAIN || hz_now() > end)
        FAIL("sigqueue: %s", strerror(errno));
      hz_sleep_ms(1);
    }
    sum += i % 97;
    if (i % 100 == 0)
      hz_sleep_ms(1);
  }
  hz_wait_for(&queued_got, QUEUED, 5);
  hz_sleep_ms(10);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  collector_stop(&c);
  CHECK(queued_got == QUEUED && queued_sum == sum, "%d of %d queued signals arrived, sum %d of %d",
        queued_got, QUEUED, queued_sum, sum);
}

static atomic_int timer_ticks;

static void
tick_handler(int sig) {
  (void)sig;
  int saved = errno;
  errno = EDOM;
  atomic_fetch_add(&timer_ticks, 1);
  errno = saved;
}

static void *
errno_main(void *arg) {
  int mine = 100 + (int)(intptr_t)arg;
  for (unsigned n = 0; !atomic_load(&stop); n++) {
    errno = mine;
    for (volatile int spin = 0; spin < 2000; spin++)
      ;
    CHECK(errno == mine, "errno changed from %d to %d in a computation", mine, errno);
    void *p = malloc(100);
    errno = mine;
    free(p);
    CHECK(errno == mine, "free changed errno from %d to %d", mine, errno);
  }
  return NULL;
}

static void
interval_timer(void) {
  struct hz_collector c;
  pthread_t t[3];
  struct sigaction sa = {.sa_handler = tick_handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &sa, NULL);
  sigaction(SIGPROF, &sa, NULL);
  struct itimerval every = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &every, NULL);
  setitimer(ITIMER_PROF, &every, NULL);
  for (intptr_t i = 0; i < (intptr_t)HZ_COUNT(t); i++)
    hz_thread(&t[i], errno_main, (void *)i);
  collector_start(&c, 0);
  CHECK(hz_wait_for(&timer_ticks, 500, 10), "only %d ticks", timer_ticks);
  setitimer(ITIMER_REAL, &off, NULL);
  setitimer(ITIMER_PROF, &off, NULL);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  collector_stop(&c);
}

/* ---- what a stop may not disturb ---- */

static double
long_computation(void) {
  double x = 0.5, sum = 0;
  for (int i = 1; i < 20000; i++) {
    x = 3.7 * x * (1 - x);
    sum += sqrt(x) / i;
  }
  return sum;
}

static void *
floating_main(void *arg) {
  static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  int mode = modes[(intptr_t)arg % 4];
  fesetround(mode);
  double want = long_computation();
  long double wide = 1.0L / 3;
  while (!atomic_load(&stop)) {
    CHECK(fegetround() == mode, "the rounding mode changed");
    CHECK(long_computation() == want, "a computation gave another result");
    CHECK(1.0L / 3 == wide, "a long double changed");
  }
  return NULL;
}

#if defined(__x86_64__)
/* Fills the red zone, sets the direction flag, spins, and looks again: 0 if nothing changed. */
__asm__(".text\n.p2align 4\n.type hz_red_zone_spin,@function\nhz_red_zone_spin:\n"
        " std\n movq $0x1234567,-8(%rsp)\n movq $0x7654321,-128(%rsp)\n"
        "1: dec %rdi\n jnz 1b\n"
        " xor %eax,%eax\n"
        " cmpq $0x1234567,-8(%rsp)\n je 2f\n inc %rax\n"
        "2: cmpq $0x7654321,-128(%rsp)\n je 3f\n inc %rax\n"
        "3: pushfq\n pop %rdx\n cld\n test $0x400,%edx\n jnz 4f\n inc %rax\n"
        "4: ret\n");
extern unsigned long hz_red_zone_spin(unsigned long turns);
#else
static unsigned long
hz_red_zone_spin(unsigned long turns) {
  for (volatile unsigned long i = 0; i < turns; i++)
    ;
  return 0;
}
#endif

static void *
red_zone_main(void *arg) {
  (void)arg;
  while (!atomic_load(&stop))
    CHECK(hz_red_zone_spin(20000) == 0, "red zone or direction flag changed");
  return NULL;
}

static void
state_kept(void) {
  pthread_t t[6];
  for (intptr_t i = 0; i < 4; i++)
    hz_thread(&t[i], floating_main, (void *)i);
  for (intptr_t i = 4; i < 6; i++)
    hz_thread(&t[i], red_zone_main, (void *)i);
  for (double end = hz_now() + 0.8; hz_now() < end;) {
    collect_once();
    churn_light(1);
  }
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
}

static const struct hz_case cases[] = {
  {"foreign_handlers", foreign_handlers, 0, 0},
  {"masks_read_back", masks_read_back, 0, 0},
  {"all_blocked", all_blocked, 0, 0},
  {"all_blocked_raw", all_blocked_raw, 0, 0},
  {"sigwait_full_set", sigwait_full_set, 0, 0},
  {"signalfd_full_set", signalfd_full_set, 0, 0},
  {"handlers_for_all", handlers_for_all, 0, 0},
  {"handlers_on_alternate_stacks", handlers_on_alternate_stacks, 0, 0},
  {"handler_flags", handler_flags, 0, 0},
  {"jump_storm", jump_storm, 0, 0},
  {"fault_recovery", fault_recovery, 0, 0},
  {"raise_storm", raise_storm, 0, 0},
  {"queued_signals", queued_signals, 0, 25},
  {"interval_timer", interval_timer, 0, 0},
  {"state_kept", state_kept, 0, 0},
  {0},
};

HZ_MAIN("signals", cases)
