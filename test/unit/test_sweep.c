/* SPDX-License-Identifier: MIT */
/* Marks are set by hand: what a sweep does depends on them alone. */
#include "unit.h"

#include "base/options.h"
#include "gc/alloc.h"
#include "gc/sweep.h"
#include "heap/central.h"
#include "heap/page_heap.h"

#include <unistd.h>

static struct thread_cache cache;
static struct sweep_result result;

enum { CLASS_1024_BYTES = 32, BYTES = 1024, SLOTS = 64 };

static void *
take_kind(unsigned kind) {
  return unit_take(&cache, span_class_of(CLASS_1024_BYTES, kind));
}

static struct cgc_span *
span_of(const void *block) {
  return heap_map_span((uintptr_t)block);
}

static uint64_t
bit_of(const void *block) {
  return (uint64_t)1 << span_slot_of(span_of(block), (uintptr_t)block) % 64;
}

static struct span_word *
word_of(const void *block) {
  return &span_of(block)->words[span_slot_of(span_of(block), (uintptr_t)block) / 64];
}

static void
mark(const void *block) {
  atom_or_full(&word_of(block)->mark, bit_of(block));
}

static bool
is_free(const void *block) {
  return (atom_load_rlx(&word_of(block)->free) | atom_load_rlx(&word_of(block)->remote)) & bit_of(block);
}

/* As a cycle: the collecting thread closes its windows first. */
static void
sweep(void) {
  thread_cache_flush(&cache);
  sweep_heap_stw(false, &result);
}

START_TEST(sweep_marked_blocks_live_and_their_marks_are_cleared) {
  unit_start_heap();
  void *small = take_kind(0), *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  for (int i = 0; i < 3; i++) {
    mark(small);
    mark(large);
    sweep();
    ck_assert_uint_eq(result.live_bytes, BYTES + 3 * SPAN_PAGE_BYTES);
    ck_assert_uint_eq(result.held_blocks + result.reclaimed_blocks, 0);
    ck_assert_uint_eq(atom_load_rlx(&word_of(small)->mark) | atom_load_rlx(&word_of(large)->mark), 0);
  }
  ck_assert(!is_free(small) && span_of(large)->state == SPAN_LARGE);
}
END_TEST

START_TEST(sweep_unmarked_block_is_held_first_and_then_reclaimed) {
  unit_start_heap();
  void *block = take_kind(0), *noscan = take_kind(SPAN_KIND_NOSCAN), *keep = take_kind(0);
  mark(keep);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 2);
  ck_assert_uint_eq(result.held_bytes, 2 * BYTES);
  ck_assert_uint_eq(result.reclaimed_blocks, 0);
  ck_assert(!is_free(block) && !is_free(noscan));
  mark(keep);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 0);
  ck_assert_uint_eq(result.reclaimed_blocks, 2);
  ck_assert_uint_eq(result.reclaimed_bytes, 2 * BYTES);
  ck_assert_uint_eq(result.live_bytes, BYTES);
  ck_assert(is_free(block) && is_free(noscan) && !is_free(keep));
  mark(keep);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, 0);   /* not twice */
}
END_TEST

START_TEST(sweep_held_block_found_again_starts_over) {
  unit_start_heap();
  void *block = take_kind(0);
  sweep();
  mark(block);
  sweep();
  ck_assert_uint_eq(result.live_bytes, BYTES);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert(!is_free(block));
  sweep();
  ck_assert(is_free(block));
}
END_TEST

START_TEST(sweep_without_confirmation_reclaims_at_once) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  void *block = take_kind(0);
  unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, 2);
  ck_assert_uint_eq(result.held_blocks, 0);
  ck_assert(is_free(block));
}
END_TEST

START_TEST(sweep_collected_kinds_are_reclaimed_at_once) {
  unit_start_heap();
  void *block = take_kind(SPAN_KIND_COLLECTED), *noscan = take_kind(SPAN_KIND_COLLECTED | SPAN_KIND_NOSCAN);
  void *held = take_kind(0);
  unit_take_large(3 * SPAN_PAGE_BYTES, SPAN_KIND_COLLECTED);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, 3);
  ck_assert_uint_eq(result.reclaimed_bytes, 2 * BYTES + 3 * SPAN_PAGE_BYTES);
  ck_assert(is_free(block) && is_free(noscan) && !is_free(held));
}
END_TEST

