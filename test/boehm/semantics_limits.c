/* SPDX-License-Identifier: MIT */
/* Collections forbidden and given up, limited memory, functions of the program's that are told, statistics. */
#include "semantics_common.h"

#include <gc/gc_mark.h>

#include <limits.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, KEPT = 350000 };

static void **kept;   /* a block of pointers, kept by this variable */

static void
start(void) {
  GC_INIT();
  kept = GC_malloc(KEPT * sizeof *kept);
}

static void
drop_all(void) {
  memset(kept, 0, KEPT * sizeof *kept);
}

/* ---- whether there is one ---- */

static void
each_counts(void) {
  start();
  for (int i = 0; i < 20; i++) {
    GC_word before = GC_get_gc_no();
    GC_gcollect();
    EXPECT_EQUAL(GC_get_gc_no(), before + 1);
  }
  GC_word before = GC_get_gc_no();
  GC_gcollect_and_unmap();
  EXPECT_EQUAL(GC_get_gc_no(), before + 1);
}

static void
take_garbage(size_t bytes) {
  for (size_t taken = 0; taken < bytes; taken += 1000)
    GC_reachable_here(GC_malloc_atomic(1000));
}

static void
disabled_nests(void) {
  start();
  GC_word before = GC_get_gc_no();
  EXPECT(!GC_is_disabled());
  GC_disable();
  GC_disable();
  EXPECT(GC_is_disabled());
  GC_gcollect();
  take_garbage(100 * MIB);
  GC_enable();
  EXPECT(GC_is_disabled());
  GC_gcollect();
  EXPECT_EQUAL(GC_get_gc_no(), before);
  GC_enable();
  EXPECT(!GC_is_disabled());
  GC_gcollect();
  EXPECT(GC_get_gc_no() > before);
}

static void
automatic_disabled(void) {
  start();
  GC_set_disable_automatic_collection(1);
  EXPECT_EQUAL(GC_get_disable_automatic_collection(), 1);
  GC_word before = GC_get_gc_no();
  take_garbage(100 * MIB);
  EXPECT_EQUAL(GC_get_gc_no(), before);
  GC_gcollect();
  EXPECT_EQUAL(GC_get_gc_no(), before + 1);
  GC_set_disable_automatic_collection(0);
  take_garbage(200 * MIB);
  EXPECT(GC_get_gc_no() > before + 1);
}

static void
automatic(void) {
  start();
  take_garbage(300 * MIB);
  EXPECT(GC_get_gc_no() > 0);
  EXPECT(GC_get_heap_size() < 150 * MIB);
}

static int
stop_at_once(void) {
  return 1;
}

static int
go_on(void) {
  return 0;
}

static void
given_up(void) {
  start();
  GC_word before = GC_get_gc_no();
  EXPECT_EQUAL(GC_try_to_collect(stop_at_once), 0);
  EXPECT_EQUAL(GC_get_gc_no(), before);
  EXPECT_EQUAL(GC_try_to_collect(go_on), 1);
  EXPECT_EQUAL(GC_get_gc_no(), before + 1);
  GC_set_stop_func(stop_at_once);
  EXPECT(GC_get_stop_func() == stop_at_once);
  GC_gcollect();
  EXPECT_EQUAL(GC_get_gc_no(), before + 1);
  GC_set_stop_func(go_on);
  GC_gcollect();
  EXPECT_EQUAL(GC_get_gc_no(), before + 2);
}

/* ---- memory ---- */

static size_t oom_bytes;
static unsigned oom_count, warnings;
static char reserve[5000];

static void *
give_reserve(size_t bytes) {
  oom_bytes = bytes;
  oom_count++;
  return reserve;
}

static void
count_warning(char *format, GC_word word) {
  (void)word;
  EXPECT(format && strncmp(format, "GC Warning", 10) == 0);
  warnings++;
}

/* The compiler thinks that what an allocation returns is nothing that it knows. */
static bool
is_reserve(void *block) {
  __asm__ volatile("" : "+r"(block));
  return block == (void *)reserve;
}

/* Keeps blocks until there are no more.  Each by itself, so that a pointer that is left somewhere keeps one only. */
static size_t
fill_heap(size_t block_bytes) {
  size_t count = 0;
  for (void *block; (block = GC_malloc(block_bytes)) && !is_reserve(block); count++) {
    EXPECT(count < KEPT);
    kept[count] = block;
  }
  return count;
}

