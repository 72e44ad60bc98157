/* SPDX-License-Identifier: MIT */
/* The registry, with threads that register as the interposed pthread_create lets them. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "base/platform.h"
#include "gc/runtime.h"
#include "heap/page_heap.h"
#include "world/park.h"
#include "world/stop.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLASS_256_BYTES = 18, BLOCKS = 1000 };

static void *blocks[BLOCKS];
static struct cgc_thread *record;
static atom_int is_ready, must_end;

static size_t
count_records(void) {
  size_t count = 0;
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next)
    count++;
  return count;
}

static void
register_and_allocate(void) {
  struct thread_cache *cache = runtime_enter();
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = unit_take(cache, span_class_of(CLASS_256_BYTES, 0));
  runtime_leave(cache);
  record = thread_self();
}

static void *
allocate_and_end(void *arg) {
  register_and_allocate();
  return arg;
}

static void *
allocate_and_wait(void *arg) {
  register_and_allocate();
  atom_int_store_rel(&is_ready, 1);
  while (!atom_int_load_acq(&must_end))
    usleep(100);
  return arg;
}

/* A thread that has been joined exists for a moment longer. */
static void
await_end_of(int tid) {
  while (platform_thread_exists(tid))
    usleep(100);
}

static void
free_remotely(int step) {
  for (int i = 0; i < BLOCKS; i += step) {
    struct cgc_span *span = heap_map_span((uintptr_t)blocks[i]);
    ck_assert(span_free_remote(span, span_slot_of(span, (uintptr_t)blocks[i])));
  }
}

static int
in_stopped_world(void (*act)(void)) {
  struct stop_result result;
  int err = stop_world_begin(&result);
  if (!err) {
    act();
    stop_world_end();
  }
  return err;
}

START_TEST(thread_registered_has_a_record_and_a_cache) {
  struct thread_cache *cache = unit_start_runtime();
  ck_assert_ptr_eq(thread_cache_self, cache);
  ck_assert_ptr_eq(&thread_self()->cache, cache);
  ck_assert_int_eq((int)atom_int_load_rlx(&thread_self()->tid), platform_thread_id());
  ck_assert_ptr_eq(thread_find_or_add(platform_thread_id()), thread_self());
  ck_assert_uint_eq(count_records(), 1);
}
END_TEST

START_TEST(thread_unknown_is_added_once) {
  unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_wait, NULL);
  unit_await(&is_ready);
  int tid = (int)atom_int_load_rlx(&record->tid);
  ck_assert_ptr_eq(thread_find_or_add(tid), record);
  ck_assert_uint_eq(count_records(), 2);
  atom_int_store_rel(&must_end, 1);
  pthread_join(thread, NULL);
}
END_TEST

START_TEST(thread_records_of_ended_threads_are_used_again) {
  enum { TAKEN_BEFORE_LOOKING = 8 };
  unit_start_runtime();
  for (int i = 0; i < 50; i++) {
    pthread_join(unit_start_thread(allocate_and_end, NULL), NULL);
    await_end_of((int)atom_int_load_rlx(&record->tid));
    ck_assert_uint_le(count_records(), 1 + TAKEN_BEFORE_LOOKING);
  }
}
END_TEST

START_TEST(thread_ended_leaves_its_blocks_to_others) {
  struct thread_cache *cache = unit_start_runtime();
  pthread_join(unit_start_thread(allocate_and_end, NULL), NULL);
  size_t used = page_heap_used_bytes();
  ck_assert_uint_ne(atom_load_rlx(&heap_map_span((uintptr_t)blocks[0])->owner), (uintptr_t)record->cache.owner);
  free_remotely(1);
  cache = runtime_enter();
  for (int i = 0; i < BLOCKS; i++)
    unit_take(cache, span_class_of(CLASS_256_BYTES, 0));
  runtime_leave(cache);
  ck_assert_uint_le(page_heap_used_bytes(), used);
}
END_TEST

