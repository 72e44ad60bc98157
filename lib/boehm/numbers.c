/* SPDX-License-Identifier: MIT */
/* How large, how much, how long. */
#include "base/meta.h"
#include "boehm/alloc.h"
#include "boehm/numbers.h"
#include "boehm/settings.h"
#include "boehm/start.h"
#include "gc/cycle.h"
#include "gc/sweep.h"
#include "heap/page_heap.h"
#include "report/stats.h"

#include <gc/gc.h>

#include <string.h>

/* ---- since the last collection ---- */

/* Atomic: reclaimed since the start, and what the last cycle left; freed by the program is not told apart. */
static uint64_t
live_bytes(void) {
  struct cgc_stats stats = {.version = 1};
  stats_fill(&stats);
  return stats.live_bytes;
}

size_t
GC_get_heap_size(void) {
  return page_heap_used_bytes() + page_heap_retained_bytes();
}

/* Free pages, and free slots in used ones. */
size_t
GC_get_free_bytes(void) {
  uint64_t used_bytes = page_heap_used_bytes(), allocated_bytes = sweep_count_allocated_bytes();
  return page_heap_retained_bytes() + (used_bytes > allocated_bytes ? used_bytes - allocated_bytes : 0);
}

/* What was given back counts neither here nor there. */
size_t
GC_get_unmapped_bytes(void) {
  return 0;
}

size_t
GC_get_bytes_since_gc(void) {
  uint64_t allocated_bytes = sweep_count_allocated_bytes(), live = live_bytes();
  return allocated_bytes > live ? allocated_bytes - live : 0;
}

/* Threads that free at once may count one block only. */
static atom_word freed_bytes;

void
numbers_note_freed(size_t bytes) {
  atom_store_rlx(&freed_bytes, atom_load_rlx(&freed_bytes) + bytes);
}

void
numbers_end_cycle(void) {
  atom_store_rlx(&freed_bytes, 0);
}

size_t
GC_get_expl_freed_bytes_since_gc(void) {
  return atom_load_rlx(&freed_bytes);
}

/* All that was ever allocated: what is there and what was reclaimed. */
size_t
GC_get_total_bytes(void) {
  struct cgc_stats stats = {.version = 1};
  stats_fill(&stats);
  return stats.allocated_bytes + stats.reclaimed_bytes;
}

size_t
GC_get_obtained_from_os_bytes(void) {
  return page_heap_mapped_bytes() + meta_bytes();
}

size_t
GC_get_memory_use(void) {
  return sweep_count_allocated_bytes();
}

GC_word
GC_get_gc_no(void) {
  return *(volatile GC_word *)&GC_gc_no;
}

/* ---- several at once ---- */

void
GC_get_heap_usage_safe(GC_word *heap_bytes, GC_word *free_bytes, GC_word *unmapped_bytes, GC_word *since_bytes,
                       GC_word *total_bytes) {
  if (heap_bytes)
    *heap_bytes = GC_get_heap_size();
  if (free_bytes)
    *free_bytes = GC_get_free_bytes();
  if (unmapped_bytes)
    *unmapped_bytes = GC_get_unmapped_bytes();
  if (since_bytes)
    *since_bytes = GC_get_bytes_since_gc();
  if (total_bytes)
    *total_bytes = GC_get_total_bytes();
}

static struct GC_prof_stats_s
read_numbers(void) {
  struct cgc_stats stats = {.version = 1};
  stats_fill(&stats);
  return (struct GC_prof_stats_s){
    .heapsize_full = GC_get_heap_size(),
    .free_bytes_full = GC_get_free_bytes(),
    .unmapped_bytes = GC_get_unmapped_bytes(),
    .bytes_allocd_since_gc = GC_get_bytes_since_gc(),
    .allocd_bytes_before_gc = stats.live_bytes + stats.reclaimed_bytes,
    .non_gc_bytes = GC_non_gc_bytes,
    .gc_no = GC_get_gc_no(),
    .markers_m1 = (GC_word)GC_parallel,
    .bytes_reclaimed_since_gc = stats.reclaimed_bytes,
    .reclaimed_bytes_before_gc = stats.reclaimed_bytes,
    .expl_freed_bytes_since_gc = GC_get_expl_freed_bytes_since_gc(),
    .obtained_from_os_bytes = GC_get_obtained_from_os_bytes(),
  };
}

/* A caller built for a later version gets all ones in fields that are not known here. */
size_t
GC_get_prof_stats(struct GC_prof_stats_s *stats, size_t bytes) {
  start_once();
  struct GC_prof_stats_s now = read_numbers();
  memcpy(stats, &now, min_u64(bytes, sizeof now));
  if (bytes > sizeof now)
    memset((char *)stats + sizeof now, 0xff, bytes - sizeof now);
  return min_u64(bytes, sizeof now);
}

size_t
GC_get_prof_stats_unsafe(struct GC_prof_stats_s *stats, size_t bytes) {
  return GC_get_prof_stats(stats, bytes);
}

/* Of bdwgc's table: what a request of that many granules gets. */
size_t
GC_get_size_map_at(int granules) {
  return granules < 0 || granules > 128 ? SIZE_MAX : (size_t)granules;
}

/* ---- time ---- */

static uint64_t measured_from_ns;
static bool is_measuring;

static uint64_t
stop_total_ns(void) {
  struct cgc_stats stats = {.version = 1};
  stats_fill(&stats);
  return stats.stop_total_ns;
}

void
GC_start_performance_measurement(void) {
  start_once();
  measured_from_ns = stop_total_ns();
  is_measuring = true;
}

/* Milliseconds in which the world was stopped. */
unsigned long
GC_get_full_gc_total_time(void) {
  return is_measuring ? (stop_total_ns() - measured_from_ns) / 1000000 : 0;
}

/* ---- what bdwgc's own tests use to have a collection soon ---- */

CGC_EXPORT void GC_incr_bytes_allocd(size_t bytes);
CGC_EXPORT void GC_incr_bytes_freed(size_t bytes);

void
GC_incr_bytes_allocd(size_t bytes) {
  start_once();
  cycle_note_handed(bytes);
}

void
GC_incr_bytes_freed(size_t bytes) {
  (void)bytes;
}

/* ---- growth ---- */

/* The heap takes pages as it needs them; that there is so much address space is all that can be promised. */
int
GC_expand_hp(size_t bytes) {
  start_once();
  return bytes <= HULL_HEAP_BYTES;
}