START_TEST(sweep_large_block_is_held_then_its_pages_are_free) {
  unit_start_heap();
  unit_take_large(30 * SPAN_PAGE_BYTES, 0);
  sweep();
  ck_assert_uint_eq(result.held_bytes, 30 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(page_heap_used_bytes(), 30 * SPAN_PAGE_BYTES);
  sweep();
  ck_assert_uint_eq(result.reclaimed_bytes, 30 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  page_heap_check();
}
END_TEST

START_TEST(sweep_reclaimed_slots_are_allocated_again) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  for (int i = 0; i < SLOTS; i++)
    take_kind(0);
  struct cgc_span *span = span_of(take_kind(0));   /* the next span */
  mark((void *)span->base_addr);
  sweep();
  ck_assert_uint_eq(result.reclaimed_blocks, SLOTS);
  size_t used = page_heap_used_bytes();
  for (int i = 0; i < 2 * SLOTS - 1; i++)
    take_kind(0);
  ck_assert_uint_eq(page_heap_used_bytes(), used);
  page_heap_check();
}
END_TEST

/* ---- windows of other threads ---- */

#define MANY_SLOTS_CLASS span_class_of(2, 0)   /* 512 slots in 8 words */

/* The last block taken lies in the window's word, the first does not. */
static void *
take_into_second_word(struct thread_cache *other, void **outside) {
  void *inside = *outside = unit_take(other, MANY_SLOTS_CLASS);
  while (span_slot_of(span_of(inside), (uintptr_t)inside) < 70)
    inside = unit_take(other, MANY_SLOTS_CLASS);
  return inside;
}

START_TEST(sweep_leaves_the_word_of_a_window_alone) {
  static struct thread_cache other;
  unit_start_heap();
  option_values[OPTION_CONFIRM] = (uint64_t)_i;
  void *outside, *inside = take_into_second_word(&other, &outside);
  for (int i = 0; i < 4; i++)
    sweep_heap_stw(false, &result);
  ck_assert(is_free(outside));
  ck_assert(!is_free(inside));
  ck_assert_ptr_eq(unit_take(&other, MANY_SLOTS_CLASS), (char *)inside + 16);
  span_check(span_of(inside));
}
END_TEST

/* A block with the address of one that was condemned: it is another block. */
START_TEST(sweep_block_reusing_a_condemned_slot_of_the_window_is_held_first) {
  static struct thread_cache other;
  unit_start_heap();
  unsigned span_class = span_class_of(CLASS_1024_BYTES, 0);
  void *block = unit_take(&other, span_class), *keep = unit_take(&other, span_class);
  thread_cache_flush(&other);
  mark(keep);
  sweep_heap_stw(false, &result);
  ck_assert_uint_eq(result.held_blocks, 1);
  void *third = unit_take(&other, span_class);   /* opens a window on the same word */
  ck_assert_ptr_eq(word_of(third), word_of(block));
  /* The program had a disguised pointer and frees it; the slot is handed out again. */
  ck_assert_int_eq(thread_cache_free_own(&other, span_of(block), (uintptr_t)block), FREE_UNUSUAL);
  ck_assert(thread_cache_absolve(span_of(block), (uintptr_t)block));
  ck_assert_int_eq(thread_cache_free_own(&other, span_of(block), (uintptr_t)block), FREE_DONE);
  ck_assert(!thread_cache_absolve(span_of(block), (uintptr_t)block));
  ck_assert_ptr_eq(unit_take(&other, span_class), block);
  thread_cache_flush(&other);
  mark(keep);
  mark(third);
  sweep_heap_stw(false, &result);
  ck_assert_uint_eq(result.reclaimed_blocks, 0);
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert(!is_free(block));
}
END_TEST

/* ---- beside the program ---- */

/* As the last stop of a cycle, when all is marked. */
static void
begin_beside(void) {
  thread_cache_flush(&cache);
  span_sweep_begin_stw();
}

static void
take_all(struct thread_cache *from, unsigned span_class, void **blocks, size_t count) {
  for (size_t i = 0; i < count; i++)
    blocks[i] = unit_take(from, span_class);
}

/* Every second one, from the second on. */
static void
mark_half(void *const *blocks, size_t count) {
  for (size_t i = 1; i < count; i += 2)
    mark(blocks[i]);
}

static uint64_t
marks_of(const void *block) {
  const struct cgc_span *span = span_of(block);
  uint64_t marks = 0;
  for (unsigned i = 0; i < span_word_count(span); i++)
    marks |= atom_load_rlx(&span->words[i].mark);
  return marks;
}

START_TEST(sweep_beside_span_is_swept_once_by_the_refill_that_needs_it) {
  enum { TAKEN = SLOTS - 4 };
  void *blocks[TAKEN];
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  take_all(&cache, span_class_of(CLASS_1024_BYTES, 0), blocks, TAKEN);
  mark_half(blocks, TAKEN);
  begin_beside();
  ck_assert(!is_free(blocks[0]));
  ck_assert_ptr_eq(take_kind(0), blocks[0]);   /* the lowest that was reclaimed */
  for (size_t i = 1; i < TAKEN; i++)
    ck_assert_int_eq(is_free(blocks[i]), i % 2 == 0);
  ck_assert_uint_eq(marks_of(blocks[0]), 0);
  for (int i = 0; i < 2; i++) {
    sweep_heap(&result);
    ck_assert_uint_eq(result.reclaimed_blocks, TAKEN / 2);
    ck_assert_uint_eq(result.live_bytes, TAKEN / 2 * BYTES);
    ck_assert(!is_free(blocks[0]));
  }
  page_heap_check();
}
END_TEST

/* 0: the span has free slots.  1: a slot of a full one is freed after the mark. */
START_TEST(sweep_beside_span_without_a_thread_is_swept_by_who_takes_it) {
  static struct thread_cache other;
  void *blocks[SLOTS];
  unsigned span_class = span_class_of(CLASS_1024_BYTES, 0);
  size_t taken = _i ? SLOTS : SLOTS - 4;
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  take_all(&other, span_class, blocks, taken);
  thread_cache_abandon(&other);
  mark_half(blocks, taken);
  begin_beside();
  if (_i)
    ck_assert(span_free_remote(span_of(blocks[5]), 5));
  ck_assert_ptr_eq(take_kind(0), blocks[0]);
  ck_assert_ptr_eq(take_kind(0), blocks[2]);
  ck_assert_int_eq(is_free(blocks[5]), _i);
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, taken / 2);
  ck_assert_uint_eq(result.live_bytes, (taken / 2 - (size_t)_i) * BYTES);
  ck_assert(!is_free(blocks[0]) && !is_free(blocks[1]) && !is_free(blocks[2]));
  page_heap_check();
}
END_TEST