START_TEST(thread_settling_takes_in_what_was_freed_for_stopped_threads) {
  unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_wait, NULL);
  unit_await(&is_ready);
  free_remotely(1);
  ck_assert_uint_eq(record->cache.retained_pages, 0);
  ck_assert_int_eq(in_stopped_world(thread_settle_stw), 0);
  ck_assert_uint_gt(record->cache.retained_pages, 0);   /* empty spans, known as such */
  page_heap_check();
  atom_int_store_rel(&must_end, 1);
  pthread_join(thread, NULL);
}
END_TEST

/* The record stays when a thread ends, for libc frees after its last destructor. */
START_TEST(thread_settling_gives_back_the_cache_of_a_thread_that_is_gone) {
  unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_wait, NULL);
  unit_await(&is_ready);
  atom_int_store_rel(&must_end, 1);
  pthread_join(thread, NULL);
  await_end_of((int)atom_int_load_rlx(&record->tid));
  ck_assert_uint_ne(atom_int_load_rlx(&record->tid), 0);
  ck_assert_int_eq(in_stopped_world(thread_settle_stw), 0);
  ck_assert_uint_eq(atom_int_load_rlx(&record->tid), 0);
  ck_assert(!record->has_cache);
}
END_TEST

static void *
note_stack(void *arg) {
  volatile char local;
  runtime_leave(runtime_enter());
  thread_note_stack();
  record = thread_self();
  return (void *)(record->stack_low_addr < (uintptr_t)&local && (uintptr_t)&local < record->stack_end_addr &&
                  record->stack_end_addr <= (uintptr_t)pthread_self() ? &record : arg);
}

START_TEST(thread_stack_is_noted_up_to_the_descriptor) {
  void *result;
  unit_start_runtime();
  pthread_join(unit_start_thread(note_stack, NULL), &result);
  ck_assert_ptr_nonnull(result);
}
END_TEST

/* ---- idle threads ---- */

static atom_int must_refill, has_refilled, must_wake;

/* Sleeps parked (arg: or not), allocates once, sleeps again, frees what is left and ends. */
static void *
allocate_and_sleep(void *arg) {
  bool parks = arg != NULL;
  register_and_allocate();
  struct cgc_thread *parked = parks ? park_begin(arch_stack_pointer()) : NULL;
  atom_int_store_rel(&is_ready, 1);
  unit_await(&must_refill);
  park_end(parked);
  struct thread_cache *cache = runtime_enter();
  for (int i = 0; i < BLOCKS / 2; i++)
    unit_take(cache, span_class_of(CLASS_256_BYTES, 0));
  runtime_leave(cache);
  parked = parks ? park_begin(arch_stack_pointer()) : NULL;
  atom_int_store_rel(&has_refilled, 1);
  unit_await(&must_wake);
  park_end(parked);
  return arg;
}

static void
detach_and_abandon(void) {
  ck_assert_int_eq(in_stopped_world(thread_detach_idle_stw), 0);
  thread_abandon_detached();
}

static void
end_sleeper(pthread_t thread) {
  atom_int_store_rel(&must_refill, 1);
  atom_int_store_rel(&must_wake, 1);
  pthread_join(thread, NULL);
}

static bool
is_own(const void *block) {
  return atom_load_rlx(&heap_map_span((uintptr_t)block)->owner) == (uintptr_t)record->cache.owner;
}

START_TEST(thread_asleep_for_a_cycle_leaves_its_spans_to_others) {
  struct thread_cache *cache = unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_sleep, &blocks);
  unit_await(&is_ready);
  detach_and_abandon();   /* it has allocated since the last one */
  ck_assert(is_own(blocks[0]) && is_own(blocks[BLOCKS - 1]));
  ck_assert_int_eq(in_stopped_world(thread_detach_idle_stw), 0);
  free_remotely(2);   /* in between */
  thread_abandon_detached();
  page_heap_check();
  ck_assert(!is_own(blocks[0]) && !is_own(blocks[BLOCKS - 1]));
  size_t used = page_heap_used_bytes();
  cache = runtime_enter();
  for (int i = 0; i < BLOCKS / 4; i++)
    unit_take(cache, span_class_of(CLASS_256_BYTES, 0));
  runtime_leave(cache);
  ck_assert_uint_le(page_heap_used_bytes(), used);
  atom_int_store_rel(&must_refill, 1);
  unit_await(&has_refilled);
  ck_assert_int_eq(in_stopped_world(thread_detach_idle_stw), 0);   /* active again */
  ck_assert(thread_first() && record->cache.refill_count == record->refills_seen);
  thread_abandon_detached();
  page_heap_check();
  atom_int_store_rel(&must_wake, 1);
  pthread_join(thread, NULL);
}
END_TEST

