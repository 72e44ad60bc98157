/* SPDX-License-Identifier: MIT */
/* A client that notes when it is asked, forbids, describes, pushes and concludes. */
#include "unit.h"

#include "base/fatal.h"
#include "base/meta.h"
#include "base/options.h"
#include "gc/alloc.h"
#include "gc/client.h"
#include "gc/cycle.h"
#include "gc/mark_block.h"
#include "gc/runtime.h"
#include "world/thread.h"

#include <errno.h>
#include <unistd.h>

enum { KIND = 3, BLOCKS = 200, BLOCK_BYTES = 48 };

/* ---- the client: what it checks on other threads than the test's is not told to Check, which allocates ---- */

static char asked[32];   /* a letter for each call, in order */
static bool forbids, has_code_to_run, was_asked_for;
static uintptr_t pushed_addr, kept_addr, pusher_thread;   /* hidden */
static unsigned scanned;
static struct cycle_report last_report;

static void
note(char call) {
  size_t length = strlen(asked);
  CGC_CHECK(length + 1 < sizeof asked);
  asked[length] = call;
}

static bool
may_collect(bool is_asked_for) {
  was_asked_for = is_asked_for;
  return !forbids;
}

static void
begin(void) {
  note('b');
}

static bool
needs_stop(void) {
  return has_code_to_run;
}

static void
scan_first_word(struct marker *marker, const struct cgc_span *span, uintptr_t addr) {
  CGC_CHECK(span->client_kind == KIND);
  scanned++;
  mark_address(marker, *(const uintptr_t *)addr);
}

static void
push_roots_stw(struct marker *marker) {
  note('p');
  pusher_thread = (uintptr_t)pthread_self();
  if (pushed_addr)
    mark_address(marker, ~pushed_addr);
}

static void
conclude_stw(struct marker *marker) {
  note('c');
  if (pushed_addr)
    CGC_CHECK(mark_has(~pushed_addr));
  if (!kept_addr)
    return;
  CGC_CHECK(!mark_has(~kept_addr));
  mark_revive_stw(marker, ~kept_addr);
}

static void
note_end(const struct cycle_report *report) {
  CGC_CHECK(report->collection.err == 0);
  last_report = *report;
  note('e');
}

static void
start(void) {
  gc_client.may_collect = may_collect;
  gc_client.begin = begin;
  gc_client.needs_stop = needs_stop;
  gc_client.scan_block = scan_first_word;
  gc_client.push_roots_stw = push_roots_stw;
  gc_client.conclude_stw = conclude_stw;
  cycle_listener = note_end;
  unit_start_runtime();
  option_values[OPTION_CONFIRM] = 1;
}

static void
collect(void) {
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
}

/* ---- blocks, whose addresses stand in disguise only ---- */

static uintptr_t hidden[BLOCKS];

static bool
is_allocated(uintptr_t hidden_block) {
  enum free_verdict verdict;
  return alloc_find_block(unit_reveal(hidden_block), &verdict) != NULL;
}

static uintptr_t *
take(unsigned index) {
  uintptr_t *block = alloc_zeroed(BLOCK_BYTES, SPAN_KIND_COLLECTED);
  ck_assert_ptr_nonnull(block);
  hidden[index] = unit_hide(block);
  return block;
}

CGC_NOINLINE static void
take_all(void) {
  for (unsigned i = 0; i < BLOCKS; i++)
    take(i);
}

/* Calls leave nothing of blocks where a collection looks. */
CGC_NOINLINE static void
wipe_stack(void) {
  volatile char room[64 * 1024];
  for (size_t i = 0; i < sizeof room; i++)
    room[i] = 0;
}

static unsigned
count_allocated(void) {
  unsigned count = 0;
  for (unsigned i = 0; i < BLOCKS; i++)
    count += hidden[i] && is_allocated(hidden[i]);
  return count;
}

/* ---- whether and when ---- */

START_TEST(client_is_asked_in_order) {
  start();
  has_code_to_run = _i;
  collect();
  ck_assert_str_eq(asked, "bpce");
  collect();
  ck_assert_str_eq(asked, "bpcebpce");
}
END_TEST

START_TEST(client_forbids) {
  start();
  forbids = true;
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), EPERM);
  ck_assert(was_asked_for);
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_HEAP), EPERM);
  ck_assert(!was_asked_for);
  ck_assert_str_eq(asked, "");
  forbids = false;
  collect();
}
END_TEST

/* On the thread that asked for it, however many help or run beside the program otherwise. */
START_TEST(client_with_code_to_run_is_called_by_the_thread_that_collects) {
  start();
  has_code_to_run = true;
  collect();
  ck_assert(pthread_equal((pthread_t)pusher_thread, pthread_self()));
}
END_TEST

