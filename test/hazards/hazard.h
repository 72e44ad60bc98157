/* SPDX-License-Identifier: MIT */
/* hazard.h - what every program of the suite shares: the collector's entry point by weak symbols, the
   case runner, hidden addresses, guarded blocks and chains of them.

   A program is a table of cases. Run without arguments it executes itself once per case, so that a
   crash or a hang in one case leaves the others intact; `prog CASE` runs one case in this process
   (for a debugger), `prog -l` lists them. The last line is always `PASS name`, `FAIL name: why` or
   `SKIP name: why`.

   Nothing here uses stdio streams or allocates, except chain_make() and churn(). */
#ifndef HAZARD_H
#define HAZARD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define HZ_UNUSED __attribute__((unused))
#ifdef __clang__
#define HZ_NOINLINE __attribute__((noinline))
#else
#define HZ_NOINLINE __attribute__((noinline, noclone))
#endif
#define HZ_COUNT(a) (sizeof(a) / sizeof(*(a)))

extern char **environ;

/* ---- the collector -------------------------------------------------------------------------- */

extern int cgc_collect(void) __attribute__((weak));
extern void GC_gcollect(void) __attribute__((weak));

static atomic_int hz_collections, hz_collections_refused;

static inline bool
hz_has_collector(void) {
  return cgc_collect || GC_gcollect;
}

/* One full collection; 0 on success, and 0 without a collector. A refusal (a cycle given up because a
   thread could not be stopped) is counted, not a failure by itself. */
HZ_UNUSED static int
collect_once(void) {
  int err = 0;
  if (cgc_collect)
    err = cgc_collect();
  else if (GC_gcollect)
    GC_gcollect();
  atomic_fetch_add(&hz_collections, 1);
  if (err)
    atomic_fetch_add(&hz_collections_refused, 1);
  return err;
}

/* ---- time ----------------------------------------------------------------------------------- */

HZ_UNUSED static double
hz_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* HZ_SLOW=3 stretches every limit threefold, for emulators and overloaded machines. */
HZ_UNUSED static double
hz_limit(double seconds) {
  const char *slow = getenv("HZ_SLOW");
  double factor = slow ? atof(slow) : 1;
  return seconds * (factor > 1 ? factor : 1);
}

/* How long a randomised storm runs: HZ_SECONDS, or what the case asks for. */
HZ_UNUSED static double
hz_storm_seconds(double usual) {
  const char *wanted = getenv("HZ_SECONDS");
  return wanted && atof(wanted) > usual ? atof(wanted) : usual;
}

HZ_UNUSED static uint32_t
hz_seed(void) {
  const char *seed = getenv("HZ_SEED");
  return seed ? (uint32_t)strtoul(seed, NULL, 0) : 1;
}

HZ_UNUSED static void
hz_sleep_ms(long ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&t, &t) && errno == EINTR)
    ;
}

/* ---- reports -------------------------------------------------------------------------------- */

static const char *hz_prog = "?";
static char hz_title[96], hz_reason[400], hz_exe[4096], hz_dir_path[4096];
static int hz_argc;
static char **hz_argv;
static atomic_int hz_bad_count, hz_ended;

HZ_UNUSED static void
hz_vline(const char *head, const char *format, va_list args) {
  char line[700];
  int n = snprintf(line, sizeof line, "%s", head);
  n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
  if (n > (int)sizeof line - 2)
    n = (int)sizeof line - 2;
  line[n++] = '\n';
  ssize_t sent = write(1, line, (size_t)n);
  (void)sent;
}

__attribute__((format(printf, 1, 2))) HZ_UNUSED static void
hz_line(const char *format, ...) {
  va_list args;
  va_start(args, format);
  hz_vline("", format, args);
  va_end(args);
}

/* For facts worth knowing that are no failure. */
__attribute__((format(printf, 1, 2))) HZ_UNUSED static void
NOTE(const char *format, ...) {
  va_list args;
  va_start(args, format);
  hz_vline("NOTE ", format, args);
  va_end(args);
}