/* 0: listed for slots that were freed.  1: left behind. */
START_TEST(sweep_beside_span_without_a_thread_that_is_all_dead_goes_to_the_page_heap) {
  static struct thread_cache other;
  void *blocks[SLOTS];
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  take_all(&other, span_class_of(CLASS_1024_BYTES, 0), blocks, SLOTS);
  if (_i)
    thread_cache_flush(&other);
  else
    thread_cache_abandon(&other);
  mark(blocks[7]);
  begin_beside();
  span_free_remote(span_of(blocks[7]), 7);
  if (_i)
    thread_cache_abandon(&other);
  else
    central_collect(span_class_of(CLASS_1024_BYTES, 0));
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, SLOTS - 1);
  page_heap_check();
}
END_TEST

/* Two frees are an event of a full span.  What is unmarked in it counts as free then. */
START_TEST(sweep_beside_span_is_swept_before_its_owner_counts_what_is_free) {
  void *blocks[SLOTS];
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  take_all(&cache, span_class_of(CLASS_1024_BYTES, 0), blocks, SLOTS);
  struct cgc_span *span = span_of(blocks[0]);
  mark(blocks[10]);
  mark(blocks[20]);
  begin_beside();
  ck_assert_int_eq(thread_cache_free_own(&cache, span, (uintptr_t)blocks[10]), FREE_DONE);
  ck_assert_int_eq(thread_cache_free_own(&cache, span, (uintptr_t)blocks[20]), FREE_DONE_EVENT);
  thread_cache_free_event(&cache, span);
  ck_assert(span->is_retained);   /* empty */
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, SLOTS - 2);
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 0);
  page_heap_check();
}
END_TEST

START_TEST(sweep_beside_condemned_block_is_not_freed_before_its_span_is_swept) {
  unit_start_heap();
  void *block = take_kind(0), *keep = take_kind(0);
  mark(keep);
  sweep();
  mark(keep);
  begin_beside();
  /* The program had a disguised pointer; it is too late. */
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(block), (uintptr_t)block), FREE_UNUSUAL);
  ck_assert(!thread_cache_absolve(span_of(block), (uintptr_t)block));
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, 1);
  ck_assert(is_free(block) && !is_free(keep));
}
END_TEST

START_TEST(sweep_beside_spans_made_since_are_not_swept) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  begin_beside();
  void *small = take_kind(0), *noscan = take_kind(SPAN_KIND_NOSCAN), *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  thread_cache_flush(&cache);
  sweep_heap(&result);
  ck_assert_uint_eq(result.live_bytes + result.reclaimed_blocks + result.held_blocks, 0);
  ck_assert(!is_free(small) && !is_free(noscan));
  ck_assert_uint_eq(span_of(large)->state, SPAN_LARGE);
  begin_beside();
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, 3);
  ck_assert_uint_eq(page_heap_used_bytes(), 2 * span_bytes(span_of(small)));
}
END_TEST