START_TEST(thread_not_known_to_sleep_keeps_its_spans) {
  unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_sleep, NULL);
  unit_await(&is_ready);
  for (int i = 0; i < 3; i++)
    detach_and_abandon();
  ck_assert(is_own(blocks[0]) && is_own(blocks[BLOCKS - 1]));
  end_sleeper(thread);
}
END_TEST

/* By a thread that read the owner before it changed. */
START_TEST(thread_span_listed_late_for_a_detached_cache_is_found) {
  unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_sleep, &blocks);
  unit_await(&is_ready);
  struct span_owner *owner = record->cache.owner;
  struct cgc_span *span = heap_map_span((uintptr_t)blocks[0]);
  for (int i = 0; i < 2; i++)
    detach_and_abandon();
  ck_assert(!is_own(blocks[0]) && record->cache.owner != owner);
  uintptr_t now = atom_load_rlx(&span->owner);
  atom_store_rlx(&span->owner, (uintptr_t)owner);
  ck_assert(span_free_remote(span, span_slot_of(span, (uintptr_t)blocks[0])));
  atom_store_rlx(&span->owner, now);
  ck_assert_uint_eq(atom_load_rlx(&owner->remote_spans), (uintptr_t)span);
  thread_abandon_detached();
  ck_assert_uint_eq(atom_load_rlx(&owner->remote_spans), 0);
  ck_assert_uint_eq(atom_load_rlx(&((struct span_owner *)now)->remote_spans), (uintptr_t)span);
  end_sleeper(thread);
}
END_TEST

/* As in a child process, where the other thread does not exist. */
START_TEST(thread_after_fork_is_the_only_one) {
  unit_start_runtime();
  pthread_t thread = unit_start_thread(allocate_and_wait, NULL);
  unit_await(&is_ready);
  pid_t child = fork();
  if (child == 0) {
    struct thread_cache *cache = runtime_enter();   /* adopts the fork */
    runtime_leave(cache);
    bool is_alone = atom_int_load_rlx(&record->tid) == 0 && !record->has_cache &&
                    (int)atom_int_load_rlx(&thread_self()->tid) == platform_thread_id();
    struct cgc_span *span = heap_map_span((uintptr_t)blocks[0]);
    bool is_orphan = atom_load_rlx(&span->owner) != (uintptr_t)record->cache.owner && span_is_used(span);
    page_heap_check();
    _exit(is_alone && is_orphan ? 0 : 1);
  }
  int status = -1;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  atom_int_store_rel(&must_end, 1);
  pthread_join(thread, NULL);
}
END_TEST

Suite *
thread_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("thread", &tests);
  tcase_add_test(tests, thread_registered_has_a_record_and_a_cache);
  tcase_add_test(tests, thread_unknown_is_added_once);
  tcase_add_test(tests, thread_records_of_ended_threads_are_used_again);
  tcase_add_test(tests, thread_ended_leaves_its_blocks_to_others);
  tcase_add_test(tests, thread_settling_takes_in_what_was_freed_for_stopped_threads);
  tcase_add_test(tests, thread_settling_gives_back_the_cache_of_a_thread_that_is_gone);
  tcase_add_test(tests, thread_stack_is_noted_up_to_the_descriptor);
  tcase_add_test(tests, thread_asleep_for_a_cycle_leaves_its_spans_to_others);
  tcase_add_test(tests, thread_not_known_to_sleep_keeps_its_spans);
  tcase_add_test(tests, thread_span_listed_late_for_a_detached_cache_is_found);
  tcase_add_test(tests, thread_after_fork_is_the_only_one);
  return suite;
}
