/* SPDX-License-Identifier: MIT */
/* The functions of cgc.h: their contracts stand there. */
#include "cgc.h"

#include "front/interpose.h"
#include "front/leaks.h"
#include "front/recorded.h"
#include "gc/alloc.h"
#include "gc/cycle.h"
#include "gc/memory_limit.h"
#include "gc/runtime.h"
#include "heap/page_heap.h"
#include "report/stats.h"
#include "report/version.h"
#include "world/roots.h"

#include <errno.h>

#define CALLER __builtin_return_address(0)

static void *
or_no_memory(void *block) {
  if (!block)
    errno = ENOMEM;
  return block;
}

static void *
zeroed(size_t bytes, enum record_function function) {
  if (recorded_is_wanted())
    return or_no_memory(recorded_calloc(bytes, function));
  return or_no_memory(alloc_zeroed(bytes, SPAN_KIND_COLLECTED));
}

void *
cgc_malloc(size_t bytes) {
  return zeroed(bytes, RECORD_CGC_MALLOC);
}

void *
cgc_malloc_noscan(size_t bytes) {
  enum { KIND = SPAN_KIND_COLLECTED | SPAN_KIND_NOSCAN };
  if (recorded_is_wanted())
    return or_no_memory(recorder_alloc(bytes, KIND, false, RECORD_CGC_MALLOC_NOSCAN));
  return or_no_memory(alloc_block(bytes, KIND));
}

void *
cgc_calloc(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total))
    return or_no_memory(NULL);
  return zeroed(total, RECORD_CGC_CALLOC);
}

void *
cgc_realloc(void *block, size_t bytes) {
  return block ? interpose_realloc(block, bytes, RECORD_CGC_REALLOC, CALLER) : zeroed(bytes, RECORD_CGC_REALLOC);
}

void
cgc_free(void *block) {
  interpose_free("cgc_free", block, CALLER);
}

/* Makes sure that the library has started and that a fork has been adopted. */
static int
enter_once(void) {
  return runtime_prepare() ? 0 : ENOMEM;
}

int
cgc_collect(void) {
  int errno_before = errno, err = enter_once();
  if (!err)
    err = cycle_collect(CYCLE_CAUSE_FORCED);
  errno = errno_before;
  return err;
}

unsigned
cgc_set_percent(unsigned percent) {
  if (percent < 1 || percent > 1000000 || enter_once())
    return 0;
  unsigned before = (unsigned)cycle_percent();
  cycle_set_percent(percent);
  return before;
}

uint64_t
cgc_set_memory_limit(uint64_t bytes) {
  bool is_valid = bytes >= CGC_MEMORY_LIMIT_MIN || bytes == CGC_MEMORY_LIMIT_AUTO;
  if (!is_valid || enter_once())
    return 0;
  uint64_t before = memory_limit_setting();
  memory_limit_set(bytes);
  return before;
}

size_t
cgc_release_memory(void) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return 0;
  thread_cache_collect_remote(cache, UINT32_MAX);
  size_t bytes = page_heap_scavenge(0);
  runtime_leave(cache);
  return bytes;
}

/* The registered ranges' lock is taken in collections too: not to be stopped while it is held. */
int
cgc_add_roots(const void *start, const void *end) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return ENOMEM;
  int err = roots_add((uintptr_t)start, (uintptr_t)end);
  runtime_leave(cache);
  return err;
}

int
cgc_remove_roots(const void *start, const void *end) {
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return ENOMEM;
  int err = roots_remove((uintptr_t)start, (uintptr_t)end);
  runtime_leave(cache);
  return err;
}

/* ---- leaks ---- */

long
cgc_leak_check(void) {
  int errno_before = errno;
  struct check_result result = leaks_check_requested();
  errno = result.err ? result.err : errno_before;
  return result.err ? -1 : result.blocks;
}

int
cgc_leak_ignore(const void *block) {
  if (!recorded_is_wanted())
    return 0;
  return recorder_ignore_block(block) ? 0 : EINVAL;
}

void
cgc_leak_disable(void) {
  if (recorded_is_wanted())
    recorder_ignore();
}

void
cgc_leak_enable(void) {
  if (recorded_is_wanted())
    recorder_heed();
}

/* ---- numbers ---- */

int
cgc_stats_read(struct cgc_stats *stats) {
  if (stats->version < 1 || stats->version > CGC_STATS_VERSION)
    return EINVAL;
  stats_fill(stats);
  return 0;
}

const char *
cgc_version(void) {
  return VERSION_OF_LIBRARY;
}