/* Records a failure and goes on; the first one becomes the reason on the last line. */
__attribute__((format(printf, 1, 2))) HZ_UNUSED static void
hz_bad(const char *format, ...) {
  va_list args;
  int nth = atomic_fetch_add(&hz_bad_count, 1);
  if (nth == 0) {
    va_start(args, format);
    vsnprintf(hz_reason, sizeof hz_reason, format, args);
    va_end(args);
  }
  if (nth < 5) {
    va_start(args, format);
    hz_vline("bad: ", format, args);
    va_end(args);
  }
}

#define CHECK(condition, ...) do { if (!(condition)) hz_bad(__VA_ARGS__); } while (0)

/* The last line. Only the first caller of any thread prints it. */
static inline int
hz_end(void) {
  if (atomic_exchange(&hz_ended, 1))
    return 1;
  int bad = atomic_load(&hz_bad_count), refused = atomic_load(&hz_collections_refused);
  if (refused)
    NOTE("%d of %d collections were refused", refused, atomic_load(&hz_collections));
  if (!bad)
    hz_line("PASS %s", hz_title);
  else if (bad == 1)
    hz_line("FAIL %s: %s", hz_title, hz_reason);
  else
    hz_line("FAIL %s: %s (+%d more)", hz_title, hz_reason, bad - 1);
  return bad != 0;
}

/* For places where going on with a broken heap would only hang or crash. */
HZ_UNUSED static void
stop_if_bad(void) {
  if (atomic_load(&hz_bad_count)) {
    hz_end();
    _exit(1);
  }
}

#define FAIL(...) do { hz_bad(__VA_ARGS__); hz_end(); _exit(1); } while (0)
#define PASS() hz_end()

__attribute__((format(printf, 1, 2), noreturn)) HZ_UNUSED static void
SKIP(const char *format, ...) {
  char why[400];
  va_list args;
  va_start(args, format);
  vsnprintf(why, sizeof why, format, args);
  va_end(args);
  if (!atomic_exchange(&hz_ended, 1))
    hz_line("SKIP %s: %s", hz_title, why);
  _exit(77);
}

/* ---- wiping what the compiler left behind --------------------------------------------------- */

/* Empties every register in which a dead copy of an address may linger; live values are spilt. */
#if defined(__x86_64__)
#define CLEAR_REGS()                                                                               \
  __asm__ volatile("xor %%eax,%%eax; xor %%ecx,%%ecx; xor %%edx,%%edx; xor %%esi,%%esi\n\t"        \
                   "xor %%edi,%%edi; xor %%r8d,%%r8d; xor %%r9d,%%r9d; xor %%r10d,%%r10d\n\t"      \
                   "xor %%r11d,%%r11d; xor %%ebx,%%ebx; xor %%r12d,%%r12d; xor %%r13d,%%r13d\n\t"  \
                   "xor %%r14d,%%r14d; xor %%r15d,%%r15d; pxor %%xmm0,%%xmm0\n\t"                  \
                   "pxor %%xmm1,%%xmm1; pxor %%xmm2,%%xmm2; pxor %%xmm3,%%xmm3\n\t"                \
                   "pxor %%xmm4,%%xmm4; pxor %%xmm5,%%xmm5; pxor %%xmm6,%%xmm6\n\t"                \
                   "pxor %%xmm7,%%xmm7; pxor %%xmm8,%%xmm8; pxor %%xmm9,%%xmm9\n\t"                \
                   "pxor %%xmm10,%%xmm10; pxor %%xmm11,%%xmm11; pxor %%xmm12,%%xmm12\n\t"          \
                   "pxor %%xmm13,%%xmm13; pxor %%xmm14,%%xmm14; pxor %%xmm15,%%xmm15" ::           \
                       : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "rbx",       \
                         "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",       \
                         "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",        \
                         "xmm13", "xmm14", "xmm15", "cc", "memory")