static void
limit_heap(void) {
  start();
  GC_set_warn_proc(count_warning);
  GC_set_max_heap_size(32 * MIB);
}

static void
limit_returns_null(void) {
  limit_heap();
  for (int round = 0; round < 3; round++)
    for (size_t bytes = 100; bytes < MIB; bytes *= 9) {
      size_t count = fill_heap(bytes);
      EXPECT(count * bytes > 8 * MIB && count * bytes <= 32 * MIB);
      EXPECT(GC_get_heap_size() <= 33 * MIB);
      drop_all();
      collect();
    }
  EXPECT(GC_malloc(MIB));
}

static void
limit_asks_the_function(void) {
  limit_heap();
  GC_set_oom_fn(give_reserve);
  EXPECT(GC_get_oom_fn() == give_reserve);
  for (size_t bytes = 100; bytes < MIB; bytes *= 9) {
    oom_count = 0;
    fill_heap(bytes);
    EXPECT(oom_count == 1 && oom_bytes >= bytes);
    EXPECT(is_reserve(GC_malloc(16 * MIB)) && oom_bytes >= 16 * MIB);
    EXPECT(is_reserve(GC_malloc_atomic(16 * MIB)));
    EXPECT(is_reserve(GC_malloc_ignore_off_page(16 * MIB)));
    EXPECT(is_reserve(GC_generic_malloc(16 * MIB, 1)));
    EXPECT_EQUAL(oom_count, 5);
    drop_all();
    collect();
  }
}

/* As ecl and guile do, with nothing held and nothing half done. */
static jmp_buf out;

static void *
jump_out(size_t bytes) {
  oom_bytes = bytes;
  oom_count++;
  longjmp(out, 1);
}

static void *
allocate_in_thread(void *arg) {
  void *block = GC_malloc(1000);
  EXPECT(block && is_filled(block, 0, 1000));
  return arg;
}

static void
limit_is_left_by_a_jump(void) {
  limit_heap();
  GC_set_oom_fn(jump_out);
  for (volatile unsigned i = 0; i < 20; i++) {
    if (!setjmp(out)) {
      fill_heap(i % 2 ? 500 : 50000);
      EXPECT(false);   /* it leaves by the jump */
    }
    EXPECT_EQUAL(oom_count, i + 1);
    drop_all();
    collect();
    void *block = GC_malloc(MIB);
    EXPECT(block && is_filled(block, 0, MIB));
    pthread_t thread;
    EXPECT_EQUAL(GC_pthread_create(&thread, NULL, allocate_in_thread, NULL), 0);
    EXPECT_EQUAL(GC_pthread_join(thread, NULL), 0);
    EXPECT(GC_call_with_alloc_lock((GC_fn_type)GC_base, block) == block);
  }
}

/* The function frees, collects, and allocates again. */
static void *
free_and_retry(size_t bytes) {
  oom_count++;
  drop_all();
  GC_gcollect();
  return oom_count < 100 ? GC_malloc(bytes) : NULL;
}

static void
limit_with_a_function_that_frees(void) {
  limit_heap();
  GC_set_oom_fn(free_and_retry);
  for (unsigned i = 0; i < 400; i++) {
    kept[i] = GC_malloc(500000);
    EXPECT(kept[i]);
  }
  EXPECT(oom_count > 2 && oom_count < 100);
}

static void
limit_raised(void) {
  limit_heap();
  size_t before = fill_heap(10000);
  GC_set_max_heap_size(80 * MIB);
  drop_all();
  EXPECT(fill_heap(10000) > before * 3 / 2);
  GC_set_max_heap_size(0);
  drop_all();
  for (unsigned i = 0; i < 150; i++) {
    kept[i] = GC_malloc(MIB);
    EXPECT(kept[i]);
  }
}

static void
limit_does_not_hold_garbage_back(void) {
  limit_heap();
  take_garbage(500 * MIB);
  EXPECT_EQUAL(warnings, 0);
}

static void
expanded(void) {
  start();
  size_t before = GC_get_heap_size();
  EXPECT_EQUAL(GC_expand_hp(4 * MIB), 1);
  EXPECT(GC_get_heap_size() >= before);
}

/* ---- functions that are told ---- */

static unsigned starts;
static GC_word start_no;