/* Pages of a span that was swept and freed may be those of a new one at once. */
START_TEST(sweep_beside_structure_that_is_used_again_is_not_swept) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  struct cgc_span *old = span_of(unit_take_large(3 * SPAN_PAGE_BYTES, 0));
  mark((void *)old->base_addr);
  begin_beside();
  span_ensure_swept(old);
  page_heap_free(old);
  void *again = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, 0);
  ck_assert_uint_eq(span_of(again)->state, SPAN_LARGE);
}
END_TEST

START_TEST(sweep_beside_leaves_the_word_of_a_window_alone) {
  static struct thread_cache other;
  unit_start_heap();
  option_values[OPTION_CONFIRM] = (uint64_t)_i;
  void *outside, *inside = take_into_second_word(&other, &outside);
  for (int i = 0; i < 4; i++) {
    begin_beside();
    void *next = unit_take(&other, MANY_SLOTS_CLASS);   /* out of the window of a span that is not swept */
    ck_assert_ptr_eq(next, (char *)inside + 16);
    inside = next;
    sweep_heap(&result);
    ck_assert_uint_eq(result.reclaimed_blocks, i == _i - 1 ? 64 : 0);
  }
  ck_assert(is_free(outside));
  ck_assert(!is_free(inside));
  span_check(span_of(inside));
}
END_TEST

/* A span of 512 slots of which one in two is marked; of either kind, some are freed before it is swept. */
START_TEST(sweep_beside_slots_freed_meanwhile_are_free_once) {
  enum { COUNT = 512, FREED = 4 };
  static void *blocks[COUNT];
  static bool is_taken[COUNT];
  unsigned span_class = span_class_of(2, 0);
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  take_all(&cache, span_class, blocks, COUNT);
  struct cgc_span *span = span_of(blocks[0]);
  ck_assert_uint_eq(span->slot_count, COUNT);
  mark_half(blocks, COUNT);
  begin_beside();
  for (size_t i = 100; i < 102; i++) {
    ck_assert_int_eq(thread_cache_free_own(&cache, span, (uintptr_t)blocks[i]), FREE_DONE);
    ck_assert(span_free_remote(span, 200 + i));
  }
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, COUNT / 2 - FREED / 2);
  ck_assert_uint_eq(result.live_bytes, 16 * (COUNT / 2 - FREED / 2));
  for (size_t i = 0; i < COUNT / 2 + FREED / 2; i++) {
    size_t slot = span_slot_of(span, (uintptr_t)unit_take(&cache, span_class));
    ck_assert_uint_lt(slot, COUNT);   /* in this span */
    ck_assert(!is_taken[slot] && (slot % 2 == 0 || slot == 101 || slot == 301));
    is_taken[slot] = true;
  }
  ck_assert_ptr_ne(span_of(unit_take(&cache, span_class)), span);
}
END_TEST

START_TEST(sweep_beside_result_is_of_all_spans_whoever_has_swept_them) {
  unit_start_heap();
  void *first = take_kind(0), *large = unit_take_large(3 * SPAN_PAGE_BYTES, SPAN_KIND_COLLECTED);
  void *live = take_kind(SPAN_KIND_NOSCAN), *second = take_kind(SPAN_KIND_COLLECTED);
  mark(live);
  begin_beside();
  span_ensure_swept(span_of(first));
  span_ensure_swept(span_of(large));
  span_sweep_read(&result);
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert_uint_eq(result.reclaimed_bytes, 3 * SPAN_PAGE_BYTES);
  sweep_heap(&result);
  ck_assert_uint_eq(result.live_bytes, BYTES);
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert_uint_eq(result.held_bytes, BYTES);
  ck_assert_uint_eq(result.reclaimed_blocks, 2);
  ck_assert_uint_eq(result.reclaimed_bytes, BYTES + 3 * SPAN_PAGE_BYTES);
  ck_assert(is_free(second));
  mark(live);
  begin_beside();   /* all of it anew */
  sweep_heap(&result);
  ck_assert_uint_eq(result.live_bytes, BYTES);
  ck_assert_uint_eq(result.held_blocks + result.held_bytes, 0);
  ck_assert_uint_eq(result.reclaimed_blocks, 1);
  ck_assert_uint_eq(result.reclaimed_bytes, BYTES);
}
END_TEST

START_TEST(sweep_beside_turns_may_run_over) {
  static const unsigned turns[] = {0x80000000, 0xfffffff0, 0xfffffff8, 0xfffffffc};
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  atom_int_store_rlx(&span_sweep_turn, turns[_i]);
  void *keep = take_kind(0);
  for (int i = 0; i < 6; i++) {
    void *block = take_kind(0);
    mark(keep);
    begin_beside();
    sweep_heap(&result);
    ck_assert_uint_eq(result.reclaimed_blocks, 1);
    ck_assert_uint_eq(result.live_bytes, BYTES);
    ck_assert(is_free(block));
  }
}
END_TEST