#elif defined(__aarch64__)
#define CLEAR_REGS()                                                                               \
  __asm__ volatile("mov x0,#0; mov x1,#0; mov x2,#0; mov x3,#0; mov x4,#0; mov x5,#0\n\t"          \
                   "mov x6,#0; mov x7,#0; mov x8,#0; mov x9,#0; mov x10,#0; mov x11,#0\n\t"        \
                   "mov x12,#0; mov x13,#0; mov x14,#0; mov x15,#0; mov x19,#0; mov x20,#0\n\t"    \
                   "mov x21,#0; mov x22,#0; mov x23,#0; mov x24,#0; mov x25,#0; mov x26,#0\n\t"    \
                   "mov x27,#0; mov x28,#0; movi v0.2d,#0; movi v1.2d,#0; movi v2.2d,#0\n\t"       \
                   "movi v3.2d,#0; movi v8.2d,#0; movi v16.2d,#0; movi v31.2d,#0" ::               \
                       : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",        \
                         "x11", "x12", "x13", "x14", "x15", "x19", "x20", "x21", "x22", "x23",     \
                         "x24", "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3", "v8", "v16",   \
                         "v31", "cc", "memory")
#else
#define CLEAR_REGS() __asm__ volatile("" ::: "memory")
#endif

HZ_UNUSED HZ_NOINLINE static void
clear_stack(void) {
  char below[96 * 1024];
  memset(below, 0, sizeof below);
  __asm__ volatile("" ::"r"(below) : "memory");
  CLEAR_REGS();
}

/* Calls fn well below the caller's frame, where clear_stack() reaches every word it leaves. */
HZ_UNUSED HZ_NOINLINE static void
run_hidden(void (*fn)(void *), void *arg) {
  char gap[16 * 1024];
  __asm__ volatile("" ::"r"(gap) : "memory");
  fn(arg);
  CLEAR_REGS();
  __asm__ volatile("" ::"r"(gap) : "memory");
}

/* ---- hidden addresses ----------------------------------------------------------------------- */

/* Flips bits all over the word, so that no tag stripping finds the address again. */
#define HZ_KEY ((uintptr_t)0x5a5aa5c3963c5a69u)

HZ_UNUSED HZ_NOINLINE static uintptr_t
hide(const void *p) {
  return (uintptr_t)p ^ HZ_KEY;
}

HZ_UNUSED HZ_NOINLINE static void *
reveal(uintptr_t hidden) {
  return (void *)(hidden ^ HZ_KEY);
}

/* Reads memory that may be gone; false if it is unmapped. */
HZ_UNUSED static bool
hz_peek(const void *from, void *to, size_t n) {
  struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};
  ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  if (got == (ssize_t)n)
    return true;
  if (got >= 0 || errno == EFAULT)
    return false;
  memcpy(to, from, n);   /* the call is forbidden here: read, and crash if it is gone */
  return true;
}

/* ---- guarded blocks ------------------------------------------------------------------------- */

/* Every byte has its top bit set, so that no word of a pattern looks like a user address. */
static inline unsigned char
hz_byte(unsigned seed, size_t i) {
  return (unsigned char)(0x80 | (seed * 29u + i * 31u + (i >> 7) * 17u));
}

HZ_UNUSED static void
guard_bytes(void *p, size_t from, size_t to, unsigned seed) {
  for (size_t i = from; i < to; i++)
    ((unsigned char *)p)[i] = hz_byte(seed, i);
}

HZ_UNUSED static void
guard_block(void *p, size_t n, unsigned seed) {
  guard_bytes(p, 0, n, seed);
}

/* Offset of the first byte that differs, or -1. */
HZ_UNUSED static long
check_bytes(const void *p, size_t from, size_t to, unsigned seed) {
  for (size_t i = from; i < to; i++)
    if (((const unsigned char *)p)[i] != hz_byte(seed, i))
      return (long)i;
  return -1;
}

