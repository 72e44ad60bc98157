/* SPDX-License-Identifier: MIT */
/* reclaim - what is unreachable really comes back.
   A leaking server is what the collector is for: it must keep such a program small, by explicit
   collections and by itself, with cycles, long lists, many threads, and threads that sit blocked in
   the kernel or in libc with every signal masked. 1 GiB is dropped per case while 8 MiB stay live; the
   resident set may never reach 200 MiB (800 with more threads than any machine runs at once, each of
   which takes memory while others wait). Without a collector all cases skip. */
#include "hazard.h"

#include <aio.h>

enum { LIMIT_KIB = 200 * 1024, CROWD_LIMIT_KIB = 800 * 1024, EVERY_BYTES = 32 << 20 };
static const size_t TOTAL_BYTES = (size_t)1 << 30;

/* ---- what stays live ---- */

enum { LIVE_SMALL = 80000, LIVE_PAGES = 1100 };
static void *live_small[LIVE_SMALL], *live_pages[LIVE_PAGES];

static void
make_live(void) {
  if (!hz_has_collector())
    SKIP("no collector");
  for (unsigned i = 0; i < LIVE_SMALL; i++) {
    live_small[i] = malloc(48);
    guard_block(live_small[i], 48, i);
  }
  for (unsigned i = 0; i < LIVE_PAGES; i++) {
    live_pages[i] = malloc(4096);
    guard_block(live_pages[i], 4096, i);
  }
}

static void
check_live(void) {
  for (unsigned i = 0; i < LIVE_SMALL; i++)
    if (check_block(live_small[i], 48, i) >= 0)
      FAIL("live block %u of 48 bytes broke", i);
  for (unsigned i = 0; i < LIVE_PAGES; i++)
    if (check_block(live_pages[i], 4096, i) >= 0)
      FAIL("live block %u of 4096 bytes broke", i);
}

/* Peak ("VmHWM:") or present ("VmRSS:") resident size in KiB. */
static long
resident_kib(const char *field) {
  char text[4096], *at;
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  at = strstr(text, field);
  if (at)
    return atol(at + strlen(field));
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_maxrss;
}

static void
expect_below(long limit_kib, const char *what) {
  long peak = resident_kib("VmHWM:");
  check_live();
  CHECK(peak < limit_kib, "%s: %ld MiB were resident", what, peak >> 10);
  hz_line("peak %ld MiB, now %ld MiB", peak >> 10, resident_kib("VmRSS:") >> 10);
}

static void
expect_small(const char *what) {
  expect_below(LIMIT_KIB, what);
}

/* ---- plain garbage ---- */

static HZ_NOINLINE void
drop(size_t size, size_t bytes) {
  for (size_t done = 0; done < bytes; done += size) {
    void *p = malloc(size);
    if (!p)
      FAIL("out of memory after %zu MiB", done >> 20);
    memset(p, 0x99, size);
    __asm__ volatile("" ::"r"(p) : "memory");
  }
}

static void
drop_all(size_t size, bool explicit) {
  make_live();
  for (size_t done = 0; done < TOTAL_BYTES; done += EVERY_BYTES) {
    drop(size, EVERY_BYTES);
    if (explicit)
      collect_once();
  }
  expect_small(explicit ? "with collections" : "by itself");
}

static void
explicit_48(void) {
  drop_all(48, true);
}

static void
explicit_4k(void) {
  drop_all(4096, true);
}

static void
explicit_1m(void) {
  drop_all(1 << 20, true);
}

static void
automatic_48(void) {
  drop_all(48, false);
}

static void
automatic_4k(void) {
  drop_all(4096, false);
}

static void
automatic_1m(void) {
  drop_all(1 << 20, false);
}

/* ---- shapes ---- */

struct node {
  struct node *next, *prev;
  char filler[48];
};

static HZ_NOINLINE void
drop_ring(unsigned count) {
  struct node *first = calloc(1, sizeof *first), *last = first;
  for (unsigned i = 1; i < count; i++) {
    struct node *n = calloc(1, sizeof *n);
    last->next = n;
    n->prev = last;
    last = n;
  }
  last->next = first;
  first->prev = last;
}

static void
cycles(void) {
  make_live();
  for (unsigned ring = 0; ring < 80000; ring++) {   /* 512 MiB in rings of 100 */
    drop_ring(100);
    if (ring % 5000 == 4999)
      collect_once();
  }
  expect_small("rings");
}

/* A list is as deep as a structure can be. */
enum { LONG_NODES = 400000 };
static struct node *volatile long_head;

static HZ_NOINLINE void
make_long_list(void) {
  struct node *n = NULL;
  for (uintptr_t i = 0; i < LONG_NODES; i++) {
    struct node *m = malloc(sizeof *m);
    m->next = n;
    m->prev = (struct node *)(i << 48 | i);
    n = m;
  }
  long_head = n;
}

static HZ_NOINLINE void
check_long_list(void) {
  uintptr_t i = LONG_NODES;
  for (struct node *n = long_head; n; n = n->next)
    if (--i, n->prev != (struct node *)(i << 48 | i))
      FAIL("node %zu of a long list broke", (size_t)i);
  CHECK(i == 0, "a long list lost %zu nodes", (size_t)i);
}