static void
note_start(void) {
  starts++;
  start_no = GC_get_gc_no();
  EXPECT(GC_get_total_bytes() > 0);
}

static void
start_callback(void) {
  start();
  EXPECT(!GC_get_start_callback());
  GC_set_start_callback(note_start);
  EXPECT(GC_get_start_callback() == note_start);
  for (unsigned i = 1; i <= 5; i++) {
    GC_gcollect();
    EXPECT_EQUAL(starts, i);
    EXPECT_EQUAL(start_no, GC_get_gc_no() - 1);
  }
  GC_set_start_callback(NULL);
  GC_gcollect();
  EXPECT_EQUAL(starts, 5);
}

static GC_EventType events[100];
static unsigned event_count;

static void
note_event(GC_EventType event) {
  EXPECT(event_count < 100);
  events[event_count++] = event;
}

static void
events_in_order(void) {
  static const GC_EventType wanted[] = {
    GC_EVENT_START,         GC_EVENT_PRE_STOP_WORLD, GC_EVENT_POST_STOP_WORLD, GC_EVENT_MARK_START,
    GC_EVENT_MARK_END,      GC_EVENT_PRE_START_WORLD, GC_EVENT_POST_START_WORLD,
    GC_EVENT_RECLAIM_START, GC_EVENT_RECLAIM_END,    GC_EVENT_END,
  };
  enum { WANTED = sizeof wanted / sizeof *wanted };
  start();
  GC_set_on_collection_event(note_event);
  EXPECT(GC_get_on_collection_event() == note_event);
  for (int round = 0; round < 3; round++) {
    event_count = 0;
    GC_gcollect();
    EXPECT_EQUAL(event_count, WANTED);
    for (unsigned i = 0; i < WANTED; i++)
      EXPECT_EQUAL(events[i], wanted[i]);
  }
  GC_set_on_collection_event(NULL);
  GC_gcollect();
  EXPECT_EQUAL(event_count, WANTED);
}

static atomic_int ready, must_end;
static unsigned suspended, unsuspended;
static pthread_t told_thread;

static void
note_thread(GC_EventType event, void *thread) {
  suspended += event == GC_EVENT_THREAD_SUSPENDED;
  unsuspended += event == GC_EVENT_THREAD_UNSUSPENDED;
  told_thread = (pthread_t)(uintptr_t)thread;
}

static void *
spin(void *arg) {
  atomic_store(&ready, 1);
  while (!atomic_load(&must_end))
    ;
  return arg;
}

static void
thread_events(void) {
  pthread_t thread;
  start();
  EXPECT_EQUAL(GC_pthread_create(&thread, NULL, spin, NULL), 0);
  while (!atomic_load(&ready))
    usleep(1000);
  GC_set_on_thread_event(note_thread);
  EXPECT(GC_get_on_thread_event() == note_thread);
  for (unsigned i = 1; i <= 3; i++) {
    GC_gcollect();
    EXPECT_EQUAL(suspended, i);
    EXPECT_EQUAL(unsuspended, i);
    EXPECT(pthread_equal(told_thread, thread));
  }
  atomic_store(&must_end, 1);
  GC_pthread_join(thread, NULL);
}

static GC_word resized_to;

static void
note_size(GC_word bytes) {
  resized_to = bytes;
}

static void
heap_resize(void) {
  start();
  GC_set_on_heap_resize(note_size);
  EXPECT(GC_get_on_heap_resize() == note_size);
  for (unsigned i = 0; i < 40; i++)
    kept[i] = GC_malloc_atomic(MIB);
  GC_gcollect();
  EXPECT(resized_to >= 40 * MIB);
}

static void
warnings_told(void) {
  start();
  EXPECT(GC_get_warn_proc() != count_warning);
  GC_set_warn_proc(count_warning);
  EXPECT(GC_get_warn_proc() == count_warning);
  volatile size_t bytes = SIZE_MAX / 4;
  EXPECT(!GC_malloc(bytes));
  EXPECT(warnings > 0);
  unsigned before = warnings;
  GC_set_warn_proc(GC_ignore_warn_proc);
  EXPECT(!GC_malloc(bytes));
  EXPECT_EQUAL(warnings, before);
}

/* ---- the end ---- */

static int told_fd;

static void
tell_reason(const char *reason) {
  EXPECT(write(told_fd, reason ? "reason" : "none", 5) == 5);
}