HZ_UNUSED static long
check_block(const void *p, size_t n, unsigned seed) {
  return check_bytes(p, 0, n, seed);
}

/* ---- churn ---------------------------------------------------------------------------------- */

static const size_t hz_sizes[] = {48, 24, 100, 256, 1000, 4096, 33000, 300000};
#define HZ_SIZES HZ_COUNT(hz_sizes)

HZ_UNUSED static unsigned
hz_churn_count(size_t size) {
  size_t n = (size_t)512 * 1024 / size;
  return (unsigned)(n > 2000 ? 2000 : n < 2 ? 2 : n);
}

/* Allocates `weight` times the usual number of blocks of each size, fills them with 0xEE, then frees
   them: whatever was reclaimed by mistake is soon handed out again and overwritten. */
HZ_UNUSED HZ_NOINLINE static void
churn_weight(unsigned weight) {
  for (size_t k = 0; k < HZ_SIZES; k++) {
    size_t count = (size_t)hz_churn_count(hz_sizes[k]) * weight;
    void **blocks = malloc(count * sizeof *blocks);
    if (!blocks)
      FAIL("churn: out of memory");
    for (size_t i = 0; i < count; i++) {
      blocks[i] = malloc(hz_sizes[k]);
      if (!blocks[i])
        FAIL("churn: out of memory");
      memset(blocks[i], 0xEE, hz_sizes[k]);
    }
    for (size_t i = 0; i < count; i++) {
      free(blocks[i]);
      blocks[i] = NULL;
    }
    free(blocks);
  }
}

HZ_UNUSED static void
churn(void) {
  churn_weight(1);
}

/* A small allocation load for threads that only have to be busy. */
HZ_UNUSED static void
churn_light(unsigned seed) {
  void *blocks[64];
  for (unsigned i = 0; i < 64; i++) {
    size_t n = 16 + (seed * 37 + i * 97) % 2000;
    blocks[i] = malloc(n);
    if (!blocks[i])
      FAIL("churn: out of memory");
    memset(blocks[i], 0xEE, n);
  }
  for (unsigned i = 0; i < 64; i++)
    free(blocks[i]);
}

/* n collections with churn between them. The collector needs two cycles in a row to reclaim a block,
   so n is at least 3 wherever a wrong reclamation must show. */
HZ_UNUSED HZ_NOINLINE static void
collect(unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    clear_stack();
    collect_once();
    churn_weight(1 + (i & 1));
  }
  if (n > 2)
    churn_weight(4);
}

/* ---- chains --------------------------------------------------------------------------------- */

/* A list of blocks of different sizes. Whoever holds the head keeps them all; we only keep hidden
   addresses, and check every byte later. */
struct hz_chain {
  uintptr_t hidden[HZ_SIZES];
  size_t size[HZ_SIZES];
  unsigned count, seed;
};

HZ_UNUSED HZ_NOINLINE static void *
chain_make_sizes(struct hz_chain *c, unsigned seed, const size_t *sizes, unsigned count) {
  void *next = NULL;
  c->count = count;
  c->seed = seed;
  for (unsigned i = count; i-- > 0;) {
    void *p = malloc(sizes[i]);
    if (!p)
      FAIL("chain: out of memory");
    guard_bytes(p, sizeof next, sizes[i], seed + i);
    memcpy(p, &next, sizeof next);
    c->hidden[i] = hide(p);
    c->size[i] = sizes[i];
    next = p;
  }
  return next;
}

HZ_UNUSED static void *
chain_make(struct hz_chain *c, unsigned seed) {
  return chain_make_sizes(c, seed, hz_sizes, HZ_SIZES);
}

/* The three smallest blocks only: for tests that make thousands. */
HZ_UNUSED static void *
chain_make_small(struct hz_chain *c, unsigned seed) {
  return chain_make_sizes(c, seed, hz_sizes, 3);
}

