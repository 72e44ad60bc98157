/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/options.h"
#include "base/platform.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

#include <sys/mman.h>
#include <time.h>

enum { LARGE = 0 /* SIZE_CLASS_LARGE of kind 0 */ };

static struct cgc_span *
take(size_t pages) {
  struct cgc_span *span = page_heap_alloc(LARGE, pages, 1);
  ck_assert_ptr_nonnull(span);
  ck_assert_uint_eq(span->page_count, pages);
  return span;
}

static uintptr_t
end_of(const struct cgc_span *span) {
  return span->base_addr + span_bytes(span);
}

/* The budget for free memory: as much as there is, so that no test discards by accident. */
static void
start_retaining(uint64_t bytes) {
  unit_start_heap();
  option_values[OPTION_RETAIN] = bytes;
  option_values[OPTION_RETAIN_MS] = 3600000;
}

static size_t
count_free_runs(void) {
  size_t count = 0;
  for (size_t i = 0; i < span_table_count(); i++)
    count += span_table_at(i)->state == SPAN_FREE;
  return count;
}

/* ---- one at a time ---- */

START_TEST(page_heap_large_span_is_one_block_of_zeroes) {
  start_retaining(GIB);
  struct cgc_span *span = take(5);
  ck_assert_uint_eq(span->state, SPAN_LARGE);
  ck_assert_uint_eq(span->slot_count, 1);
  ck_assert_uint_eq(span_block_bytes(span), 5 * SPAN_PAGE_BYTES);
  ck_assert(!span->is_touched);
  ck_assert_uint_eq(atom_load_rlx(&span->owner), 0);
  for (size_t i = 0; i < 5; i++)
    ck_assert_ptr_eq(heap_map_span(span->base_addr + i * SPAN_PAGE_BYTES), span);
  for (size_t i = 0; i < span_bytes(span); i++)
    ck_assert_int_eq(((const char *)span->base_addr)[i], 0);
  ck_assert_uint_eq(page_heap_used_bytes(), 5 * SPAN_PAGE_BYTES);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_small_span_is_cut_into_free_slots_for_every_class) {
  start_retaining(GIB);
  for (unsigned span_class = 0; span_class < SPAN_CLASS_COUNT; span_class++) {
    const struct cgc_size_class *size = span_class_size(span_class);
    if (!size->slot_count)
      continue;
    struct cgc_span *span = page_heap_alloc(span_class, size->page_count, 1);
    ck_assert_ptr_nonnull(span);
    ck_assert_uint_eq(span->state, SPAN_FULL);
    ck_assert_uint_eq(span->slot_bytes, size->slot_bytes);
    ck_assert_uint_eq(span->slot_count, size->slot_count);
    ck_assert_uint_eq(span_free_slots(span), size->slot_count);
    ck_assert_uint_eq(span->window_word, SPAN_NO_WINDOW);
    ck_assert_uint_eq(span_kind(span), span_class_kind(span_class));
    ck_assert(!span->next && !span->is_retained);
    page_heap_free(span);
    page_heap_check();
  }
}
END_TEST

START_TEST(page_heap_noscan_spans_lie_in_arenas_of_their_own) {
  start_retaining(GIB);
  for (int i = 0; i < 50; i++) {
    struct cgc_span *scanned = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, 0), 3, 1);
    struct cgc_span *noscan = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, SPAN_KIND_NOSCAN), 3, 1);
    ck_assert(scanned && noscan);
    ck_assert_uint_eq(heap_map_arena(scanned->base_addr)->kind, 0);
    ck_assert_uint_eq(heap_map_arena(noscan->base_addr)->kind, SPAN_KIND_NOSCAN);
    if (i % 2) {
      page_heap_free(scanned);
      page_heap_free(noscan);
    }
  }
  page_heap_check();
}
END_TEST

START_TEST(page_heap_freed_neighbours_coalesce_in_any_order) {
  static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  start_retaining(GIB);
  take(1);   /* keeps what follows apart from the rest */
  struct cgc_span *spans[3] = {take(40), take(100), take(7)};
  uintptr_t base = spans[0]->base_addr;
  take(1);
  ck_assert_uint_eq(end_of(spans[0]), spans[1]->base_addr);
  ck_assert_uint_eq(end_of(spans[1]), spans[2]->base_addr);
  for (int i = 0; i < 3; i++)
    page_heap_free(spans[orders[_i][i]]);
  struct cgc_span *run = heap_map_span(base);
  ck_assert_uint_eq(run->state, SPAN_FREE);
  ck_assert_uint_eq(run->base_addr, base);
  ck_assert_uint_eq(run->page_count, 147);
  page_heap_check();
}
END_TEST

