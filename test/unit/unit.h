/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share.  Each module's file gives one suite; Check runs every test in a process
 * of its own, forked from a runner in which the library has not started.
 */
#ifndef CGC_TEST_UNIT_H
#define CGC_TEST_UNIT_H

#include "base/compiler.h"
#include "heap/span.h"
#include "heap/thread_cache.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITES(X)                                                                                          \
  X(text) X(cgroup) X(options) X(fault) X(lock) X(size_class) X(span) X(page_tree) X(heap_map)             \
  X(page_heap) X(thread_cache) X(central) X(pacer) X(cycle) X(limbo) X(mark_queue) X(mark) X(mark_scan)    \
  X(sweep) X(pages) X(roots) X(tasks) X(thread) X(stop) X(park) X(proc) X(syscall_filter) X(kernel_held)   \
  X(held_signals) X(held_words) X(dirty) X(dirty_heap) X(dirty_roots) X(open_pages) X(old_pages) X(stats)  \
  X(unwind_table) X(stack_trail) X(stack_log) X(stack_depot) X(record) X(leak_graph) X(leak_join)          \
  X(json_lines) X(mark_block) X(client) X(named_roots) X(key_table) X(mark_relative) X(exported_symbol) X(partial)  \
  X(shared_memory)

#define DECLARE_SUITE(name) Suite *name##_suite(void);
SUITES(DECLARE_SUITE)
#undef DECLARE_SUITE

/* A suite with one case, whose tests have 60 seconds each. */
Suite *unit_suite(const char *name, TCase **tests);

/* ---- starting layers of the library ---- */

/* Hull, metadata and page heap, without threads and collections. */
void unit_start_heap(void);

/* All of it, by the way that allocations take; the cache is this thread's, not inside. */
struct thread_cache *unit_start_runtime(void);

/* A block from a cache, which grows as need be; for a large span class of that many bytes. */
void *unit_take(struct thread_cache *cache, unsigned span_class);
void *unit_take_large(size_t bytes, unsigned kind);

/* ---- threads ---- */

pthread_t unit_start_thread(void *(*function)(void *), void *arg);

/* Waits until the word is not 0. */
void unit_await(atom_int *word);

/* ---- random numbers ---- */

struct unit_random {
  uint64_t state;
};

/* Of CGC_TEST_SEED if that is set, else a new one; the same in all tests of a run. */
uint64_t unit_seed(void);
void unit_print_seed(void);

struct unit_random unit_random_start(void);
uint64_t unit_random_below(struct unit_random *random, uint64_t limit);

/* ---- what the library logs ---- */

/* Sends log lines to a file; unit_log_text returns all of them so far. */
void unit_log_capture(void);
const char *unit_log_text(void);

/* ---- memory ---- */

/* Address of a block in disguise, so that no word points to it. */
CGC_INLINE uintptr_t
unit_hide(const void *pointer) {
  return ~(uintptr_t)pointer;
}

CGC_INLINE void *
unit_reveal(uintptr_t hidden) {
  return (void *)~hidden;
}

#endif