/* 0 if block i is intact, else a text in why. */
HZ_UNUSED HZ_NOINLINE static int
chain_block_broken(const struct hz_chain *c, unsigned i, char *why, size_t why_size) {
  unsigned char buffer[2048];
  const char *p = reveal(c->hidden[i]);
  uintptr_t next = i + 1 < c->count ? c->hidden[i + 1] ^ HZ_KEY : 0;
  int broken = 0;
  for (size_t at = 0; at < c->size[i] && !broken; at += sizeof buffer) {
    size_t n = c->size[i] - at < sizeof buffer ? c->size[i] - at : sizeof buffer;
    if (!hz_peek(p + at, buffer, n)) {
      snprintf(why, why_size, "block %u (%zu bytes) is unmapped", i, c->size[i]);
      broken = 1;
      break;
    }
    for (size_t j = 0; j < n; j++) {
      unsigned char want = at + j < sizeof next ? ((unsigned char *)&next)[at + j]
                                                : hz_byte(c->seed + i, at + j);
      if (buffer[j] == want)
        continue;
      snprintf(why, why_size, "block %u (%zu bytes) was overwritten at +%zu with %02x", i,
               c->size[i], at + j, buffer[j]);
      broken = 1;
      break;
    }
  }
  memset(buffer, 0, sizeof buffer);
  __asm__ volatile("" ::"r"(buffer) : "memory");
  return broken;
}

HZ_UNUSED HZ_NOINLINE static unsigned
chain_count_broken(const struct hz_chain *c, char *why, size_t why_size) {
  char text[160];
  unsigned broken = 0;
  for (unsigned i = 0; i < c->count; i++)
    if (chain_block_broken(c, i, text, sizeof text) && broken++ == 0 && why)
      snprintf(why, why_size, "%s", text);
  return broken;
}

HZ_UNUSED HZ_NOINLINE static bool
chain_is_intact(const struct hz_chain *c) {
  return chain_count_broken(c, NULL, 0) == 0;
}

/* Fails with the first broken block. */
HZ_UNUSED HZ_NOINLINE static void
chain_check(const struct hz_chain *c, const char *what) {
  char why[160] = "";
  unsigned broken = chain_count_broken(c, why, sizeof why);
  CHECK(!broken, "%s: %s", what, why);
  clear_stack();
}

HZ_UNUSED static bool
chain_is_head(const struct hz_chain *c, const void *p) {
  return ((uintptr_t)p ^ HZ_KEY) == c->hidden[0];
}

/* For a thread that got the head back through the root under test: use it as the program would. */
HZ_UNUSED HZ_NOINLINE static void
chain_free(struct hz_chain *c, void *head) {
  unsigned i = 0;
  while (head && i < c->count) {
    void *next;
    memcpy(&next, head, sizeof next);
    long at = check_bytes(head, sizeof next, c->size[i], c->seed + i);
    if (at >= 0)
      FAIL("block %u (%zu bytes) was overwritten at +%ld", i, c->size[i], at);
    free(head);
    head = next;
    i++;
  }
  CHECK(i == c->count && !head, "chain has the wrong length");
}

/* ---- control: blocks dropped on purpose ----------------------------------------------------- */

static struct hz_chain hz_control[3];

static void
hz_control_make(void *unused) {
  (void)unused;
  for (unsigned i = 0; i < HZ_COUNT(hz_control); i++)
    chain_make(&hz_control[i], 900 + 20 * i);
}

/* Collects often enough to reclaim, and notes it when not even the dropped control blocks went: then
   a good result means little. */
HZ_UNUSED HZ_NOINLINE static void
settle(void) {
  if (!hz_has_collector()) {
    collect(2);
    return;
  }
  run_hidden(hz_control_make, NULL);
  collect(4);
  unsigned gone = 0;
  for (unsigned i = 0; i < HZ_COUNT(hz_control); i++)
    gone += chain_count_broken(&hz_control[i], NULL, 0);
  if (!gone)
    NOTE("weak: none of %u dropped control blocks was reclaimed",
         (unsigned)(HZ_COUNT(hz_control) * HZ_SIZES));
  clear_stack();
}