/* ---- what it keeps ---- */

START_TEST(client_pushes_roots) {
  start();
  has_code_to_run = _i;
  take_all();
  wipe_stack();
  pushed_addr = hidden[7];
  collect();
  ck_assert(is_allocated(hidden[7]));
  ck_assert_uint_lt(count_allocated(), BLOCKS / 2);
  pushed_addr = 0;
  collect();
  ck_assert(!is_allocated(hidden[7]));
}
END_TEST

CGC_NOINLINE static void
take_pair(void) {
  uintptr_t *block = take(0);
  *block = (uintptr_t)take(1);
}

/* What the end of the mark keeps, with what it refers to; for the pace of the next cycle it is garbage. */
START_TEST(client_concludes) {
  start();
  has_code_to_run = _i;
  take_pair();
  wipe_stack();
  kept_addr = hidden[0];
  collect();
  ck_assert_uint_eq(count_allocated(), 2);
  ck_assert_uint_ge(last_report.collection.trace.revived_bytes, 2 * BLOCK_BYTES);
  ck_assert_uint_lt(last_report.collection.trace.revived_bytes, 3 * BLOCK_BYTES);
  ck_assert_uint_ge(last_report.found.held_bytes, 2 * BLOCK_BYTES);
  kept_addr = 0;
  collect();
  ck_assert_uint_eq(count_allocated(), 0);
  ck_assert_uint_eq(last_report.collection.trace.revived_bytes, 0);
}
END_TEST

/* ---- what it describes: its spans are of a cache that is apart, and where no scan finds it ---- */

static uintptr_t hidden_cache;

static struct thread_cache *
apart(void) {
  return unit_reveal(hidden_cache);
}

static void
make_cache(void) {
  struct thread_cache *cache = meta_alloc(sizeof *cache);
  ck_assert(cache && thread_cache_init(cache));
  cache->is_apart = true;
  hidden_cache = unit_hide(cache);
}

CGC_NOINLINE static void
take_described(void) {
  struct thread_cache *self = runtime_enter();
  unsigned span_class = span_class_of(size_class_of(BLOCK_BYTES), SPAN_KIND_COLLECTED);
  ck_assert_ptr_nonnull(self);
  make_cache();
  struct cgc_span *span = alloc_fresh_span(self, span_class);
  ck_assert_ptr_nonnull(span);
  span->client_kind = KIND;
  thread_cache_add(apart(), span);
  uintptr_t *block = thread_cache_try_pop(apart(), span_class);
  if (!block) {
    ck_assert(thread_cache_refill(apart(), span_class));
    block = thread_cache_try_pop(apart(), span_class);
  }
  ck_assert_ptr_nonnull(block);
  memset(block, 0, BLOCK_BYTES);
  hidden[0] = unit_hide(block);
  runtime_leave(self);
}

CGC_NOINLINE static void
fill_described(void) {
  uintptr_t *block = unit_reveal(hidden[0]);
  block[0] = (uintptr_t)take(1);
  block[1] = (uintptr_t)take(2);
}

static void
close_windows_stw(struct marker *marker) {
  conclude_stw(marker);
  thread_cache_flush(apart());
}

START_TEST(client_describes_blocks) {
  start();
  gc_client.conclude_stw = close_windows_stw;
  has_code_to_run = _i;
  take_described();
  fill_described();
  wipe_stack();
  pushed_addr = hidden[0];
  for (int round = 0; round < 3; round++)
    collect();
  ck_assert_uint_ge(scanned, 3);
  ck_assert(is_allocated(hidden[0]) && is_allocated(hidden[1]) && !is_allocated(hidden[2]));
  pushed_addr = 0;
  collect();
  ck_assert_uint_eq(count_allocated(), 0);
}
END_TEST

START_TEST(client_is_none_at_first) {
  unit_start_runtime();
  ck_assert(gc_client.may_collect(false) && !gc_client.needs_stop());
  gc_client.begin();
  gc_client.push_roots_stw(NULL);
  gc_client.conclude_stw(NULL);
  gc_client.adopt_fork();
  ck_assert_int_eq(cycle_collect(CYCLE_CAUSE_FORCED), 0);
}
END_TEST

Suite *
client_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("client", &tests);
  tcase_add_loop_test(tests, client_is_asked_in_order, 0, 2);
  tcase_add_test(tests, client_forbids);
  tcase_add_test(tests, client_with_code_to_run_is_called_by_the_thread_that_collects);
  tcase_add_loop_test(tests, client_pushes_roots, 0, 2);
  tcase_add_loop_test(tests, client_concludes, 0, 2);
  tcase_add_loop_test(tests, client_describes_blocks, 0, 2);
  tcase_add_test(tests, client_is_none_at_first);
  return suite;
}