START_TEST(sweep_beside_is_over_in_a_forked_child) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  void *block = take_kind(0), *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0), *half_swept = take_kind(SPAN_KIND_NOSCAN);
  begin_beside();
  atom_int_store_rlx(&span_of(half_swept)->swept_in, atom_int_load_rlx(&span_sweep_turn) | 1);   /* by another thread */
  span_sweep_adopt_fork();
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_blocks, 0);
  ck_assert(!is_free(block) && !is_free(half_swept));
  ck_assert_uint_eq(span_of(large)->state, SPAN_LARGE);
}
END_TEST

static atom_int has_waited;
static struct cgc_span *awaited;

static void *
wait_until_swept(void *arg) {
  if (arg)
    sweep_heap(&result);
  else
    span_ensure_swept(awaited);
  atom_int_store_rel(&has_waited, 1);
  return NULL;
}

START_TEST(sweep_beside_who_needs_a_span_that_another_sweeps_waits) {
  unit_start_heap();
  awaited = span_of(take_kind(0));
  begin_beside();
  unsigned turn = atom_int_load_rlx(&span_sweep_turn);
  atom_int_store_rel(&awaited->swept_in, turn | 1);
  pthread_t thread = unit_start_thread(wait_until_swept, _i ? awaited : NULL);
  usleep(20 * 1000);
  ck_assert_uint_eq(atom_int_load_acq(&has_waited), 0);
  atom_int_store_rel(&awaited->swept_in, turn);
  pthread_join(thread, NULL);
}
END_TEST

/* ---- beside the program: large blocks ---- */

/* With the layers above, and cycles by hand only. */
static void
start_without_cycles(void) {
  unit_start_runtime();
  option_values[OPTION_MODE] = OPTION_MODE_OFF;
}

START_TEST(sweep_beside_large_block_found_dead_is_not_freed_again) {
  start_without_cycles();
  option_values[OPTION_CONFIRM] = 1;
  void *block = unit_take_large(20 * SPAN_PAGE_BYTES, 0);
  size_t used = page_heap_used_bytes();
  begin_beside();
  if (_i)
    ck_assert(!alloc_resize_in_place(span_of(block), 10 * SPAN_PAGE_BYTES));
  else
    ck_assert_int_eq(free_block(block), FREE_VERDICT_DOUBLE);
  ck_assert_uint_eq(page_heap_used_bytes(), used - 20 * SPAN_PAGE_BYTES);
  sweep_heap(&result);
  ck_assert_uint_eq(result.reclaimed_bytes, 20 * SPAN_PAGE_BYTES);
  page_heap_check();
}
END_TEST

/* 0: marked.  1: not, for the first time. */
START_TEST(sweep_beside_large_block_that_is_no_garbage_is_freed) {
  start_without_cycles();
  void *block = unit_take_large(5 * SPAN_PAGE_BYTES, 0);
  size_t used = page_heap_used_bytes();
  if (!_i)
    mark(block);
  begin_beside();
  ck_assert_int_eq(free_block(block), FREE_VERDICT_FREED);
  ck_assert_uint_eq(page_heap_used_bytes(), used - 5 * SPAN_PAGE_BYTES);
  sweep_heap(&result);
  ck_assert_uint_eq(result.live_bytes, _i ? 0 : 5 * SPAN_PAGE_BYTES);
  ck_assert_uint_eq(result.held_blocks, (unsigned)_i);
  page_heap_check();
}
END_TEST

/* ---- beside the program: several threads ---- */

enum { WORKERS = 2, TABLE_BLOCKS = 1500, ROUNDS = 40, STEPS = 6000 };

struct held_block {
  unsigned char *addr;   /* NULL: none */
  size_t bytes;
  unsigned char pattern;
};

/* Tables change hands with each round: what is freed is another thread's half of the time. */
static struct held_block tables[WORKERS][TABLE_BLOCKS];
static pthread_barrier_t round_begins, round_ends;
static atom_int working;
static atom_word taken_blocks, freed_blocks;

struct worker {
  unsigned index;
  struct unit_random random;
};

/* Not by an assertion for each: Check takes its time for one. */
static void
require(bool holds, const char *what) {
  if (!holds)
    ck_abort_msg("%s", what);
}