/* Its address stands in static data, and would keep a block for ever. */
START_TEST(page_heap_no_span_begins_with_an_arena) {
  start_retaining(GIB);
  for (int i = 0; i < 10; i++) {
    struct cgc_span *scanned = page_heap_alloc(LARGE, ARENA_PAGES / 2, 1);
    struct cgc_span *noscan = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, SPAN_KIND_NOSCAN), ARENA_PAGES / 2, 1);
    ck_assert(scanned && noscan);
    ck_assert_uint_ne((scanned->base_addr - hull.heap_addr) % ARENA_BYTES, 0);
    ck_assert_uint_ne((noscan->base_addr - hull.heap_addr) % ARENA_BYTES, 0);
  }
  page_heap_check();
}
END_TEST

START_TEST(page_heap_neighbours_of_different_kinds_do_not_coalesce) {
  start_retaining(GIB);
  struct cgc_span *scanned = page_heap_alloc(LARGE, ARENA_PAGES, 1);
  struct cgc_span *noscan = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, SPAN_KIND_NOSCAN), ARENA_PAGES, 1);
  ck_assert(scanned && noscan);
  uintptr_t addr = scanned->base_addr, end = end_of(scanned);
  struct cgc_span *scanned_too = page_heap_alloc(LARGE, ARENA_PAGES, 1);
  uintptr_t noscan_addr = noscan->base_addr;
  ck_assert_uint_ge(noscan_addr, end);
  ck_assert_uint_ge(scanned_too->base_addr, end_of(noscan));
  page_heap_free(scanned);
  page_heap_free(scanned_too);
  page_heap_free(noscan);
  ck_assert_uint_lt(heap_map_span(addr)->page_count, 2 * ARENA_PAGES);
  ck_assert_uint_lt(heap_map_span(noscan_addr)->page_count, 2 * ARENA_PAGES);
  page_heap_check();
}
END_TEST

/* Free runs of 60, 20 and 20 pages with used pages between: listed ones.  With 600 and 200: the tree. */
START_TEST(page_heap_best_fit_is_the_smallest_then_the_lowest) {
  size_t unit = _i ? 100 : 10;
  start_retaining(GIB);
  struct cgc_span *big = take(6 * unit), *low = (take(1), take(2 * unit)), *high = (take(1), take(2 * unit));
  take(1);
  struct cgc_span *rest;
  while ((rest = heap_map_span(end_of(take(1)))) && rest->state == SPAN_FREE)
    ;   /* uses up the run at the growing end */
  uintptr_t big_addr = big->base_addr, low_addr = low->base_addr, high_addr = high->base_addr;
  page_heap_free(high);
  page_heap_free(big);
  page_heap_free(low);
  ck_assert_uint_eq(take(2 * unit - 1)->base_addr, low_addr);
  ck_assert_uint_eq(take(2 * unit)->base_addr, high_addr);
  ck_assert_uint_eq(take(2 * unit)->base_addr, big_addr);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_aligned_span_leaves_head_and_tail_free) {
  start_retaining(GIB);
  for (size_t align = 1; align <= 1024; align *= 2) {
    take(1);   /* so that the free runs start misaligned */
    struct cgc_span *span = page_heap_alloc(LARGE, 3, align);
    ck_assert_ptr_nonnull(span);
    ck_assert_uint_eq(span->base_addr % (align * SPAN_PAGE_BYTES), 0);
    ck_assert_uint_eq(span->page_count, 3);
    page_heap_check();
  }
  ck_assert_uint_eq(page_heap_used_bytes(), 11 * 4 * SPAN_PAGE_BYTES);
}
END_TEST

START_TEST(page_heap_request_beyond_the_hull_fails_and_changes_nothing_in_use) {
  start_retaining(GIB);
  struct cgc_span *span = take(2);
  ck_assert_ptr_null(page_heap_alloc(LARGE, (HULL_HEAP_BYTES >> SPAN_PAGE_BYTES_LOG2) + 1, 1));
  ck_assert_uint_eq(page_heap_used_bytes(), 2 * SPAN_PAGE_BYTES);
  page_heap_free(span);
  ck_assert_ptr_nonnull(take(2));
  page_heap_check();
}
END_TEST

/* A request that the system cannot satisfy must not use up what other kinds of blocks need. */
START_TEST(page_heap_failed_request_leaves_room_for_the_other_kind) {
  start_retaining(GIB);
  option_values[OPTION_RETAIN] = GIB;
  struct cgc_span *huge = page_heap_alloc(LARGE, (HULL_HEAP_BYTES >> SPAN_PAGE_BYTES_LOG2) - ARENA_PAGES, 1);
  if (huge)
    page_heap_free(huge);   /* a system that overcommits without limit */
  else
    ck_assert_ptr_nonnull(page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, SPAN_KIND_NOSCAN), 1, 1));
}
END_TEST

