/* SPDX-License-Identifier: MIT */
/* semantics - what malloc and its relatives promise, to the letter of glibc.
   Programs rely on more than the C standard says: realloc(p, 0) frees, a failed posix_memalign leaves
   its result alone, free() keeps errno, all of malloc_usable_size() may be written, SSE code spills to
   any block of 16 bytes or more. An allocator that differs breaks programs far from the difference. */
#include "hazard.h"

#include <malloc.h>

static volatile size_t max_ptrdiff = PTRDIFF_MAX, half = (size_t)1 << 32, size_max = SIZE_MAX;
static volatile size_t zero;
static void *(*volatile call_valloc)(size_t) = valloc;   /* some compilers know too much about it */

#define EXPECT_NULL(expr, want)                                                                    \
  do {                                                                                             \
    errno = 0;                                                                                     \
    void *got = (expr);                                                                            \
    CHECK(!got, "%s returned a block", #expr);                                                     \
    CHECK(got || errno == (want), "%s set errno %d, not %s", #expr, errno, #want);                 \
    free(got);                                                                                     \
  } while (0)

#define EXPECT_BLOCK(expr, align, bytes)                                                           \
  do {                                                                                             \
    unsigned char *got = (expr);                                                                   \
    size_t want_bytes = (bytes);                                                                   \
    CHECK(got, "%s returned NULL (%s)", #expr, strerror(errno));                                   \
    if (got) {                                                                                     \
      CHECK(((uintptr_t)got & ((align)-1)) == 0, "%s is not aligned to %lu", #expr,                \
            (unsigned long)(align));                                                               \
      CHECK(malloc_usable_size(got) >= want_bytes, "%s has too few usable bytes", #expr);             \
      memset(got, 0xA5, malloc_usable_size(got));                                                  \
    }                                                                                              \
    free(got);                                                                                     \
  } while (0)

static void
zero_sizes(void) {
  void *a = malloc(zero), *b = malloc(zero);
  CHECK(a && b && a != b, "malloc(0) must give distinct blocks");
  free(a);
  free(b);
  EXPECT_BLOCK(calloc(zero, 5), 1, 0);
  EXPECT_BLOCK(calloc(5, zero), 1, 0);
  EXPECT_BLOCK(realloc(NULL, zero), 1, 0);
  EXPECT_BLOCK(reallocarray(NULL, zero, 10), 1, 0);
  EXPECT_BLOCK(valloc(zero), 4096, 0);
  EXPECT_BLOCK(pvalloc(zero), 4096, 0);
  CHECK(malloc_usable_size(NULL) == 0, "malloc_usable_size(NULL) is not 0");
}

static void
too_big(void) {
  EXPECT_NULL(malloc(max_ptrdiff), ENOMEM);
  EXPECT_NULL(malloc(max_ptrdiff + 1), ENOMEM);
  EXPECT_NULL(malloc(size_max), ENOMEM);
  EXPECT_NULL(malloc(size_max - 64), ENOMEM);
  EXPECT_NULL(calloc(half, half), ENOMEM);
  EXPECT_NULL(calloc(max_ptrdiff + 1, 1), ENOMEM);
  EXPECT_NULL(calloc(size_max, size_max), ENOMEM);
  EXPECT_NULL(realloc(NULL, max_ptrdiff + 1), ENOMEM);
  EXPECT_NULL(reallocarray(NULL, half, half), ENOMEM);
  EXPECT_NULL(call_valloc(size_max), ENOMEM);
  EXPECT_NULL(pvalloc(size_max), ENOMEM);
  EXPECT_NULL(memalign(64, size_max - 32), ENOMEM);
  EXPECT_NULL(memalign((max_ptrdiff + 1) / 2, 16), ENOMEM);
  EXPECT_NULL(memalign(64, max_ptrdiff), ENOMEM);
}

static void
realloc_zero_frees(void) {
  errno = 0;
  void *p = realloc(malloc(10), zero);
  CHECK(!p, "realloc(p, 0) returned a block");
  CHECK(p || errno == 0, "realloc(p, 0) set errno %d", errno);
  free(p);
  errno = 0;
  p = reallocarray(malloc(10), zero, 10);
  CHECK(!p && errno == 0, "reallocarray(p, 0, 10) returned %p, errno %d", p, errno);
  free(p);
  for (int i = 0; i < 400; i++) {
    char *big = malloc(1 << 20);
    memset(big, 1, 1 << 20);
    big = realloc(big, zero);
    CHECK(!big, "realloc(p, 0) returned a block");
  }
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  CHECK(u.ru_maxrss < 200 * 1024, "realloc(p, 0) does not free: %ld KiB resident", u.ru_maxrss);
}

static void
failed_realloc(void) {
  for (size_t n = 1; n < 3000000; n = n * 3 + 5) {
    unsigned char *volatile p = malloc(n);
    guard_block(p, n, 3);
    errno = 0;
    void *q = realloc(p, max_ptrdiff + 1);
    CHECK(!q && errno == ENOMEM, "realloc(%zu -> PTRDIFF_MAX + 1): %p, errno %d", n, q, errno);
    errno = 0;
    q = reallocarray(p, half, half);
    CHECK(!q && errno == ENOMEM, "reallocarray overflow: %p, errno %d", q, errno);
    CHECK(check_block(p, n, 3) < 0, "a failed realloc changed the block of %zu bytes", n);
    CHECK(malloc_usable_size(p) >= n, "a failed realloc shrank the block of %zu bytes", n);
    free(p);
  }
}

/* Old glibc rounds a bad alignment up, 2.38 and later refuses it: both are right. */
static void
expect_aligned_alloc(size_t alignment, size_t n) {
  errno = 0;
  void *p = aligned_alloc(alignment, n);
  CHECK(p || errno == EINVAL, "aligned_alloc(%zu, %zu): NULL with errno %d", alignment, n, errno);
  CHECK(!p || ((uintptr_t)p & 15) == 0, "aligned_alloc(%zu, %zu) is not aligned", alignment, n);
  free(p);
}

static void
aligned_alloc_rows(void) {
  expect_aligned_alloc(zero, 16);
  expect_aligned_alloc(zero + 3, 16);
  expect_aligned_alloc(zero + 24, 48);
  EXPECT_BLOCK(aligned_alloc(64, 100), 64, 100);
  EXPECT_BLOCK(aligned_alloc(4096, zero), 4096, 0);
  EXPECT_BLOCK(aligned_alloc(1, 40), 16, 40);
  EXPECT_NULL(aligned_alloc(size_max, 16), EINVAL);
  EXPECT_NULL(aligned_alloc(max_ptrdiff + 1, 16), ENOMEM);
}

static void
memalign_rows(void) {
  EXPECT_BLOCK(memalign(zero, 16), 16, 16);
  EXPECT_BLOCK(memalign(zero + 1, 16), 16, 16);
  EXPECT_BLOCK(memalign(zero + 3, 16), 16, 16);
  EXPECT_BLOCK(memalign(zero + 24, 16), 32, 16);
  EXPECT_NULL(memalign(size_max, 16), EINVAL);
  EXPECT_NULL(memalign(max_ptrdiff + 1, 16), ENOMEM);
  for (size_t a = 1; a <= (size_t)64 << 20; a *= 2) {
    EXPECT_BLOCK(memalign(a, zero + 1), a, 1);
    EXPECT_BLOCK(memalign(a, zero + 24), a, 24);
    EXPECT_BLOCK(memalign(a, zero + 5000), a, 5000);
    EXPECT_BLOCK(memalign(a, zero + 40000), a, 40000);
  }
}

static void
expect_posix_memalign(size_t alignment, size_t n, int want) {
  void *p = (void *)0x1234;
  int err = posix_memalign(&p, alignment, n);
  CHECK(err == want, "posix_memalign(%zu, %zu) returned %d, not %d", alignment, n, err, want);
  if (err) {
    CHECK(p == (void *)0x1234, "a failed posix_memalign(%zu, %zu) changed *p", alignment, n);
    return;
  }
  CHECK(p && ((uintptr_t)p & (alignment - 1)) == 0, "posix_memalign(%zu, %zu) is not aligned",
        alignment, n);
  CHECK(malloc_usable_size(p) >= n, "posix_memalign(%zu, %zu) is too small", alignment, n);
  memset(p, 0xA5, malloc_usable_size(p));
  free(p);
}

static void
posix_memalign_rows(void) {
  expect_posix_memalign(zero, 16, EINVAL);
  expect_posix_memalign(3, 16, EINVAL);
  expect_posix_memalign(4, 16, EINVAL);
  expect_posix_memalign(24, 16, EINVAL);
  expect_posix_memalign(64, max_ptrdiff + 1, ENOMEM);
  expect_posix_memalign(64, zero, 0);
  expect_posix_memalign((size_t)1 << 30, 10, 0);
  for (size_t a = 8; a <= (size_t)16 << 20; a *= 2)
    for (size_t n = 1; n < 100000; n = n * 4 + 1)
      expect_posix_memalign(a, n, 0);
}

static void
page_rows(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  EXPECT_BLOCK(valloc(1), page, 1);
  EXPECT_BLOCK(valloc(page + 1), page, page + 1);
  EXPECT_BLOCK(pvalloc(1), page, page);
  EXPECT_BLOCK(pvalloc(page + 1), page, 2 * page);
}

static void
alignment(void) {
  enum { KEEP = 3 };
  for (size_t n = 1; n < 70000; n += n < 5000 ? 1 : 61) {
    void *p[4 * KEEP];
    for (int i = 0; i < KEEP; i++) {
      p[4 * i] = malloc(n);
      p[4 * i + 1] = calloc(1, n);
      p[4 * i + 2] = realloc(NULL, n);
      p[4 * i + 3] = realloc(malloc(n / 2 + 1), n);
    }
    uintptr_t mask = n >= 16 ? 15 : n >= 8 ? 7 : 0;
    for (int i = 0; i < 4 * KEEP; i++) {
      CHECK(p[i] && ((uintptr_t)p[i] & mask) == 0, "%p for %zu bytes is not aligned to %zu", p[i], n,
            (size_t)mask + 1);
      free(p[i]);
    }
  }
}

static void
errno_kept(void) {
  for (size_t n = 1; n <= (size_t)64 << 20; n *= 2) {
    void *p = malloc(n);
    *(volatile char *)p = 1;
    errno = 77;
    free(p);
    CHECK(errno == 77, "free of %zu bytes set errno %d", n, errno);
  }
  errno = 77;
  free(NULL);
  CHECK(errno == 77, "free(NULL) set errno %d", errno);
  for (int i = 0; i < 100; i++) {
    errno = 77;
    void *p = calloc(1, 5000), *q = malloc(30), *r = memalign(4096, 100);
    p = realloc(p, 9000);
    int after = errno;
    free(p);
    free(q);
    free(r);
    CHECK(after == 77, "a successful allocation set errno %d", after);
  }
}

static bool
is_zero(const unsigned char *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (p[i])
      return false;
  return true;
}

static void *
calloc_worker(void *arg) {
  unsigned seed = (unsigned)(uintptr_t)arg;
  for (size_t n = 1; n < (size_t)4 << 20; n += n / 3 + 1 + seed) {
    unsigned count = n < 1000 ? 40 : n < 100000 ? 8 : 2;
    void *p[40];
    for (int dirty = 1; dirty >= 0; dirty--) {
      for (unsigned i = 0; i < count; i++) {
        p[i] = dirty ? malloc(n) : calloc(1, n);
        if (!p[i])
          FAIL("out of memory");
        CHECK(dirty || is_zero(p[i], n), "calloc of %zu bytes is not zero", n);
        memset(p[i], 0xFF, dirty ? malloc_usable_size(p[i]) : n);
      }
      for (unsigned i = 0; i < count; i++)
        free(p[i]);
    }
  }
  return NULL;
}

/* Dirty blocks come back zeroed, with a collector running or not, on one thread or several. */
static void
calloc_zeroes(void) {
  calloc_worker(NULL);
  struct hz_collector c;
  pthread_t t[4];
  collector_start(&c, 3);
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], calloc_worker, (void *)i);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  collector_stop(&c);
}

/* Large blocks: check the ends and a sample, or the copying alone takes seconds. */
static void
check_sampled(const unsigned char *p, size_t n, size_t from, size_t to) {
  size_t step = n > 200000 ? 4093 : 1;
  for (size_t i = 0; i < n; i += i + 4096 < n && i > 4096 ? step : 1)
    if (p[i] != hz_byte(9, i))
      FAIL("realloc %zu -> %zu lost byte %zu", from, to, i);
}

static unsigned
realloc_edges(size_t *edges, unsigned max) {
  unsigned n = 0;
  for (size_t s = 1; s <= 1100 && n < max; s += s < 260 ? 1 : 8)
    edges[n++] = s;
  for (size_t s = 1280; s <= (size_t)64 << 20 && n + 3 < max; s += s / 4) {
    edges[n++] = s - 1;
    edges[n++] = s;
    edges[n++] = s + 1;
  }
  edges[n++] = (size_t)64 << 20;
  return n;
}

static void
realloc_grows_and_shrinks(void) {
  static size_t edges[1200];
  unsigned n = realloc_edges(edges, HZ_COUNT(edges) - 4);
  size_t size = 0;
  unsigned char *p = NULL;
  for (unsigned i = 0; i < 2 * n; i++) {
    size_t to = edges[i < n ? i : 2 * n - 1 - i], from = size;
    p = realloc(p, to);
    if (!p)
      FAIL("realloc(%zu -> %zu): %s", from, to, strerror(errno));
    check_sampled(p, from < to ? from : to, from, to);
    if (to > from)
      guard_bytes(p, from, to, 9);
    size = to;
  }
  free(p);
  for (unsigned i = 0; i < n; i += 7) {   /* jumps between far classes */
    size_t small = edges[i], large = edges[n - 1 - i] > 3000000 ? 3000000 : edges[n - 1 - i];
    p = malloc(small);
    guard_block(p, small, 9);
    p = realloc(p, large);
    check_sampled(p, small < large ? small : large, small, large);
    free(p);
  }
}

static void
usable_is_writable(void) {
  enum { N = 64 };
  for (size_t n = 1; n < 600000; n += n / 6 + 1) {
    unsigned char *p[N];
    size_t usable[N];
    unsigned count = n < 20000 ? N : 8;
    for (unsigned i = 0; i < count; i++) {
      p[i] = i & 1 ? malloc(n) : calloc(1, n);
      usable[i] = malloc_usable_size(p[i]);
      CHECK(usable[i] >= n, "%zu bytes requested, %zu usable", n, usable[i]);
      guard_block(p[i], usable[i], i);
    }
    for (unsigned i = 0; i < count; i++) {
      CHECK(check_block(p[i], usable[i], i) < 0, "blocks of %zu bytes overlap", n);
      CHECK(malloc_usable_size(p[i]) == usable[i], "the usable size of %zu bytes changed", n);
      free(p[i]);
    }
  }
}

static int
by_address(const void *a, const void *b) {
  uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
  return x < y ? -1 : x > y;
}

static void
no_overlap(void) {
  enum { N = 100000 };
  static uintptr_t at[N];
  for (unsigned i = 0; i < N; i++)
    at[i] = (uintptr_t)malloc(8 + i * 7 % 200);
  qsort(at, N, sizeof *at, by_address);
  for (unsigned i = 1; i < N; i++)
    CHECK(at[i - 1] + malloc_usable_size((void *)at[i - 1]) <= at[i], "live blocks overlap");
  for (unsigned i = 0; i < N; i++)
    free((void *)at[i]);
}

/* Sixty-four threads put blocks into shared slots and free what others put there. */
static _Atomic(uintptr_t) slots[512];

static void *
cross_worker(void *arg) {
  unsigned r = (unsigned)(uintptr_t)arg * 2654435761u + 1;
  for (int i = 0; i < 4000; i++) {
    r = r * 1664525u + 1013904223u;
    size_t n = 16 + (r >> 8) % (r % 16 ? 500 : 20000);
    unsigned char *p = malloc(n);
    if (!p)
      FAIL("out of memory");
    memcpy(p, &n, sizeof n);
    guard_bytes(p, sizeof n, n, (unsigned)n);
    unsigned char *old = (void *)atomic_exchange(&slots[r % HZ_COUNT(slots)], (uintptr_t)p);
    if (!old)
      continue;
    memcpy(&n, old, sizeof n);
    if (n > 40000 || check_bytes(old, sizeof n, n, (unsigned)n) >= 0)
      FAIL("a block freed by another thread was overwritten");
    free(old);
  }
  return NULL;
}

static void
cross_thread_free(void) {
  pthread_t t[64];
  struct hz_collector c;
  collector_start(&c, 5);
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], cross_worker, (void *)i);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  collector_stop(&c);
  for (unsigned i = 0; i < HZ_COUNT(slots); i++)
    free((void *)atomic_load(&slots[i]));
}

