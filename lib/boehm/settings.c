/* SPDX-License-Identifier: MIT */
#include "boehm/settings.h"

#include "base/hull.h"
#include "base/options.h"
#include "boehm/alloc_lock.h"
#include "boehm/messages.h"
#include "gc/client.h"
#include "gc/cycle.h"
#include "gc/mark_block.h"
#include "heap/page_heap.h"
#include "world/named_roots.h"

#include <gc/gc_disclaim.h>
#include <gc/javaxfc.h>

#include <limits.h>

static int
default_stop(void) {
  return 0;
}

struct settings settings = {.warn = settings_default_warn, .stop = default_stop, .log_fd = 2};

enum { DIVISOR_DEFAULT = 3 };

/* How much the heap may grow before a cycle. */
static uint64_t applied_percent;

/* In cycles that stop the program throughout no garbage is made that the next one only can find: in as much memory as
 * others need the heap may grow further. */
static uint64_t
percent_wanted(bool stops_throughout) {
  GC_word divisor = GC_free_space_divisor ? GC_free_space_divisor : 1;
  uint64_t percent = option(OPTION_PERCENT) * DIVISOR_DEFAULT / divisor;
  return max_u64(stops_throughout ? percent + percent / 2 : percent, 1);
}

/* The variable counts even if nobody has called the function. */
void
settings_apply_percent(void) {
  uint64_t percent = percent_wanted(gc_client.needs_stop());
  if (percent != applied_percent)
    cycle_set_percent(percent);
  applied_percent = percent;
}

void
settings_start(void) {
  settings_apply_percent();
}

void
settings_apply(void) {
  roots_policy.have_static_data = !GC_no_dls;
  mark_offsets.are_all_valid = GC_all_interior_pointers;
  mark_offsets.are_checked = mark_offsets.are_checked || !GC_all_interior_pointers;
}

/* ---- the variables ---- */

#define VARIABLE(type, name) \
  void                       \
  GC_set_##name(type value) { \
    GC_##name = value;       \
  }                          \
                             \
  type                       \
  GC_get_##name(void) {      \
    return GC_##name;        \
  }

VARIABLE(GC_oom_func, oom_fn)
VARIABLE(GC_on_heap_resize_proc, on_heap_resize)
VARIABLE(int, find_leak)
VARIABLE(int, finalize_on_demand)
VARIABLE(int, java_finalization)
VARIABLE(GC_finalizer_notifier_proc, finalizer_notifier)
VARIABLE(int, dont_expand)
VARIABLE(int, full_freq)
VARIABLE(GC_word, non_gc_bytes)
VARIABLE(int, no_dls)
VARIABLE(GC_word, max_retries)
VARIABLE(int, dont_precollect)
VARIABLE(unsigned long, time_limit)

/* Only before blocks are allocated, whose slots would be too small otherwise. */
void
GC_set_all_interior_pointers(int value) {
  GC_all_interior_pointers = value != 0;
}

int
GC_get_all_interior_pointers(void) {
  return GC_all_interior_pointers;
}

void
GC_set_free_space_divisor(GC_word value) {
  GC_free_space_divisor = value;
  if (GC_is_init_called())
    settings_apply_percent();
}

GC_word
GC_get_free_space_divisor(void) {
  return GC_free_space_divisor;
}

struct GC_timeval_s
GC_get_time_limit_tv(void) {
  return (struct GC_timeval_s){.tv_ms = GC_time_limit, .tv_nsec = 0};
}

void
GC_set_time_limit_tv(struct GC_timeval_s limit) {
  GC_time_limit = limit.tv_ms;
}

/* ---- functions ---- */

#define FUNCTION(type, name, field) \
  void                              \
  GC_set_##name(type value) {       \
    settings.field = value;         \
  }                                 \
                                    \
  type                              \
  GC_get_##name(void) {             \
    return settings.field;          \
  }

FUNCTION(GC_await_finalize_proc, await_finalize_proc, await_finalize)
FUNCTION(GC_start_callback_proc, start_callback, start_callback)
FUNCTION(GC_on_collection_event_proc, on_collection_event, on_collection_event)
FUNCTION(GC_on_thread_event_proc, on_thread_event, on_thread_event)
FUNCTION(GC_toggleref_func, toggleref_func, toggleref)
FUNCTION(GC_warn_proc, warn_proc, warn)
FUNCTION(int, disable_automatic_collection, disables_automatic)
FUNCTION(int, force_unmap_on_gcollect, unmaps_on_gcollect)

void
GC_set_stop_func(GC_stop_func function) {
  settings.stop = function;
}

GC_stop_func
GC_get_stop_func(void) {
  return settings.stop;
}

void
GC_set_log_fd(int fd) {
  settings.log_fd = fd;
}

extern GC_abort_func GC_on_abort;

void
GC_set_abort_func(GC_abort_func function) {
  GC_on_abort = function;
}

GC_abort_func
GC_get_abort_func(void) {
  return GC_on_abort;
}

/* ---- numbers that are kept, and change nothing: the pacer goes by other rules ---- */

static struct {
  GC_word allocd_bytes_per_finalizer;
  size_t  min_bytes_allocd;
  int     rate, max_prior_attempts, manual_vdb_allowed, pages_executable;
} kept = {.allocd_bytes_per_finalizer = 10000, .min_bytes_allocd = 1, .rate = 10, .max_prior_attempts = 3};

#define KEPT(type, name)     \
  void                       \
  GC_set_##name(type value) { \
    kept.name = value;       \
  }                          \
                             \
  type                       \
  GC_get_##name(void) {      \
    return kept.name;        \
  }

KEPT(GC_word, allocd_bytes_per_finalizer)
KEPT(size_t, min_bytes_allocd)
KEPT(int, rate)
KEPT(int, max_prior_attempts)
KEPT(int, manual_vdb_allowed)

int
GC_get_pages_executable(void) {
  return kept.pages_executable;
}

/* Blocks are never executable: the heap's pages cannot be made so one by one. */
void
GC_set_pages_executable(int value) {
  if (value)
    messages_warn("GC_set_pages_executable(%lu): blocks are not executable here", (uintptr_t)value);
}

/* ---- markers ---- */

void
GC_set_markers_count(unsigned count) {
  if (!GC_is_init_called() && count)
    options_preset(OPTION_MARKERS, min_u64(count, 64));
}

int
GC_get_parallel(void) {
  return GC_parallel;
}

/* ---- sizes ---- */

void
GC_set_max_heap_size(GC_word bytes) {
  page_heap_set_limit(bytes ? bytes : SIZE_MAX);
}