START_TEST(page_heap_foreign_mapping_in_the_way_is_left_alone) {
  start_retaining(GIB);
  struct cgc_span *first = take(1);
  uintptr_t arena = first->base_addr, at = arena + 32 * MIB;
  void *foreign = mmap((void *)at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ck_assert_ptr_eq(foreign, (void *)at);
  memset(foreign, 0x5a, 4096);
  struct cgc_span *big = take(6000);   /* 47 MiB: does not fit below or above it in this arena */
  ck_assert(big->base_addr >= arena + ARENA_BYTES);
  memset((void *)big->base_addr, 1, span_bytes(big));
  for (int i = 0; i < 600; i++)
    take(16);
  for (int i = 0; i < 4096; i++)
    ck_assert_int_eq(((const unsigned char *)foreign)[i], 0x5a);
  ck_assert_ptr_null(heap_map_span(at));
  page_heap_check();
}
END_TEST

/* ---- in place ---- */

START_TEST(page_heap_extend_takes_the_free_pages_behind) {
  start_retaining(GIB);
  struct cgc_span *span = take(10), *next = take(20);
  take(1);
  ck_assert(!page_heap_extend(span, 11));
  page_heap_free(next);
  ck_assert(!page_heap_extend(span, 31));
  ck_assert(page_heap_extend(span, 15));
  ck_assert_uint_eq(span->page_count, 15);
  page_heap_check();
  ck_assert(page_heap_extend(span, 30));
  ck_assert_uint_eq(page_heap_used_bytes(), 31 * SPAN_PAGE_BYTES);
  ck_assert_ptr_eq(heap_map_span(end_of(span) - 1), span);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_shrink_frees_the_pages_behind) {
  start_retaining(GIB);
  struct cgc_span *span = take(30);
  take(1);
  page_heap_shrink(span, 12);
  ck_assert_uint_eq(span->page_count, 12);
  ck_assert_uint_eq(page_heap_used_bytes(), 13 * SPAN_PAGE_BYTES);
  struct cgc_span *rest = heap_map_span(end_of(span));
  ck_assert_uint_eq(rest->state, SPAN_FREE);
  ck_assert_uint_eq(rest->page_count, 18);
  page_heap_check();
  ck_assert(page_heap_extend(span, 30));
  page_heap_check();
}
END_TEST

/* ---- what is known of zeroes, and giving back ---- */

START_TEST(page_heap_reused_pages_count_as_touched_until_they_are_discarded) {
  start_retaining(GIB);
  struct cgc_span *span = take(8);
  take(1);
  uintptr_t addr = span->base_addr;
  memset((void *)addr, 0xee, 8 * SPAN_PAGE_BYTES);
  page_heap_free(span);
  ck_assert_uint_eq(page_heap_retained_bytes(), 8 * SPAN_PAGE_BYTES);
  span = take(8);
  ck_assert_uint_eq(span->base_addr, addr);
  ck_assert(span->is_touched);
  page_heap_free(span);
  ck_assert_uint_eq(page_heap_scavenge(0), 8 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(page_heap_retained_bytes(), 0);
  span = take(8);
  ck_assert_uint_eq(span->base_addr, addr);
  ck_assert(!span->is_touched);
  for (size_t i = 0; i < span_bytes(span); i++)
    ck_assert_int_eq(((const char *)addr)[i], 0);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_span_over_touched_and_fresh_pages_counts_as_touched) {
  start_retaining(GIB);
  struct cgc_span *first = take(4);
  uintptr_t addr = first->base_addr;
  page_heap_free(first);          /* 4 touched pages, then untouched ones of the same run */
  struct cgc_span *both = take(8), *fresh = take(8);
  ck_assert_uint_eq(both->base_addr, addr);
  ck_assert(both->is_touched);
  ck_assert(!fresh->is_touched);
  page_heap_free(fresh);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_scavenge_keeps_no_more_than_told) {
  start_retaining(GIB);
  struct cgc_span *spans[20];
  for (size_t i = 0; i < CGC_COUNT(spans); i++) {
    spans[i] = take(i % 2 ? 200 : 10);
    take(1);
  }
  for (size_t i = 0; i < CGC_COUNT(spans); i++)
    page_heap_free(spans[i]);
  size_t before = page_heap_retained_bytes();
  ck_assert_uint_eq(before, 2100 * SPAN_PAGE_BYTES);
  size_t given = page_heap_scavenge(500 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(page_heap_retained_bytes(), before - given);
  ck_assert_uint_le(page_heap_retained_bytes(), 500 * SPAN_PAGE_BYTES);
  ck_assert_uint_gt(page_heap_retained_bytes(), 250 * SPAN_PAGE_BYTES);   /* not everything */
  page_heap_check();
  page_heap_scavenge(0);
  ck_assert_uint_eq(page_heap_retained_bytes(), 0);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_scavenge_takes_the_end_of_a_run_and_leaves_the_rest) {
  start_retaining(GIB);
  struct cgc_span *span = take(1000);
  uintptr_t addr = span->base_addr;
  take(1);
  page_heap_free(span);
  ck_assert_uint_eq(page_heap_scavenge(300 * SPAN_PAGE_BYTES), 700 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(heap_map_count_touched(addr, 300), 300);
  page_heap_check();
  page_heap_scavenge(200 * SPAN_PAGE_BYTES);   /* what holds memory lies far from the end now */
  ck_assert_uint_le(page_heap_retained_bytes(), 200 * SPAN_PAGE_BYTES);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_memory_given_back_too_soon_is_kept_the_next_time) {
  start_retaining(8 * MIB);
  page_heap_free(take(1));   /* time counts from here */
  take(32 * MIB / SPAN_PAGE_BYTES);
  page_heap_free(take(16 * MIB / SPAN_PAGE_BYTES));
  ck_assert_uint_le(page_heap_retained_bytes(), 8 * MIB);
  page_heap_free(take(16 * MIB / SPAN_PAGE_BYTES));
  ck_assert_uint_eq(page_heap_retained_bytes(), 16 * MIB);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_free_memory_over_the_budget_goes_back_at_once) {
  start_retaining(1 * MIB);
  struct cgc_span *spans[64];
  for (size_t i = 0; i < CGC_COUNT(spans); i++)
    spans[i] = take(16);
  for (size_t i = 0; i < CGC_COUNT(spans); i++) {
    page_heap_free(spans[i]);
    ck_assert_uint_le(page_heap_retained_bytes(), max_u64(1 * MIB, page_heap_used_bytes() / 8));
    page_heap_check();
  }
}
END_TEST

START_TEST(page_heap_budget_grows_with_an_eighth_of_the_heap) {
  start_retaining(0);
  struct cgc_span *small = take(100);
  take(1);
  take(8 * 200);
  page_heap_free(small);
  ck_assert_uint_eq(page_heap_retained_bytes(), 100 * SPAN_PAGE_BYTES);
}
END_TEST

START_TEST(page_heap_memory_that_growth_is_expected_to_take_is_kept) {
  start_retaining(1 * MIB);
  page_heap_expect_growth(24 * MIB);
  page_heap_free(take(16 * MIB / SPAN_PAGE_BYTES));
  ck_assert_uint_eq(page_heap_retained_bytes(), 16 * MIB);
  page_heap_free(take(32 * MIB / SPAN_PAGE_BYTES));
  ck_assert_uint_le(page_heap_retained_bytes(), 24 * MIB);
  page_heap_expect_growth(0);
  page_heap_free(take(1));
  ck_assert_uint_le(page_heap_retained_bytes(), 1 * MIB);
  page_heap_check();
}
END_TEST

/* As much as was in use of late, if less is now. */
START_TEST(page_heap_memory_given_back_between_two_peaks_is_kept_the_next_time) {
  enum { PAGES = 64 * MIB / SPAN_PAGE_BYTES };
  start_retaining(1 * MIB);
  page_heap_free(take(1));   /* time counts from here */
  for (int i = 0; i < 3; i++)
    page_heap_free(take(PAGES));
  ck_assert_uint_eq(page_heap_retained_bytes(), 64 * MIB);
  page_heap_check();
}
END_TEST

static void
pause_ms(long ms) {
  struct timespec pause = {.tv_nsec = ms * 1000000};
  nanosleep(&pause, NULL);
}

START_TEST(page_heap_memory_free_for_long_goes_back) {
  start_retaining(GIB);
  option_values[OPTION_RETAIN_MS] = 20;
  struct cgc_span *old = take(50), *young = (take(1), take(3));
  take(1);
  page_heap_free(old);
  pause_ms(60);
  page_heap_free(young);
  ck_assert_uint_eq(page_heap_retained_bytes(), 3 * SPAN_PAGE_BYTES);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_memory_free_for_long_goes_back_step_by_step_without_a_free) {
  enum { STEPS_MAX = 100 };
  start_retaining(GIB);
  option_values[OPTION_RETAIN_MS] = 20;
  page_heap_free(take(64 * MIB / SPAN_PAGE_BYTES));
  page_heap_give_back_old();
  ck_assert_uint_eq(page_heap_retained_bytes(), 64 * MIB);
  pause_ms(60);
  page_heap_give_back_old();
  ck_assert_uint_lt(page_heap_retained_bytes(), 64 * MIB);
  ck_assert_uint_ge(page_heap_retained_bytes(), 32 * MIB);
  for (int i = 0; i < STEPS_MAX && page_heap_retained_bytes(); i++) {
    pause_ms(25);
    page_heap_give_back_old();
  }
  ck_assert_uint_eq(page_heap_retained_bytes(), 0);
  page_heap_check();
}
END_TEST

/* ---- while a marker may look ---- */

static bool
overlap(const struct cgc_span *a, uintptr_t addr, size_t bytes) {
  return a->base_addr < addr + bytes && addr < end_of(a);
}

/* A large span, or a small one that is all free; its pages filled. */
static struct cgc_span *
take_filled(unsigned span_class) {
  const struct cgc_size_class *size = span_class_size(span_class);
  struct cgc_span *span = page_heap_alloc(span_class, size->slot_count ? size->page_count : 10, 1);
  ck_assert_ptr_nonnull(span);
  memset((void *)span->base_addr, 0x5a, span_bytes(span));
  take(1);
  return span;
}

static void
assert_pages_are_of(const struct cgc_span *span) {
  for (size_t at = 0; at < span_bytes(span); at += SPAN_PAGE_BYTES) {
    ck_assert_ptr_eq(heap_map_span(span->base_addr + at), span);
    ck_assert_int_eq(*(const unsigned char *)(span->base_addr + at), 0x5a);
  }
}

/* A marker that has found the span may go on with it. */
START_TEST(page_heap_freed_span_stays_as_it_is_while_reuse_is_deferred) {
  static const unsigned size_classes[] = {SIZE_CLASS_LARGE, 1, 18, SIZE_CLASS_COUNT - 1};
  static struct cgc_span before;
  static struct span_word words[SPAN_WORDS_MAX];
  start_retaining(GIB);
  struct cgc_span *span = take_filled(span_class_of(size_classes[_i], 0));
  size_t used = page_heap_used_bytes(), words_bytes = span_word_count(span) * sizeof *words;
  before = *span;
  memcpy(words, span->words, words_bytes);
  page_heap_defer_reuse();
  page_heap_free(span);
  page_heap_scavenge(0);
  ck_assert_uint_eq(span->state, SPAN_LIMBO);
  ck_assert_uint_eq(span->base_addr, before.base_addr);
  ck_assert_uint_eq(span->page_count, before.page_count);
  ck_assert_uint_eq(span->slot_count, before.slot_count);
  ck_assert_uint_eq(span->slot_bytes, before.slot_bytes);
  ck_assert_uint_eq(span->divide_magic, before.divide_magic);
  ck_assert_uint_eq(span->span_class, before.span_class);
  ck_assert_mem_eq(span->words, words, words_bytes);
  ck_assert_uint_eq(atom_load_rlx(&span->owner), 0);
  assert_pages_are_of(span);
  ck_assert_uint_eq(page_heap_used_bytes(), used - span_bytes(span));
  page_heap_check();
}
END_TEST

START_TEST(page_heap_pages_freed_while_reuse_is_deferred_are_not_handed_out) {
  start_retaining(GIB);
  struct cgc_span *first = take(1), *span = take_filled(LARGE);
  page_heap_defer_reuse();
  page_heap_free(span);
  for (int i = 0; i < 50; i++) {
    struct cgc_span *other = take(1 + (size_t)i % 10);
    ck_assert(other != span && !overlap(other, span->base_addr, span_bytes(span)));
  }
  ck_assert(!page_heap_extend(first, 2));
  assert_pages_are_of(span);
  page_heap_check();
  page_heap_let_reuse(false);
  ck_assert(page_heap_extend(first, 2));
  page_heap_check();
}
END_TEST

START_TEST(page_heap_what_was_freed_is_free_when_the_marker_lets_go) {
  bool is_deferred = _i;
  start_retaining(GIB);
  struct cgc_span *span = take_filled(LARGE), *later = take_filled(LARGE);
  uintptr_t addr = span->base_addr, later_addr = later->base_addr;
  page_heap_defer_reuse();
  page_heap_free(span);
  page_heap_let_reuse(is_deferred);
  ck_assert_uint_eq(heap_map_span(addr)->state, SPAN_FREE);
  page_heap_check();
  ck_assert_uint_eq(take(10)->base_addr, addr);
  page_heap_free(later);
  ck_assert_uint_eq(heap_map_span(later_addr)->state, is_deferred ? SPAN_LIMBO : SPAN_FREE);
  page_heap_check();
  page_heap_let_reuse(is_deferred);
  ck_assert_uint_eq(take(10)->base_addr, later_addr);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_freed_span_is_hidden_at_one_turn_and_free_at_the_next) {
  start_retaining(GIB);
  struct cgc_span *span = take_filled(_i ? span_class_of(18, 0) : LARGE);
  uintptr_t addr = span->base_addr, end = end_of(span);
  page_heap_defer_reuse();
  ck_assert(!page_heap_has_limbo());
  page_heap_free(span);
  ck_assert(page_heap_has_limbo());
  page_heap_turn_limbo();
  ck_assert(page_heap_has_limbo());
  ck_assert_uint_eq(span->state, SPAN_LIMBO);
  ck_assert_uint_eq(span->slot_count, 0);
  for (uintptr_t page = addr; page < end; page += SPAN_PAGE_BYTES)
    ck_assert_ptr_null(heap_map_span(page));
  page_heap_check();
  for (int i = 0; i < 50; i++)
    ck_assert(!overlap(take(1 + (size_t)i % 10), addr, end - addr));
  page_heap_turn_limbo();
  ck_assert(!page_heap_has_limbo());
  ck_assert_uint_eq(heap_map_span(addr)->state, SPAN_FREE);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_span_freed_after_a_turn_is_hidden_at_the_next) {
  start_retaining(GIB);
  struct cgc_span *first = take_filled(LARGE), *second = take_filled(LARGE);
  uintptr_t first_addr = first->base_addr, second_addr = second->base_addr;
  page_heap_defer_reuse();
  page_heap_free(first);
  page_heap_turn_limbo();
  page_heap_free(second);
  assert_pages_are_of(second);
  page_heap_turn_limbo();
  ck_assert_uint_eq(heap_map_span(first_addr)->state, SPAN_FREE);
  ck_assert_ptr_null(heap_map_span(second_addr));
  page_heap_let_reuse(true);   /* no marker is left */
  ck_assert_uint_eq(heap_map_span(second_addr)->state, SPAN_FREE);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_marker_that_lets_go_of_nothing_may_keep_on) {
  start_retaining(GIB);
  struct cgc_span *span = take_filled(LARGE);
  page_heap_defer_reuse();
  page_heap_let_reuse(true);
  page_heap_free(span);
  ck_assert_uint_eq(span->state, SPAN_LIMBO);
  page_heap_let_reuse(false);
  struct cgc_span *other = take_filled(LARGE);
  page_heap_let_reuse(true);   /* of a marker that is done: defers nothing by itself */
  page_heap_free(other);
  ck_assert_uint_eq(heap_map_span(end_of(other) - 1)->state, SPAN_FREE);
  page_heap_check();
}
END_TEST

START_TEST(page_heap_spans_freed_side_by_side_while_deferred_coalesce_then) {
  start_retaining(GIB);
  take(1);
  struct cgc_span *spans[3] = {take(40), take(100), take(7)};
  uintptr_t base = spans[0]->base_addr;
  take(1);
  page_heap_free(spans[1]);
  page_heap_defer_reuse();
  page_heap_free(spans[0]);
  page_heap_free(spans[2]);
  ck_assert_uint_eq(heap_map_span(base + 40 * SPAN_PAGE_BYTES)->page_count, 100);
  page_heap_let_reuse(false);
  struct cgc_span *run = heap_map_span(base);
  ck_assert_uint_eq(run->state, SPAN_FREE);
  ck_assert_uint_eq(run->base_addr, base);
  ck_assert_uint_eq(run->page_count, 147);
  page_heap_check();
}
END_TEST

/* ---- everything, at random ---- */

enum { BLOCKS = 300, STEPS = 6000, CHECK_EVERY = 100 };

static struct cgc_span *blocks[BLOCKS];
static struct unit_random rnd;
static struct cgc_span *small_spans;   /* a list, where page_heap_check expects them */

/* Each page of a used span begins and ends with its span's address and page number. */
static uintptr_t *
page_word(const struct cgc_span *span, size_t page, bool is_last) {
  uintptr_t addr = span->base_addr + page * SPAN_PAGE_BYTES;
  return (uintptr_t *)(is_last ? addr + SPAN_PAGE_BYTES - sizeof(uintptr_t) : addr);
}

static void
fill(const struct cgc_span *span, size_t first_page) {
  for (size_t i = first_page; i < span->page_count; i++)
    *page_word(span, i, false) = *page_word(span, i, true) = span->base_addr + i;
}

static void
assert_filled(const struct cgc_span *span) {
  for (size_t i = 0; i < span->page_count; i++) {
    ck_assert_uint_eq(*page_word(span, i, false), span->base_addr + i);
    ck_assert_uint_eq(*page_word(span, i, true), span->base_addr + i);
  }
}

static void
assert_zero_if_known(const struct cgc_span *span) {
  for (size_t i = 0; i < span->page_count && !span->is_touched; i++) {
    ck_assert_uint_eq(*page_word(span, i, false), 0);
    ck_assert_uint_eq(*page_word(span, i, true), 0);
  }
}

static size_t
random_pages(void) {
  static const size_t limits[] = {2, 10, 130, 1000};
  return 1 + unit_random_below(&rnd, limits[unit_random_below(&rnd, CGC_COUNT(limits))]);
}

static void
step_alloc(size_t at) {
  size_t align = unit_random_below(&rnd, 4) ? 1 : (size_t)1 << unit_random_below(&rnd, 8);
  unsigned kind = (unsigned)unit_random_below(&rnd, SPAN_KIND_COUNT);
  unsigned size_class = (unsigned)unit_random_below(&rnd, 2 * SIZE_CLASS_COUNT);
  if (size_class >= SIZE_CLASS_COUNT)
    size_class = SIZE_CLASS_LARGE;
  size_t pages = size_class ? size_class_rows[size_class].page_count : random_pages();
  struct cgc_span *span = page_heap_alloc(span_class_of(size_class, kind), pages, align);
  ck_assert_ptr_nonnull(span);
  ck_assert_uint_eq(span->base_addr % (align * SPAN_PAGE_BYTES), 0);
  ck_assert_uint_eq(span->page_count, pages);
  assert_zero_if_known(span);
  fill(span, 0);
  if (span_is_small(span))
    span_list_push(&small_spans, span);
  blocks[at] = span;
}

static void
step_free(size_t at) {
  if (span_is_small(blocks[at]))
    span_list_remove(&small_spans, blocks[at]);
  page_heap_free(blocks[at]);
  blocks[at] = NULL;
}

static void
step_resize(size_t at) {
  struct cgc_span *span = blocks[at];
  size_t old = span->page_count, pages = random_pages();
  if (pages < old) {
    page_heap_shrink(span, pages);
    ck_assert_uint_eq(span->page_count, pages);
  } else if (pages > old && page_heap_extend(span, pages)) {
    ck_assert_uint_eq(span->page_count, pages);
    fill(span, old);
  }
  assert_filled(span);
}

static void
step(void) {
  size_t at = unit_random_below(&rnd, BLOCKS);
  if (!blocks[at]) {
    step_alloc(at);
    return;
  }
  assert_filled(blocks[at]);
  if (blocks[at]->state == SPAN_LARGE && unit_random_below(&rnd, 2)) {
    step_resize(at);
    return;
  }
  step_free(at);
}

/* As a marker's cycles would, more often. */
static void
step_marker(void) {
  switch (unit_random_below(&rnd, 60)) {
    case 0:
      page_heap_defer_reuse();
      break;
    case 1:
      page_heap_let_reuse(true);
      break;
    case 2:
      page_heap_let_reuse(false);
      break;
    case 3:
      page_heap_turn_limbo();
      break;
  }
}

START_TEST(page_heap_under_random_use_keeps_contents_and_invariants) {
  rnd = unit_random_start();
  start_retaining(_i ? 256 * KIB : GIB);
  if (_i == 2)
    option_values[OPTION_RETAIN_MS] = 0;
  for (int i = 0; i < STEPS; i++) {
    step();
    if (_i == 3)
      step_marker();
    if (i % CHECK_EVERY == 0)
      page_heap_check();
    if (unit_random_below(&rnd, 1000) == 0)
      page_heap_scavenge(unit_random_below(&rnd, MIB));
  }
  for (size_t i = 0; i < BLOCKS; i++)
    if (blocks[i]) {
      assert_filled(blocks[i]);
      step_free(i);
    }
  page_heap_let_reuse(false);
  page_heap_check();
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  /* Each of the two kinds of arena is one run again, or one per gap between arenas of a kind. */
  ck_assert_uint_le(count_free_runs(), atom_load_rlx(&heap_map.extent_bytes) / ARENA_BYTES);
}
END_TEST

/* ---- after fork ---- */

START_TEST(page_heap_rebuild_keeps_used_spans_and_finds_all_free_pages) {
  rnd = unit_random_start();
  start_retaining(GIB);
  for (int i = 0; i < 3000; i++)
    step();
  size_t used = page_heap_used_bytes(), mapped = page_heap_mapped_bytes();
  page_heap_rebuild();
  page_heap_check();
  ck_assert_uint_eq(page_heap_used_bytes(), used);
  size_t free_bytes = 0;
  for (size_t i = 0; i < span_table_count(); i++)
    if (span_table_at(i)->state == SPAN_FREE)
      free_bytes += span_bytes(span_table_at(i));
  ck_assert_uint_eq(used + free_bytes, mapped);
  for (int i = 0; i < 3000; i++)
    step();   /* asserts contents and zeroes */
  page_heap_check();
}
END_TEST

START_TEST(page_heap_rebuild_makes_what_a_marker_of_the_parent_might_see_free) {
  start_retaining(GIB);
  struct cgc_span *span = take_filled(LARGE), *small = take_filled(span_class_of(1, 0));
  uintptr_t addr = span->base_addr, small_addr = small->base_addr;
  page_heap_defer_reuse();
  page_heap_free(span);
  page_heap_turn_limbo();
  page_heap_free(small);
  page_heap_rebuild();
  page_heap_check();
  ck_assert_uint_eq(heap_map_span(addr)->state, SPAN_FREE);
  ck_assert_uint_eq(heap_map_span(small_addr)->state, SPAN_FREE);
  struct cgc_span *again = take(10);
  ck_assert_uint_eq(again->base_addr, addr);
  page_heap_free(again);
  ck_assert_uint_eq(heap_map_span(addr)->state, SPAN_FREE);   /* at once: the marker is not there any more */
  page_heap_let_reuse(false);
  page_heap_check();
}
END_TEST

Suite *
page_heap_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("page_heap", &tests);
  tcase_add_test(tests, page_heap_large_span_is_one_block_of_zeroes);
  tcase_add_test(tests, page_heap_small_span_is_cut_into_free_slots_for_every_class);
  tcase_add_test(tests, page_heap_noscan_spans_lie_in_arenas_of_their_own);
  tcase_add_loop_test(tests, page_heap_freed_neighbours_coalesce_in_any_order, 0, 6);
  tcase_add_test(tests, page_heap_no_span_begins_with_an_arena);
  tcase_add_test(tests, page_heap_neighbours_of_different_kinds_do_not_coalesce);
  tcase_add_loop_test(tests, page_heap_best_fit_is_the_smallest_then_the_lowest, 0, 2);
  tcase_add_test(tests, page_heap_aligned_span_leaves_head_and_tail_free);
  tcase_add_test(tests, page_heap_request_beyond_the_hull_fails_and_changes_nothing_in_use);
  tcase_add_test(tests, page_heap_failed_request_leaves_room_for_the_other_kind);
  tcase_add_test(tests, page_heap_foreign_mapping_in_the_way_is_left_alone);
  tcase_add_test(tests, page_heap_extend_takes_the_free_pages_behind);
  tcase_add_test(tests, page_heap_shrink_frees_the_pages_behind);
  tcase_add_test(tests, page_heap_reused_pages_count_as_touched_until_they_are_discarded);
  tcase_add_test(tests, page_heap_span_over_touched_and_fresh_pages_counts_as_touched);
  tcase_add_test(tests, page_heap_scavenge_keeps_no_more_than_told);
  tcase_add_test(tests, page_heap_scavenge_takes_the_end_of_a_run_and_leaves_the_rest);
  tcase_add_test(tests, page_heap_memory_given_back_too_soon_is_kept_the_next_time);
  tcase_add_test(tests, page_heap_free_memory_over_the_budget_goes_back_at_once);
  tcase_add_test(tests, page_heap_budget_grows_with_an_eighth_of_the_heap);
  tcase_add_test(tests, page_heap_memory_that_growth_is_expected_to_take_is_kept);
  tcase_add_test(tests, page_heap_memory_given_back_between_two_peaks_is_kept_the_next_time);
  tcase_add_test(tests, page_heap_memory_free_for_long_goes_back);
  tcase_add_test(tests, page_heap_memory_free_for_long_goes_back_step_by_step_without_a_free);
  tcase_add_loop_test(tests, page_heap_freed_span_stays_as_it_is_while_reuse_is_deferred, 0, 4);
  tcase_add_test(tests, page_heap_pages_freed_while_reuse_is_deferred_are_not_handed_out);
  tcase_add_loop_test(tests, page_heap_what_was_freed_is_free_when_the_marker_lets_go, 0, 2);
  tcase_add_loop_test(tests, page_heap_freed_span_is_hidden_at_one_turn_and_free_at_the_next, 0, 2);
  tcase_add_test(tests, page_heap_span_freed_after_a_turn_is_hidden_at_the_next);
  tcase_add_test(tests, page_heap_marker_that_lets_go_of_nothing_may_keep_on);
  tcase_add_test(tests, page_heap_spans_freed_side_by_side_while_deferred_coalesce_then);
  tcase_add_loop_test(tests, page_heap_under_random_use_keeps_contents_and_invariants, 0, 4);
  tcase_add_test(tests, page_heap_rebuild_keeps_used_spans_and_finds_all_free_pages);
  tcase_add_test(tests, page_heap_rebuild_makes_what_a_marker_of_the_parent_might_see_free);
  return suite;
}