/* libc's own functions that return malloc blocks. */
static void
libc_blocks(void) {
  char *s = strdup("hello"), *t = strndup("hello world", 7), *u = NULL, *line = NULL, *mem = NULL;
  size_t cap = 0, len = 0;
  CHECK(asprintf(&u, "%d-%s", 42, s) == 8 && !strcmp(u, "42-hello"), "asprintf");
  CHECK(!strcmp(t, "hello w"), "strndup");
  FILE *f = open_memstream(&mem, &len);
  for (int i = 0; i < 3000; i++)
    fprintf(f, "%d\n", i);
  fclose(f);
  f = fmemopen(mem, len, "r");
  int lines = 0;
  while (getline(&line, &cap, f) > 0)
    CHECK(atoi(line) == lines++, "getline");
  fclose(f);
  CHECK(lines == 3000, "getline found %d lines", lines);
  char *path = realpath("/", NULL), *cwd = getcwd(NULL, 0);
  CHECK(path && !strcmp(path, "/") && cwd, "realpath, getcwd");
  s = realloc(s, 100000);
  CHECK(s && !strcmp(s, "hello"), "realloc of a strdup'ed block");
  free(s);
  free(t);
  free(u);
  free(line);
  free(mem);
  free(path);
  free(cwd);
}

static void
tuning_calls(void) {
  CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1, "mallopt(M_MMAP_THRESHOLD) failed");
  int trimmed = malloc_trim(0);
  CHECK(trimmed == 0 || trimmed == 1, "malloc_trim(0) returned %d", trimmed);
  FILE *f = fopen("/dev/null", "w");
  CHECK(malloc_info(1, f) != 0, "malloc_info(1) accepted an unknown option");
  CHECK(malloc_info(0, f) == 0, "malloc_info(0) failed");
  fclose(f);
  struct mallinfo2 info = mallinfo2();
  (void)info;
}

static const struct hz_case cases[] = {
  {"zero_sizes", zero_sizes, 0, 0},
  {"too_big", too_big, 0, 0},
  {"realloc_zero_frees", realloc_zero_frees, 0, 0},
  {"failed_realloc", failed_realloc, 0, 0},
  {"aligned_alloc_rows", aligned_alloc_rows, 0, 0},
  {"memalign_rows", memalign_rows, 0, 0},
  {"posix_memalign_rows", posix_memalign_rows, 0, 0},
  {"page_rows", page_rows, 0, 0},
  {"alignment", alignment, 0, 0},
  {"errno_kept", errno_kept, 0, 0},
  {"calloc_zeroes", calloc_zeroes, 0, 0},
  {"realloc_grows_and_shrinks", realloc_grows_and_shrinks, 0, 0},
  {"usable_is_writable", usable_is_writable, 0, 0},
  {"no_overlap", no_overlap, 0, 0},
  {"cross_thread_free", cross_thread_free, 0, 0},
  {"libc_blocks", libc_blocks, 0, 0},
  {"tuning_calls", tuning_calls, 0, 0},
  {0},
};

HZ_MAIN("semantics", cases)