static void
abort_told(void) {
  int ends[2], status;
  char told[10] = "";
  start();
  EXPECT(pipe(ends) == 0);
  told_fd = ends[1];
  fflush(stdout);
  pid_t pid = fork();
  if (!pid) {
    GC_set_abort_func(tell_reason);
    if (GC_get_abort_func() == tell_reason)
      GC_general_register_disappearing_link((void **)((char *)kept + 1), kept);
    _exit(0);
  }
  EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  EXPECT(read(ends[0], told, 5) == 5 && !strcmp(told, "reaso"));
}

/* ---- numbers ---- */

static void
prof_stats(void) {
  struct {
    struct GC_prof_stats_s stats;
    GC_word behind[4];
  } more;
  struct GC_prof_stats_s stats;
  start();
  GC_gcollect();
  EXPECT_EQUAL(GC_get_prof_stats(&stats, sizeof stats), sizeof stats);
  EXPECT(stats.heapsize_full > 0 && stats.free_bytes_full <= stats.heapsize_full && stats.obtained_from_os_bytes > 0);
  EXPECT_EQUAL(stats.gc_no, GC_get_gc_no());
  EXPECT_EQUAL(stats.non_gc_bytes, GC_get_non_gc_bytes());

  memset(&stats, 0x11, sizeof stats);
  EXPECT_EQUAL(GC_get_prof_stats(&stats, 2 * sizeof(GC_word)), 2 * sizeof(GC_word));
  EXPECT(stats.heapsize_full != 0x1111111111111111);
  EXPECT(is_filled(&stats.unmapped_bytes, 0x11, sizeof stats - 2 * sizeof(GC_word)));

  memset(&more, 0, sizeof more);
  EXPECT_EQUAL(GC_get_prof_stats(&more.stats, sizeof more), sizeof stats);
  EXPECT(is_filled(more.behind, 0xff, sizeof more.behind));
  EXPECT_EQUAL(GC_get_prof_stats_unsafe(&stats, sizeof stats), sizeof stats);
}

static void
bytes_since_a_collection(void) {
  start();
  GC_gcollect();
  GC_disable();
  size_t total = GC_get_total_bytes(), since = GC_get_bytes_since_gc();
  EXPECT(since < MIB);
  for (unsigned i = 0; i < 1000; i++)
    kept[i] = GC_malloc(10000);
  EXPECT(GC_get_bytes_since_gc() - since >= 9 * MIB && GC_get_bytes_since_gc() - since < 20 * MIB);
  EXPECT(GC_get_total_bytes() - total >= 9 * MIB && GC_get_total_bytes() - total < 20 * MIB);
  GC_enable();
  GC_gcollect();
  EXPECT(GC_get_bytes_since_gc() < MIB);
  EXPECT(GC_get_total_bytes() - total >= 9 * MIB);
}

static void
bytes_freed(void) {
  start();
  GC_gcollect();
  EXPECT_EQUAL(GC_get_expl_freed_bytes_since_gc(), 0);
  for (unsigned i = 0; i < 100; i++)
    GC_free(GC_malloc(10000));
  size_t freed = GC_get_expl_freed_bytes_since_gc();
  EXPECT(freed >= 1000000 && freed < 2000000);
  GC_gcollect();
  EXPECT_EQUAL(GC_get_expl_freed_bytes_since_gc(), 0);
}

static void
heap_usage(void) {
  GC_word heap, unused, unmapped, since, total;
  start();
  for (unsigned i = 0; i < 100; i++)
    kept[i] = GC_malloc(100000);
  GC_get_heap_usage_safe(&heap, &unused, &unmapped, &since, &total);
  EXPECT(heap >= 9 * MIB && heap < 100 * MIB);
  EXPECT(unused < heap && heap - unused >= 9 * MIB);
  EXPECT(total >= 9 * MIB && total < 30 * MIB && since <= total);
  EXPECT(GC_get_memory_use() >= 9 * MIB);
  EXPECT(GC_get_obtained_from_os_bytes() >= heap);
  GC_get_heap_usage_safe(NULL, NULL, NULL, NULL, NULL);
}

static size_t
resident_bytes(void) {
  size_t pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  EXPECT(file && fscanf(file, "%*s %zu", &pages) == 1);
  fclose(file);
  return pages * 4096;
}

static void
fill_and_drop(void) {
  for (unsigned i = 0; i < 100; i++)
    memset(kept[i] = GC_malloc_atomic(MIB), 1, MIB);
}