static void
take_block(struct held_block *block, struct unit_random *random) {
  static const size_t limits[] = {64, 64, 300, 3000};
  bool is_large = unit_random_below(random, 100) == 0;
  block->bytes = is_large ? 5 * SPAN_PAGE_BYTES : 1 + unit_random_below(random, limits[unit_random_below(random, 4)]);
  block->addr = alloc_block(block->bytes, unit_random_below(random, 2) ? SPAN_KIND_NOSCAN : 0);
  block->pattern = (unsigned char)unit_random_below(random, 256);
  require(block->addr, "no memory");
  memset(block->addr, block->pattern, block->bytes);
  atom_add_full(&taken_blocks, 1);
}

static void
assert_kept(const struct held_block *block) {
  bool is_kept = !is_free(block->addr);
  for (size_t i = 0; i < block->bytes && is_kept; i++)
    is_kept = block->addr[i] == block->pattern;
  require(is_kept, "a block in use was reclaimed");
}

static void
free_held_block(struct held_block *block) {
  assert_kept(block);
  require(free_block(block->addr) == FREE_VERDICT_FREED, "a block in use cannot be freed");
  block->addr = NULL;
  atom_add_full(&freed_blocks, 1);
}

static void *
work(void *arg) {
  struct worker *worker = arg;
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct held_block *table = tables[(worker->index + round) % WORKERS];
    pthread_barrier_wait(&round_begins);
    for (int step = 0; step < STEPS; step++) {
      struct held_block *block = &table[unit_random_below(&worker->random, TABLE_BLOCKS)];
      if (block->addr)
        free_held_block(block);
      else
        take_block(block, &worker->random);
    }
    if (round == ROUNDS - 1)
      thread_cache_flush(thread_cache_self);
    atom_int_add_full(&working, -1);
    pthread_barrier_wait(&round_ends);
  }
  pthread_barrier_wait(&round_begins);   /* its spans are its own until then */
  return NULL;
}

/* Forgets one in limit, as if it were unreachable, and marks the others. */
static void
forget_and_mark(struct unit_random *random, uint64_t limit) {
  for (size_t i = 0; i < WORKERS * TABLE_BLOCKS; i++) {
    struct held_block *block = &tables[i / TABLE_BLOCKS][i % TABLE_BLOCKS];
    if (!block->addr)
      continue;
    if (unit_random_below(random, limit) == 0)
      block->addr = NULL;
    else
      mark(block->addr);
  }
}

static void
assert_all_kept(void) {
  for (size_t i = 0; i < WORKERS * TABLE_BLOCKS; i++)
    if (tables[i / TABLE_BLOCKS][i % TABLE_BLOCKS].addr)
      assert_kept(&tables[i / TABLE_BLOCKS][i % TABLE_BLOCKS]);
}

/* Sweeps beside the workers; returns the blocks reclaimed in all. */
static uint64_t
run_round(struct unit_random *random) {
  forget_and_mark(random, 3);
  atom_int_store_rel(&working, WORKERS);
  span_sweep_begin_stw();
  pthread_barrier_wait(&round_begins);
  usleep((useconds_t)unit_random_below(random, 1000));
  while (atom_int_load_acq(&working))
    sweep_heap(&result);
  pthread_barrier_wait(&round_ends);
  sweep_heap(&result);
  assert_all_kept();
  page_heap_check();
  return result.reclaimed_blocks;
}

START_TEST(sweep_beside_threads_that_allocate_and_free_keeps_what_is_theirs) {
  static struct worker workers[WORKERS];
  struct unit_random random = unit_random_start();
  pthread_t threads[WORKERS];
  uint64_t reclaimed = 0;
  start_without_cycles();
  option_values[OPTION_CONFIRM] = (uint64_t)_i;
  pthread_barrier_init(&round_begins, NULL, WORKERS + 1);
  pthread_barrier_init(&round_ends, NULL, WORKERS + 1);
  for (unsigned i = 0; i < WORKERS; i++) {
    workers[i] = (struct worker){i, {unit_random_below(&random, UINT64_MAX) | 1}};
    threads[i] = unit_start_thread(work, &workers[i]);
  }
  for (unsigned round = 0; round < ROUNDS; round++)
    reclaimed += run_round(&random);
  for (int i = 0; i < _i; i++) {
    forget_and_mark(&random, 1);
    span_sweep_begin_stw();
    sweep_heap(&result);
    reclaimed += result.reclaimed_blocks;
  }
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 0);
  ck_assert_uint_eq(atom_load_rlx(&taken_blocks), atom_load_rlx(&freed_blocks) + reclaimed);
  page_heap_check();
  pthread_barrier_wait(&round_begins);
  for (unsigned i = 0; i < WORKERS; i++)
    pthread_join(threads[i], NULL);
}
END_TEST

/* ---- beside the program: a program that frees what it had hidden ---- */

enum { LARGE_BLOCKS = 64 };

static void *large_blocks[LARGE_BLOCKS];

static void *
sweep_once(void *arg) {
  pthread_barrier_wait(&round_begins);
  sweep_heap(&result);
  return arg;
}