static void
long_lists(void) {
  make_live();
  for (int round = 0; round < 12; round++) {
    make_long_list();
    collect_once();
    collect_once();
    check_long_list();
    long_head = NULL;
    clear_stack();
    collect_once();
    collect_once();
  }
  expect_small("long lists");
}

/* ---- threads ---- */

static void *
dropping_main(void *arg) {
  static const size_t sizes[] = {24, 48, 112, 500, 2000, 9000, 70000};
  size_t bytes = (size_t)arg, i = 0;
  struct hz_chain mine;
  void *volatile head = chain_make(&mine, (unsigned)bytes % 97);
  for (size_t done = 0; done < bytes;) {
    size_t n = sizes[i++ % HZ_COUNT(sizes)];
    drop(n, n);
    done += n;
  }
  chain_check(&mine, "live chain of a thread");
  CHECK(chain_is_head(&mine, head), "the local changed");
  return NULL;
}

static void
threads_automatic(void) {
  make_live();
  pthread_t t[4];
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], dropping_main, (void *)(TOTAL_BYTES / 2 / HZ_COUNT(t)));
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  expect_small("four threads");
}

/* Each takes little, all together more than one marker keeps up with. */
static void *
crowd_main(void *arg) {
  drop(112, (size_t)arg);
  return NULL;
}

static void
threads_crowd(void) {
  make_live();
  pthread_t t[64];
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], crowd_main, (void *)(2 * TOTAL_BYTES / HZ_COUNT(t)));
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  expect_below(CROWD_LIMIT_KIB, "64 threads");
}

/* Garbage and per-thread state of threads that have ended. */
static void
threads_short_lived(void) {
  make_live();
  for (unsigned i = 0; i < 150; i++) {
    pthread_t t[2];
    for (unsigned k = 0; k < 2; k++)
      hz_thread(&t[k], dropping_main, (void *)(size_t)(1 << 20));
    for (unsigned k = 0; k < 2; k++)
      pthread_join(t[k], NULL);
    if (i % 10 == 0)
      collect_once();
  }
  expect_small("300 short threads");
}

static void *
gate_main(void *arg) {
  gate_wait(arg);
  return NULL;
}

static void
threads_blocked(void) {
  struct hz_gate g;
  pthread_t t[20];
  make_live();
  gate_init(&g);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], gate_main, &g);
  for (size_t done = 0; done < TOTAL_BYTES / 2; done += EVERY_BYTES)
    drop(4096, EVERY_BYTES);
  gate_open(&g, HZ_COUNT(t));
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  expect_small("with blocked threads");
}

/* Helper threads of libc block every signal and sleep in the kernel for good. */
static void
tick(union sigval v) {
  (void)v;
}

static void
threads_of_libc(void) {
  static struct aiocb cb;
  static char c;
  int fd[2];
  timer_t timer;
  struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
  make_live();
  if (timer_create(CLOCK_MONOTONIC, &e, &timer))
    FAIL("timer_create: %s", strerror(errno));
  struct itimerspec once = {.it_value.tv_nsec = 1000000};
  timer_settime(timer, 0, &once, NULL);
  if (pipe2(fd, O_CLOEXEC))
    FAIL("pipe: %s", strerror(errno));
  cb.aio_fildes = fd[0];
  cb.aio_buf = &c;
  cb.aio_nbytes = 1;
  if (aio_read(&cb))
    FAIL("aio_read: %s", strerror(errno));
  hz_sleep_ms(30);
  for (size_t done = 0; done < TOTAL_BYTES / 2; done += EVERY_BYTES) {
    drop(4096, EVERY_BYTES);
    collect_once();
  }
  expect_small("with a timer and an asynchronous read of libc");
}

/* A program that frees what it allocates must not be held up, and keeps its memory small as well. */
static void
freeing_program(void) {
  make_live();
  for (unsigned i = 0; i < 400000; i++) {
    void *p = malloc(3000);
    memset(p, 0x99, 3000);
    free(p);
  }
  expect_small("a program that frees");
}

/* What came back can be used for other sizes. */
static void
sizes_change(void) {
  make_live();
  for (size_t size = 16; size <= (size_t)4 << 20; size *= 4) {
    drop(size, (size_t)64 << 20);
    collect_once();
    collect_once();
    collect_once();
  }
  expect_small("changing sizes");
}

static const struct hz_case cases[] = {
  {"explicit_48", explicit_48, 0, 30},
  {"explicit_4k", explicit_4k, 0, 30},
  {"explicit_1m", explicit_1m, 0, 30},
  {"automatic_48", automatic_48, 0, 30},
  {"automatic_4k", automatic_4k, 0, 30},
  {"automatic_1m", automatic_1m, 0, 30},
  {"cycles", cycles, 0, 30},
  {"long_lists", long_lists, 0, 30},
  {"threads_automatic", threads_automatic, 0, 30},
  {"threads_crowd", threads_crowd, 0, 60},
  {"threads_short_lived", threads_short_lived, 0, 30},
  {"threads_blocked", threads_blocked, 0, 30},
  {"threads_of_libc", threads_of_libc, 0, 30},
  {"freeing_program", freeing_program, 0, 30},
  {"sizes_change", sizes_change, 0, 30},
  {0},
};

HZ_MAIN("reclaim", cases)