/* ---- gates: a thread blocks in read() until let through ------------------------------------- */

struct hz_gate {
  int fd[2];
};

HZ_UNUSED static void
gate_init(struct hz_gate *g) {
  if (pipe2(g->fd, O_CLOEXEC))
    FAIL("pipe: %s", strerror(errno));
}

HZ_UNUSED static void
gate_wait(struct hz_gate *g) {
  char c;
  ssize_t n = read(g->fd[0], &c, 1);
  if (n != 1)
    FAIL("a blocked read() returned %zd (%s)", n, n < 0 ? strerror(errno) : "end of file");
}

HZ_UNUSED static void
gate_open(struct hz_gate *g, unsigned threads) {
  for (unsigned i = 0; i < threads; i++)
    if (write(g->fd[1], "g", 1) != 1)
      FAIL("write to a pipe: %s", strerror(errno));
}

HZ_UNUSED static void
gate_fini(struct hz_gate *g) {
  close(g->fd[0]);
  close(g->fd[1]);
}

/* Waits until *value >= target, at most `seconds`. */
HZ_UNUSED static bool
hz_wait_for(atomic_int *value, int target, double seconds) {
  double end = hz_now() + hz_limit(seconds);
  while (atomic_load(value) < target) {
    if (hz_now() > end)
      return false;
    hz_sleep_ms(1);
  }
  return true;
}

HZ_UNUSED static void
hz_thread(pthread_t *t, void *(*fn)(void *), void *arg) {
  int err = pthread_create(t, NULL, fn, arg);
  if (err)
    FAIL("pthread_create: %s", strerror(err));
}

/* Collects and churns until told to stop: the opponent of every storm. */
struct hz_collector {
  pthread_t thread;
  atomic_int stop;
  unsigned pause_ms, rounds;
};

static void *
hz_collector_main(void *arg) {
  struct hz_collector *c = arg;
  while (!atomic_load(&c->stop)) {
    collect_once();
    churn_light(c->rounds++);
    hz_sleep_ms(c->pause_ms);
  }
  return NULL;
}

HZ_UNUSED static void
collector_start(struct hz_collector *c, unsigned pause_ms) {
  atomic_store(&c->stop, 0);
  c->pause_ms = pause_ms;
  c->rounds = 0;
  hz_thread(&c->thread, hz_collector_main, c);
}

HZ_UNUSED static void
collector_stop(struct hz_collector *c) {
  atomic_store(&c->stop, 1);
  pthread_join(c->thread, NULL);
}

/* ---- running a program ---------------------------------------------------------------------- */

struct hz_result {
  int status;
  bool timed_out;
  double seconds;
  size_t len;
  char out[16384];
};

HZ_UNUSED static void
hz_drain(int fd, struct hz_result *r) {
  char waste[1024];
  for (;;) {
    size_t room = sizeof r->out - 1 - r->len;
    ssize_t n = room ? read(fd, r->out + r->len, room) : read(fd, waste, sizeof waste);
    if (n <= 0)
      break;
    if (room)
      r->len += (size_t)n;
  }
  r->out[r->len] = 0;
}

/* Executes path with stdout and stderr captured; prep runs in the child before exec. The child dies
   with us and, by its process id, at the limit. */