START_TEST(sweep_beside_large_block_is_freed_once_by_whoever_comes_first) {
  start_without_cycles();
  option_values[OPTION_CONFIRM] = 1;
  size_t used = page_heap_used_bytes();
  pthread_barrier_init(&round_begins, NULL, 2);
  for (int round = 0; round < 500; round++) {
    for (int i = 0; i < LARGE_BLOCKS; i++)
      large_blocks[i] = unit_take_large(5 * SPAN_PAGE_BYTES, 0);
    begin_beside();
    pthread_t thread = unit_start_thread(sweep_once, NULL);
    pthread_barrier_wait(&round_begins);
    for (int i = 0; i < LARGE_BLOCKS; i++)
      ck_assert_int_ne(free_block(large_blocks[i]), FREE_VERDICT_FREED);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(result.reclaimed_blocks, LARGE_BLOCKS);
    ck_assert_uint_eq(page_heap_used_bytes(), used);
    page_heap_check();
  }
}
END_TEST

/* ---- the rest ---- */

/* Marked, and in use or freed since: the slot of the latter is as good as new. */
START_TEST(sweep_keeps_marks_of_allocated_blocks_alone) {
  unit_start_heap();
  option_values[OPTION_CONFIRM] = 1;
  void *kept = take_kind(0), *freed = take_kind(0), *dead = take_kind(0);
  void *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  mark(kept);
  mark(freed);
  mark(large);
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(freed), (uintptr_t)freed), FREE_DONE);
  thread_cache_flush(&cache);
  for (int i = 0; i < 2; i++) {
    sweep_heap_stw(true, &result);
    ck_assert_uint_eq(atom_load_rlx(&word_of(kept)->mark), bit_of(kept));
    ck_assert_uint_eq(atom_load_rlx(&word_of(large)->mark), 1);
    ck_assert_uint_eq(result.reclaimed_blocks, i == 0);
    ck_assert(is_free(dead) && is_free(freed) && !is_free(kept));
  }
  sweep_heap_stw(false, &result);
  ck_assert_uint_eq(atom_load_rlx(&word_of(kept)->mark) | atom_load_rlx(&word_of(large)->mark), 0);
}
END_TEST

START_TEST(sweep_clear_marks_condemns_nobody) {
  unit_start_heap();
  void *block = take_kind(0), *large = unit_take_large(3 * SPAN_PAGE_BYTES, 0), *unmarked = take_kind(0);
  mark(block);
  mark(large);
  sweep_clear_marks();
  ck_assert_uint_eq(atom_load_rlx(&word_of(block)->mark) | atom_load_rlx(&word_of(large)->mark), 0);
  mark(block);
  mark(large);
  sweep();
  ck_assert_uint_eq(result.held_blocks, 1);
  ck_assert(!is_free(unmarked));
}
END_TEST

START_TEST(sweep_counts_allocated_bytes) {
  unit_start_heap();
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 0);
  void *blocks[10];
  for (int i = 0; i < 10; i++)
    blocks[i] = take_kind(0);
  unit_take_large(5 * SPAN_PAGE_BYTES, SPAN_KIND_NOSCAN);
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 10 * BYTES + 5 * SPAN_PAGE_BYTES);
  span_free_remote(span_of(blocks[0]), 0);
  ck_assert_uint_eq(sweep_count_allocated_bytes(), 9 * BYTES + 5 * SPAN_PAGE_BYTES);
}
END_TEST

static void
assert_estimate_within(double fraction) {
  for (size_t turn = 0; turn < 30; turn++) {
    double exact = (double)sweep_count_allocated_bytes(), estimate = (double)sweep_estimate_allocated_bytes(turn);
    ck_assert_double_ge(estimate, exact * (1 - fraction));
    ck_assert_double_le(estimate, exact * (1 + fraction));
  }
}

START_TEST(sweep_estimate_of_many_spans_comes_near) {
  enum { BLOCKS = 2000 * SLOTS };
  static void *blocks[BLOCKS];
  struct unit_random random = unit_random_start();
  unit_start_heap();
  ck_assert_uint_eq(sweep_estimate_allocated_bytes(0), 0);
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = take_kind(0);
  assert_estimate_within(0);
  for (int i = 0; i < BLOCKS; i++)
    if (unit_random_below(&random, BLOCKS) < (uint64_t)i)   /* the later the freer */
      span_free_remote(span_of(blocks[i]), span_slot_of(span_of(blocks[i]), (uintptr_t)blocks[i]));
  assert_estimate_within(0.1);
}
END_TEST

