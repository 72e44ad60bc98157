/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/hull.h"
#include "base/log.h"
#include "base/meta.h"
#include "gc/runtime.h"
#include "heap/page_heap.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { TEST_SECONDS_MAX = 60 };

Suite *
unit_suite(const char *name, TCase **tests) {
  Suite *suite = suite_create(name);
  *tests = tcase_create(name);
  tcase_set_timeout(*tests, TEST_SECONDS_MAX);
  suite_add_tcase(suite, *tests);
  return suite;
}

void
unit_start_heap(void) {
  ck_assert(hull_init());
  ck_assert(meta_init());
  page_heap_init();
}

struct thread_cache *
unit_start_runtime(void) {
  struct thread_cache *cache = runtime_enter();
  ck_assert_ptr_nonnull(cache);
  runtime_leave(cache);
  return cache;
}

void *
unit_take(struct thread_cache *cache, unsigned span_class) {
  void *block = thread_cache_try_pop(cache, span_class);
  if (block)
    return block;
  ck_assert(thread_cache_init(cache));
  if (!thread_cache_refill(cache, span_class)) {
    struct cgc_span *span = page_heap_alloc(span_class, span_class_size(span_class)->page_count, 1);
    ck_assert_ptr_nonnull(span);
    thread_cache_install(cache, span);
  }
  block = thread_cache_try_pop(cache, span_class);
  ck_assert_ptr_nonnull(block);
  return block;
}

void *
unit_take_large(size_t bytes, unsigned kind) {
  struct cgc_span *span = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, kind), bytes >> SPAN_PAGE_BYTES_LOG2, 1);
  ck_assert_ptr_nonnull(span);
  return (void *)span->base_addr;
}

/* ---- threads ---- */

pthread_t
unit_start_thread(void *(*function)(void *), void *arg) {
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, function, arg), 0);
  return thread;
}

void
unit_await(atom_int *word) {
  while (!atom_int_load_acq(word))
    usleep(100);
}

/* ---- random numbers ---- */

uint64_t
unit_seed(void) {
  static uint64_t seed;
  const char *given = getenv("CGC_TEST_SEED");
  if (!seed)
    seed = given ? strtoull(given, NULL, 0) : ((uint64_t)time(NULL) << 16) ^ (uint64_t)(unsigned)getpid();
  return seed;
}

void
unit_print_seed(void) {
  printf("random tests: CGC_TEST_SEED=%llu\n", (unsigned long long)unit_seed());
  fflush(stdout);
}

struct unit_random
unit_random_start(void) {
  return (struct unit_random){unit_seed() * 0x9e3779b97f4a7c15 | 1};
}

uint64_t
unit_random_below(struct unit_random *random, uint64_t limit) {
  uint64_t x = random->state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  random->state = x;
  return (x >> 11) % limit;
}

/* ---- what the library logs ---- */

static char log_file[64];

void
unit_log_capture(void) {
  snprintf(log_file, sizeof log_file, "/tmp/cgc-unit-log.XXXXXX");
  int fd = mkstemp(log_file);
  ck_assert_int_ge(fd, 0);
  close(fd);
  static struct path_template path;
  ck_assert(path_set(&path, log_file, strlen(log_file)));
  log_set_path(&path);
}

const char *
unit_log_text(void) {
  static char text[8192];
  int fd = open(log_file, O_RDONLY);
  ck_assert_int_ge(fd, 0);
  ssize_t bytes = read(fd, text, sizeof text - 1);
  ck_assert_int_ge(bytes, 0);
  text[bytes] = 0;
  close(fd);
  unlink(log_file);
  return text;
}