static void
unmapped(void) {
  start();
  deep(fill_and_drop);
  size_t full = resident_bytes();
  drop_all();
  collect();
  GC_gcollect_and_unmap();
  EXPECT(full - resident_bytes() > 80 * MIB);
}

/* ---- what is set is what is got ---- */

#define ROUND_TRIP(name, value)                    \
  do {                                             \
    GC_set_##name(value);                          \
    EXPECT_EQUAL(GC_get_##name(), (value));        \
  } while (0)

static void
settings_kept(void) {
  start();
  ROUND_TRIP(free_space_divisor, 5);
  ROUND_TRIP(max_retries, 7);
  ROUND_TRIP(full_freq, 11);
  ROUND_TRIP(time_limit, 123);
  ROUND_TRIP(non_gc_bytes, 1000);
  ROUND_TRIP(dont_expand, 1);
  ROUND_TRIP(dont_precollect, 1);
  ROUND_TRIP(finalize_on_demand, 1);
  ROUND_TRIP(java_finalization, 1);
  ROUND_TRIP(rate, 9);
  ROUND_TRIP(max_prior_attempts, 4);
  ROUND_TRIP(min_bytes_allocd, 77);
  ROUND_TRIP(allocd_bytes_per_finalizer, 333);
  ROUND_TRIP(force_unmap_on_gcollect, 1);
  ROUND_TRIP(disable_automatic_collection, 1);
  struct GC_timeval_s limit = {.tv_ms = 20, .tv_nsec = 0};
  GC_set_time_limit_tv(limit);
  EXPECT_EQUAL(GC_get_time_limit_tv().tv_ms, 20);
  EXPECT_EQUAL(GC_get_time_limit(), 20);
}

/* Before the library has started, as ecl and guile do. */
static void
settings_before_the_start(void) {
  EXPECT(!GC_is_init_called());
  GC_set_java_finalization(1);
  GC_set_time_limit(GC_TIME_UNLIMITED);
  GC_set_free_space_divisor(4);
  GC_set_warn_proc(count_warning);
  GC_set_oom_fn(give_reserve);
  GC_set_handle_fork(1);
  EXPECT(!GC_is_init_called());
  start();
  EXPECT(GC_is_init_called());
  EXPECT(GC_get_java_finalization() == 1 && GC_get_free_space_divisor() == 4 && GC_get_oom_fn() == give_reserve);
  EXPECT(GC_get_warn_proc() == count_warning);
  EXPECT_EQUAL(GC_get_version() >> 16, 8);
}

static void
performance_measured(void) {
  start();
  GC_start_performance_measurement();
  unsigned long before = GC_get_full_gc_total_time();
  for (int i = 0; i < 5; i++)
    GC_gcollect();
  EXPECT(GC_get_full_gc_total_time() >= before && GC_get_full_gc_total_time() < 60000);
}

static const struct test_case cases[] = {
  CASE(each_counts, ANYONES | COUNTS),
  CASE(disabled_nests, ANYONES),
  CASE(automatic_disabled, ANYONES | COUNTS),
  CASE(automatic, ANYONES),
  CASE(given_up, ANYONES | COUNTS),
  CASE(limit_returns_null, ANYONES),
  CASE(limit_asks_the_function, ANYONES),
  CASE(limit_is_left_by_a_jump, ANYONES),
  CASE(limit_with_a_function_that_frees, ANYONES),
  CASE(limit_raised, ANYONES),
  CASE(limit_does_not_hold_garbage_back, ANYONES),
  CASE(expanded, ANYONES),
  CASE(start_callback, ANYONES | COUNTS),
  CASE(events_in_order, ANYONES | COUNTS),
  CASE(thread_events, ANYONES | COUNTS),
  CASE(heap_resize, ANYONES),
  CASE(warnings_told, ANYONES),
  CASE(abort_told, ANYONES),
  CASE(prof_stats, ANYONES | COUNTS),
  CASE(bytes_since_a_collection, ANYONES | COUNTS),
  CASE(bytes_freed, ANYONES | COUNTS),
  CASE(heap_usage, ANYONES | COUNTS),
  CASE(unmapped, ANYONES),
  CASE(settings_kept, ANYONES),
  CASE(settings_before_the_start, ANYONES),
  CASE(performance_measured, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