START_TEST(sweep_estimate_of_large_blocks_is_exact) {
  unit_start_heap();
  unit_take_large(1000 * SPAN_PAGE_BYTES, 0);
  for (int i = 0; i < 2000; i++)
    unit_take_large(SPAN_PAGE_BYTES, 0);
  assert_estimate_within(0);
}
END_TEST

/* Over 32 MiB are swept by several threads: the sums must be the same. */
START_TEST(sweep_by_several_threads_adds_up) {
  enum { LARGE = 40, LARGE_BYTES = 1024 * 1024, SMALL = 20000 };
  static void *small[SMALL];
  unit_start_heap();
  option_values[OPTION_MARKERS] = 4;
  option_values[OPTION_CONFIRM] = 1;
  for (int i = 0; i < LARGE; i++) {
    void *block = unit_take_large(LARGE_BYTES, 0);
    if (i % 2)
      mark(block);
  }
  for (int i = 0; i < SMALL; i++)
    small[i] = take_kind(0);
  for (int i = 0; i < SMALL; i += 4)
    mark(small[i]);
  sweep();
  ck_assert_uint_eq(result.live_bytes, (uint64_t)LARGE / 2 * LARGE_BYTES + SMALL / 4 * BYTES);
  ck_assert_uint_eq(result.reclaimed_blocks, LARGE / 2 + SMALL / 4 * 3);
  for (int i = 0; i < SMALL; i++)
    ck_assert_int_eq(is_free(small[i]), i % 4 != 0);
  page_heap_check();
}
END_TEST

Suite *
sweep_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("sweep", &tests);
  tcase_add_test(tests, sweep_marked_blocks_live_and_their_marks_are_cleared);
  tcase_add_test(tests, sweep_unmarked_block_is_held_first_and_then_reclaimed);
  tcase_add_test(tests, sweep_held_block_found_again_starts_over);
  tcase_add_test(tests, sweep_without_confirmation_reclaims_at_once);
  tcase_add_test(tests, sweep_collected_kinds_are_reclaimed_at_once);
  tcase_add_test(tests, sweep_large_block_is_held_then_its_pages_are_free);
  tcase_add_test(tests, sweep_reclaimed_slots_are_allocated_again);
  tcase_add_loop_test(tests, sweep_leaves_the_word_of_a_window_alone, 1, 3);
  tcase_add_test(tests, sweep_block_reusing_a_condemned_slot_of_the_window_is_held_first);
  tcase_add_test(tests, sweep_beside_span_is_swept_once_by_the_refill_that_needs_it);
  tcase_add_loop_test(tests, sweep_beside_span_without_a_thread_is_swept_by_who_takes_it, 0, 2);
  tcase_add_loop_test(tests, sweep_beside_span_without_a_thread_that_is_all_dead_goes_to_the_page_heap, 0, 2);
  tcase_add_test(tests, sweep_beside_span_is_swept_before_its_owner_counts_what_is_free);
  tcase_add_test(tests, sweep_beside_condemned_block_is_not_freed_before_its_span_is_swept);
  tcase_add_test(tests, sweep_beside_spans_made_since_are_not_swept);
  tcase_add_test(tests, sweep_beside_structure_that_is_used_again_is_not_swept);
  tcase_add_loop_test(tests, sweep_beside_leaves_the_word_of_a_window_alone, 1, 3);
  tcase_add_test(tests, sweep_beside_slots_freed_meanwhile_are_free_once);
  tcase_add_test(tests, sweep_beside_result_is_of_all_spans_whoever_has_swept_them);
  tcase_add_loop_test(tests, sweep_beside_turns_may_run_over, 0, 4);
  tcase_add_test(tests, sweep_beside_is_over_in_a_forked_child);
  tcase_add_loop_test(tests, sweep_beside_who_needs_a_span_that_another_sweeps_waits, 0, 2);
  tcase_add_loop_test(tests, sweep_beside_large_block_found_dead_is_not_freed_again, 0, 2);
  tcase_add_loop_test(tests, sweep_beside_large_block_that_is_no_garbage_is_freed, 0, 2);
  tcase_add_loop_test(tests, sweep_beside_threads_that_allocate_and_free_keeps_what_is_theirs, 1, 3);
  tcase_add_test(tests, sweep_beside_large_block_is_freed_once_by_whoever_comes_first);
  tcase_add_test(tests, sweep_keeps_marks_of_allocated_blocks_alone);
  tcase_add_test(tests, sweep_clear_marks_condemns_nobody);
  tcase_add_test(tests, sweep_counts_allocated_bytes);
  tcase_add_test(tests, sweep_estimate_of_many_spans_comes_near);
  tcase_add_test(tests, sweep_estimate_of_large_blocks_is_exact);
  tcase_add_test(tests, sweep_by_several_threads_adds_up);
  return suite;
}