HZ_UNUSED static void
hz_exec(struct hz_result *r, const char *path, char *const argv[], char *const envp[],
        void (*prep)(void *), void *arg, double limit) {
  int fd[2];
  memset(r, 0, sizeof *r);
  if (pipe2(fd, O_CLOEXEC) || fcntl(fd[0], F_SETFL, O_NONBLOCK))
    FAIL("pipe: %s", strerror(errno));
  double start = hz_now(), end = start + hz_limit(limit);
  pid_t parent = getpid(), pid = fork();
  if (pid < 0)
    FAIL("fork: %s", strerror(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(126);
    dup2(fd[1], 1);
    dup2(fd[1], 2);
    if (prep)
      prep(arg);
    execve(path, argv, envp);
    _exit(127);
  }
  close(fd[1]);
  for (;;) {
    struct pollfd p = {fd[0], POLLIN, 0};
    poll(&p, 1, 20);
    hz_drain(fd[0], r);
    if (waitpid(pid, &r->status, WNOHANG) == pid)
      break;
    if (hz_now() > end) {
      r->timed_out = true;
      kill(pid, SIGKILL);
      waitpid(pid, &r->status, 0);
      break;
    }
    if (p.revents & POLLHUP)
      hz_sleep_ms(5);
  }
  hz_drain(fd[0], r);
  close(fd[0]);
  r->seconds = hz_now() - start;
}

/* Runs one of our own cases in a process of its own. */
HZ_UNUSED static void
hz_exec_self(struct hz_result *r, const char *name, const char *extra, char *const envp[],
             void (*prep)(void *), void *arg, double limit) {
  char *argv[] = {hz_exe, (char *)(uintptr_t)name, (char *)(uintptr_t)extra, NULL};
  hz_exec(r, hz_exe, argv, envp, prep, arg, limit);
}

/* How a child ended, in words. */
HZ_UNUSED static const char *
hz_status_text(const struct hz_result *r, char *text, size_t size) {
  if (r->timed_out)
    snprintf(text, size, "no end after %.0f s", r->seconds);
  else if (WIFSIGNALED(r->status))
    snprintf(text, size, "died of SIG%s", sigabbrev_np(WTERMSIG(r->status))
                                              ? sigabbrev_np(WTERMSIG(r->status))
                                              : "RT");
  else
    snprintf(text, size, "exit status %d", WEXITSTATUS(r->status));
  return text;
}

HZ_UNUSED static bool
hz_exited_with(const struct hz_result *r, int code) {
  return !r->timed_out && WIFEXITED(r->status) && WEXITSTATUS(r->status) == code;
}

/* The environment without LD_PRELOAD. */
HZ_UNUSED static char **
hz_env_plain(void) {
  static char *plain[1000];
  unsigned n = 0;
  for (char **e = environ; *e && n < HZ_COUNT(plain) - 1; e++)
    if (strncmp(*e, "LD_PRELOAD=", 11))
      plain[n++] = *e;
  plain[n] = NULL;
  return plain;
}

/* Path of a file that lies beside the program. */
HZ_UNUSED static const char *
hz_beside(const char *name) {
  static char path[4400];
  snprintf(path, sizeof path, "%s/%s", hz_dir_path, name);
  return path;
}

/* ---- the case runner ------------------------------------------------------------------------ */

enum {
  HZ_SUB = 1,    /* only run by name, by another case */
  HZ_NOTED = 2,  /* the outcome is reported as a note and never fails the program */
};

struct hz_case {
  const char *name;
  void (*fn)(void);
  unsigned flags;
  double limit;  /* seconds; 0: the usual */
};

static void
hz_find_self(char **argv) {
  ssize_t n = readlink("/proc/self/exe", hz_exe, sizeof hz_exe - 1);
  if (n <= 0)
    snprintf(hz_exe, sizeof hz_exe, "%s", argv[0]);
  snprintf(hz_dir_path, sizeof hz_dir_path, "%s", hz_exe);
  char *slash = strrchr(hz_dir_path, '/');
  if (slash)
    *slash = 0;
}

/* Prints a child's lines indented; puts what follows "FAIL ...: " of its last line into why. */
static void
hz_relay(struct hz_result *r, const char *name, char *why, size_t why_size) {
  for (char *line = strtok(r->out, "\n"); line; line = strtok(NULL, "\n")) {
    if (!strncmp(line, "PASS ", 5))
      continue;
    if (!strncmp(line, "NOTE ", 5)) {
      hz_line("NOTE %s: %s", name, line + 5);
      continue;
    }
    if (!strncmp(line, "FAIL ", 5) || !strncmp(line, "SKIP ", 5)) {
      char *colon = strstr(line, ": ");
      snprintf(why, why_size, "%s", colon ? colon + 2 : line);
      continue;
    }
    hz_line("    %s", line);
  }
}

static int
hz_run_isolated(const struct hz_case *cases) {
  char failed[500] = "", note[100];
  size_t used = 0;
  unsigned ran = 0, bad = 0, skipped = 0;
  for (const struct hz_case *c = cases; c->name; c++) {
    if (c->flags & HZ_SUB)
      continue;
    static struct hz_result r;
    char why[300] = "", how[60];
    double limit = (c->limit > 0 ? c->limit : 15) + hz_storm_seconds(0);
    hz_exec_self(&r, c->name, NULL, environ, NULL, NULL, limit);
    hz_relay(&r, c->name, why, sizeof why);
    bool good = hz_exited_with(&r, 0), skip = hz_exited_with(&r, 77);
    if (!good && !skip && !hz_exited_with(&r, 1))
      snprintf(why, sizeof why, "%s", hz_status_text(&r, how, sizeof how));
    ran++;
    skipped += skip;
    const char *verdict = good ? "ok" : skip ? "skip" : c->flags & HZ_NOTED ? "noted" : "BAD";
    hz_line("  %-5s %6.2f s  %s%s%s", verdict, r.seconds, c->name, *why ? ": " : "", why);
    if (c->flags & HZ_NOTED && !skip)
      hz_line("NOTE %s: %s%s%s", c->name, good ? "held" : "not held", *why ? ": " : "", why);
    if (good || skip || c->flags & HZ_NOTED)
      continue;
    bad++;
    if (used < sizeof failed - 1)
      used += (size_t)snprintf(failed + used, sizeof failed - used, "%s%s (%.70s)",
                               used ? "; " : "", c->name, why);
  }
  note[0] = 0;
  if (skipped)
    snprintf(note, sizeof note, " (%u skipped)", skipped);
  if (bad) {
    hz_line("FAIL %s: %u of %u cases: %s", hz_prog, bad, ran, failed);
    return 1;
  }
  if (skipped == ran) {
    hz_line("SKIP %s: all %u cases were skipped", hz_prog, ran);
    return 77;
  }
  if (skipped)
    hz_line("NOTE %u of %u cases were skipped", skipped, ran);
  hz_line("PASS %s", hz_prog);
  return 0;
}

HZ_UNUSED static int
hz_main(int argc, char **argv, const char *prog, const struct hz_case *cases) {
  hz_argc = argc;
  hz_argv = argv;
  hz_prog = prog;
  snprintf(hz_title, sizeof hz_title, "%s", prog);
  hz_find_self(argv);
  if (argc < 2)
    return hz_run_isolated(cases);
  if (!strcmp(argv[1], "-l")) {
    for (const struct hz_case *c = cases; c->name; c++)
      hz_line("%s%s", c->name, c->flags & HZ_SUB ? " (sub)" : c->flags & HZ_NOTED ? " (note)" : "");
    return 0;
  }
  for (const struct hz_case *c = cases; c->name; c++)
    if (!strcmp(argv[1], c->name)) {
      snprintf(hz_title, sizeof hz_title, "%s/%s", prog, c->name);
      c->fn();
      return c->flags & HZ_SUB ? atomic_load(&hz_bad_count) != 0 : hz_end();
    }
  hz_line("FAIL %s: no case named %s", prog, argv[1]);
  return 2;
}

#define HZ_MAIN(name, cases)                                                                       \
  int main(int argc, char **argv) {                                                                \
    return hz_main(argc, argv, name, cases);                                                       \
  }

#endif
