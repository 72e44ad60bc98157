/* SPDX-License-Identifier: MIT */
/* A cache used as alloc.c uses it, but for collections: static, and by this thread. */
#include "unit.h"

#include "heap/central.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

#include <pthread.h>

static struct thread_cache cache;
static unsigned span_class;    /* of most tests: 512 slots of 16 bytes in a page */

enum { SLOTS = 512, CLASS_16_BYTES = 2, RETAINED_SPANS_MAX = CGC_CONFIG_HOSTILE ? 8 : 128 };

static void
start(void) {
  unit_start_heap();
  span_class = span_class_of(CLASS_16_BYTES, 0);
}

static void *
take(void) {
  return unit_take(&cache, span_class);
}

static struct cgc_span *
span_of(const void *block) {
  return heap_map_span((uintptr_t)block);
}

static enum free_result
give_to(struct thread_cache *to, void *block) {
  struct cgc_span *span = span_of(block);
  enum free_result result = thread_cache_free_own(to, span, (uintptr_t)block);
  if (result == FREE_DONE_EVENT)
    thread_cache_free_event(to, span);
  return result;
}

static enum free_result
give(void *block) {
  return give_to(&cache, block);
}

static bool
is_freed(enum free_result result) {
  return result == FREE_DONE || result == FREE_DONE_EVENT;
}

static void
give_remotely(void *block) {
  struct cgc_span *span = span_of(block);
  ck_assert(span_free_remote(span, span_slot_of(span, (uintptr_t)block)));
}

/* Takes all slots of a span. */
static struct cgc_span *
take_span(void **blocks) {
  for (int i = 0; i < SLOTS; i++)
    blocks[i] = take();
  struct cgc_span *span = span_of(blocks[0]);
  for (int i = 0; i < SLOTS; i++)
    ck_assert_ptr_eq(span_of(blocks[i]), span);
  return span;
}

/* ---- popping ---- */

START_TEST(thread_cache_none_has_no_slot_and_owns_nothing) {
  start();
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    ck_assert_ptr_null(thread_cache_try_pop(&thread_cache_none, i));
  ck_assert_int_eq(thread_cache_free_own(&thread_cache_none, span_of(take()), (uintptr_t)take()), FREE_NOT_OWNED);
}
END_TEST

START_TEST(thread_cache_refill_without_spans_says_so) {
  start();
  ck_assert(thread_cache_init(&cache));
  ck_assert(!thread_cache_refill(&cache, span_class));
}
END_TEST

START_TEST(thread_cache_gives_every_slot_of_a_span_once) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  bool seen[SLOTS] = {false};
  for (int i = 0; i < SLOTS; i++) {
    size_t slot = span_slot_of(span, (uintptr_t)blocks[i]);
    ck_assert_uint_eq(span_slot_addr(span, slot), (uintptr_t)blocks[i]);
    ck_assert(!seen[slot]);
    seen[slot] = true;
  }
  ck_assert(!thread_cache_refill(&cache, span_class));
  ck_assert_uint_eq(span->state, SPAN_FULL);
  span_check(span);
}
END_TEST

START_TEST(thread_cache_serves_every_span_class) {
  start();
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++) {
    if (i % SIZE_CLASS_COUNT == SIZE_CLASS_LARGE)
      continue;
    char *block = unit_take(&cache, i);
    ck_assert_uint_eq(span_of(block)->span_class, i);
    ck_assert_uint_eq(span_slot_of(span_of(block), (uintptr_t)block), 0);
    memset(block, 1, span_block_bytes(span_of(block)));
  }
  page_heap_check();
}
END_TEST

/* ---- freeing one's own ---- */

START_TEST(thread_cache_slot_freed_into_the_window_is_reused_next) {
  start();
  void *first = take(), *second = take();
  ck_assert_int_eq(give(first), FREE_DONE);
  ck_assert_ptr_eq(take(), first);
  ck_assert_int_eq(give(second), FREE_DONE);
  ck_assert_ptr_eq(take(), second);
}
END_TEST

START_TEST(thread_cache_double_free_in_the_window_is_told) {
  start();
  void *block = take();
  ck_assert_int_eq(give(block), FREE_DONE);
  ck_assert_int_eq(give(block), FREE_UNUSUAL);
  ck_assert_ptr_eq(take(), block);
  ck_assert_ptr_ne(take(), block);
}
END_TEST

START_TEST(thread_cache_double_free_outside_of_the_window_is_told) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  ck_assert_uint_ne(span->window_word, 0);   /* it has moved on */
  ck_assert(is_freed(give(blocks[3])));
  ck_assert_int_eq(give(blocks[3]), FREE_UNUSUAL);
  ck_assert_uint_eq(span_free_slots(span), 1);
}
END_TEST

START_TEST(thread_cache_free_of_what_is_not_its_slot_does_nothing) {
  static struct thread_cache other;
  start();
  void *block = take(), *others = unit_take(&other, span_class);
  struct cgc_span *span = span_of(block), *large = page_heap_alloc(0, 2, 1);
  uintptr_t addr = (uintptr_t)block;
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(others), (uintptr_t)others), FREE_NOT_OWNED);
  ck_assert_int_eq(thread_cache_free_own(&cache, large, large->base_addr), FREE_NOT_OWNED);
  ck_assert_int_eq(thread_cache_free_own(&cache, span, addr + 1), FREE_NOT_OWNED);
  ck_assert_int_eq(thread_cache_free_own(&cache, span, addr + 8), FREE_NOT_OWNED);
  ck_assert_ptr_ne(take(), block);
}
END_TEST

/* 682 slots of 48 bytes leave a tail of 32 bytes, where a slot would begin but does not fit. */
START_TEST(thread_cache_free_in_the_tail_of_a_span_does_nothing) {
  start();
  unsigned class_48 = span_class_of(5, 0);
  struct cgc_span *span = span_of(unit_take(&cache, class_48));
  ck_assert_uint_eq(span->slot_count, 682);
  ck_assert_int_eq(thread_cache_free_own(&cache, span, span_slot_addr(span, 682)), FREE_NOT_OWNED);
  span_check(span);
}
END_TEST

/* ---- events ---- */

START_TEST(thread_cache_full_span_half_freed_is_used_before_fresh_ones) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *full = take_span(blocks);
  struct cgc_span *current = span_of(take());
  ck_assert_ptr_ne(current, full);
  ck_assert_uint_eq(full->state, SPAN_FULL);
  for (int i = 0; i < SLOTS / 2; i++)
    ck_assert(is_freed(give(blocks[i])));
  ck_assert_uint_eq(full->state, SPAN_PARTIAL);
  span_check(full);
  for (int i = 1; i < SLOTS; i++)
    ck_assert_ptr_eq(span_of(take()), current);
  for (int i = 0; i < SLOTS / 2; i++)
    ck_assert_ptr_eq(span_of(take()), full);
  ck_assert(!thread_cache_refill(&cache, span_class));
}
END_TEST

START_TEST(thread_cache_emptied_span_is_retained_for_its_class) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  void *keep = take();
  for (int i = 0; i < SLOTS; i++)
    ck_assert(is_freed(give(blocks[i])));
  ck_assert_uint_eq(span->state, SPAN_PARTIAL);
  ck_assert(span->is_retained);
  ck_assert_uint_eq(cache.retained_pages, 1);
  ck_assert_uint_eq(page_heap_used_bytes(), 2 * SPAN_PAGE_BYTES);
  span_check(span);
  for (int i = 1; i < SLOTS; i++)
    ck_assert_ptr_eq(span_of(take()), span_of(keep));
  ck_assert_ptr_eq(span_of(take()), span);
  ck_assert(!span->is_retained);
  ck_assert_uint_eq(cache.retained_pages, 0);
}
END_TEST

START_TEST(thread_cache_retains_empty_spans_up_to_a_limit) {
  enum { SPANS = 2 * RETAINED_SPANS_MAX };
  static void *blocks[SPANS * SLOTS];
  start();
  for (int i = 0; i < SPANS * SLOTS; i++)
    blocks[i] = take();
  take();
  for (int i = 0; i < SPANS * SLOTS; i++)
    ck_assert(is_freed(give(blocks[i])));
  ck_assert_uint_eq(cache.retained_pages, RETAINED_SPANS_MAX);
  ck_assert_uint_eq(page_heap_used_bytes(), (RETAINED_SPANS_MAX + 1) * SPAN_PAGE_BYTES);
  page_heap_check();
}
END_TEST

START_TEST(thread_cache_span_freed_and_refilled_many_times_keeps_its_countdown_right) {
  static void *blocks[4 * SLOTS];
  struct unit_random random = unit_random_start();
  start();
  for (int step = 0; step < 400000; step++) {
    size_t at = unit_random_below(&random, CGC_COUNT(blocks));
    bool wants = unit_random_below(&random, 1000) < (step / 20000 % 2 ? 300 : 700);
    if (!blocks[at] && wants) {
      blocks[at] = take();
    } else if (blocks[at] && !wants) {
      ck_assert(is_freed(give(blocks[at])));
      blocks[at] = NULL;
    }
    if (step % 5000 == 0)
      page_heap_check();
  }
  for (size_t i = 0; i < CGC_COUNT(blocks); i++)
    if (blocks[i])
      ck_assert(is_freed(give(blocks[i])));
  thread_cache_abandon(&cache);
  ck_assert_uint_eq(page_heap_used_bytes(), 0);   /* no span was lost between the lists */
}
END_TEST

/* ---- frees by others ---- */

START_TEST(thread_cache_slots_freed_by_others_come_back_at_a_refill) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  take();   /* another span is current */
  for (int i = 0; i < SLOTS; i += 2)
    give_remotely(blocks[i]);
  for (int i = 1; i < SLOTS; i++)
    ck_assert_ptr_ne(span_of(take()), span);
  for (int i = 0; i < SLOTS; i += 2)
    ck_assert_ptr_eq(take(), blocks[i]);
  ck_assert_ptr_ne(span_of(take()), span);
}
END_TEST

START_TEST(thread_cache_slots_of_the_current_span_freed_by_others_come_back) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  ck_assert_uint_eq(span->state, SPAN_CURRENT);
  give_remotely(blocks[0]);
  give_remotely(blocks[SLOTS - 1]);
  void *first = take(), *second = take();
  ck_assert((first == blocks[0] && second == blocks[SLOTS - 1]) || (second == blocks[0] && first == blocks[SLOTS - 1]));
}
END_TEST

START_TEST(thread_cache_span_emptied_by_others_is_noticed) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  take();
  for (int i = 0; i < SLOTS; i++)
    give_remotely(blocks[i]);
  thread_cache_collect_remote(&cache, UINT32_MAX);
  ck_assert(span->is_retained);
  ck_assert_uint_eq(span_free_slots(span), SLOTS);
  page_heap_check();
}
END_TEST

/* Half by the owner, half by others: the countdown is of the owner's frees only. */
START_TEST(thread_cache_span_emptied_by_both_is_noticed) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  take();
  for (int i = 0; i < SLOTS; i++) {
    if (i % 2)
      give_remotely(blocks[i]);
    else
      ck_assert(is_freed(give(blocks[i])));
  }
  thread_cache_collect_remote(&cache, UINT32_MAX);
  ck_assert(span->is_retained);
  page_heap_check();
}
END_TEST

enum { THREADS = 3, TURNS = 300 };

static void *handed[THREADS][SLOTS];
static atom_int turn_of[THREADS];   /* even: this thread may fill; odd: the other frees */

static void *
free_what_is_handed(void *arg) {
  int me = (int)(intptr_t)arg;
  for (unsigned turn = 1; turn < 2 * TURNS; turn += 2) {
    while (atom_int_load_acq(&turn_of[me]) != turn)
      sched_yield();
    for (int i = 0; i < SLOTS / THREADS; i++)
      give_remotely(handed[me][i]);
    atom_int_store_rel(&turn_of[me], turn + 1);
  }
  return NULL;
}

static void
hand(void **holder) {
  *holder = take();
  *(void **)*holder = holder;
}

START_TEST(thread_cache_with_blocks_freed_by_other_threads_loses_none) {
  pthread_t threads[THREADS];
  start();
  for (intptr_t i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, free_what_is_handed, (void *)i), 0);
  for (unsigned turn = 0; turn < 2 * TURNS; turn += 2)
    for (int i = 0; i < THREADS; i++) {
      while (atom_int_load_acq(&turn_of[i]) != turn)
        sched_yield();
      for (int k = 0; k < SLOTS / THREADS; k++)
        hand(&handed[i][k]);
      for (int k = 0; k < SLOTS / THREADS; k++)   /* nobody else got the same slot */
        ck_assert_ptr_eq(*(void **)handed[i][k], &handed[i][k]);
      atom_int_store_rel(&turn_of[i], turn + 1);
    }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  thread_cache_collect_remote(&cache, UINT32_MAX);
  page_heap_check();
  ck_assert_uint_le(page_heap_used_bytes(), (THREADS + 3) * SPAN_PAGE_BYTES);
  thread_cache_abandon(&cache);
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
}
END_TEST

/* ---- window ---- */

START_TEST(thread_cache_slots_of_the_window_are_free_until_taken) {
  start();
  void *block = take();
  struct cgc_span *span = span_of(block);
  ck_assert_uint_eq(span->window_word, 0);
  ck_assert_uint_eq(span_word_free(span, 0), UINT64_MAX - 1);
  ck_assert_int_eq(give(block), FREE_DONE);
  ck_assert_uint_eq(span_word_free(span, 0), UINT64_MAX);
  span_check(span);
}
END_TEST

START_TEST(thread_cache_double_free_by_another_in_the_window_is_told) {
  start();
  void *block = take();
  struct cgc_span *span = span_of(block);
  ck_assert(!span_free_remote(span, 1));   /* not taken yet */
  ck_assert_int_eq(give(block), FREE_DONE);
  ck_assert(!span_free_remote(span, 0));
}
END_TEST

START_TEST(thread_cache_condemned_slot_must_be_absolved_before_it_is_freed) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  for (int i = 0; i < SLOTS; i += SLOTS - 1) {   /* outside of the window and in it */
    atom_word *condemned = &span->words[i / 64].condemned;
    atom_store_rlx(condemned, (uint64_t)1 << i % 64);
    ck_assert_int_eq(give(blocks[i]), FREE_UNUSUAL);
    ck_assert(thread_cache_absolve(span, (uintptr_t)blocks[i]));
    ck_assert_uint_eq(atom_load_rlx(condemned), 0);
    ck_assert(is_freed(give(blocks[i])));
    ck_assert(!thread_cache_absolve(span, (uintptr_t)blocks[i]));
  }
}
END_TEST

START_TEST(thread_cache_flush_closes_windows) {
  start();
  void *block = take();
  struct cgc_span *span = span_of(block);
  thread_cache_flush(&cache);
  ck_assert_uint_eq(span_free_slots(span), SLOTS - 1);
  ck_assert_uint_eq(span->state, SPAN_PARTIAL);
  ck_assert_uint_eq(span->window_word, SPAN_NO_WINDOW);
  ck_assert_ptr_null(thread_cache_try_pop(&cache, span_class));
  span_check(span);
  ck_assert_ptr_eq(span_of(take()), span);
}
END_TEST

START_TEST(thread_cache_opened_window_forgets_what_was_condemned) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  thread_cache_flush(&cache);
  for (int i = 0; i < SLOTS; i += 2)
    give(blocks[i]);
  atom_store_rlx(&span->words[0].condemned, 1);   /* of a free slot */
  atom_store_rlx(&span->words[1].condemned, 1);
  ck_assert_ptr_eq(take(), blocks[0]);
  ck_assert_uint_eq(atom_load_rlx(&span->words[0].condemned), 0);
  ck_assert_uint_eq(atom_load_rlx(&span->words[1].condemned), 1);
}
END_TEST

/* ---- leaving ---- */

START_TEST(thread_cache_abandoned_spans_serve_another_cache) {
  static struct thread_cache other;
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  give(blocks[9]);
  thread_cache_abandon(&cache);
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    ck_assert(!cache.windows[i].span && !cache.lists[i].partial && !cache.lists[i].full);
  ck_assert_ptr_eq(unit_take(&other, span_class), blocks[9]);
  ck_assert_int_eq(give_to(&other, blocks[10]), FREE_DONE);   /* all its blocks are the other's now */
  ck_assert_int_eq(thread_cache_free_own(&cache, span, (uintptr_t)blocks[11]), FREE_NOT_OWNED);
}
END_TEST

START_TEST(thread_cache_abandoned_empty_spans_go_back_to_the_page_heap) {
  start();
  void *blocks[SLOTS];
  take_span(blocks);
  void *last = take();
  for (int i = 0; i < SLOTS; i++)
    give(blocks[i]);
  give(last);
  ck_assert_uint_eq(page_heap_used_bytes(), 2 * SPAN_PAGE_BYTES);
  thread_cache_abandon(&cache);
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
  ck_assert_uint_eq(cache.retained_pages, 0);
  page_heap_check();
}
END_TEST

START_TEST(thread_cache_abandoned_with_remote_frees_pending_loses_none) {
  start();
  void *blocks[SLOTS];
  struct cgc_span *span = take_span(blocks);
  give_remotely(blocks[1]);
  thread_cache_abandon(&cache);
  for (int i = 0; i < SLOTS; i++)
    if (i != 1)
      give_remotely(blocks[i]);
  central_collect(span_class);
  ck_assert(!span_is_used(span));
  ck_assert_uint_eq(page_heap_used_bytes(), 0);
}
END_TEST

START_TEST(thread_cache_forget_drops_windows_and_lists) {
  start();
  void *block = take();
  struct cgc_span *span = span_of(block);
  thread_cache_enter(&cache);
  thread_cache_forget(&cache);
  ck_assert_uint_eq(span_free_slots(span), SLOTS - 1);
  ck_assert_uint_eq(span->window_word, SPAN_NO_WINDOW);
  ck_assert_uint_eq(atom_int_load_rlx(&cache.is_inside), 0);
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++)
    ck_assert(!cache.windows[i].span && !cache.windows[i].free && !cache.lists[i].partial && !cache.lists[i].full);
}
END_TEST

START_TEST(thread_cache_leave_tells_of_a_stop_put_off) {
  thread_cache_enter(&cache);
  ck_assert_uint_eq(atom_int_load_rlx(&cache.is_inside), 1);
  ck_assert(!thread_cache_leave(&cache));
  ck_assert_uint_eq(atom_int_load_rlx(&cache.is_inside), 0);
  thread_cache_enter(&cache);
  atom_int_store_rlx(&cache.is_stop_wanted, 1);
  ck_assert(thread_cache_leave(&cache));
}
END_TEST

Suite *
thread_cache_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("thread_cache", &tests);
  tcase_add_test(tests, thread_cache_none_has_no_slot_and_owns_nothing);
  tcase_add_test(tests, thread_cache_refill_without_spans_says_so);
  tcase_add_test(tests, thread_cache_gives_every_slot_of_a_span_once);
  tcase_add_test(tests, thread_cache_serves_every_span_class);
  tcase_add_test(tests, thread_cache_slot_freed_into_the_window_is_reused_next);
  tcase_add_test(tests, thread_cache_double_free_in_the_window_is_told);
  tcase_add_test(tests, thread_cache_double_free_outside_of_the_window_is_told);
  tcase_add_test(tests, thread_cache_free_of_what_is_not_its_slot_does_nothing);
  tcase_add_test(tests, thread_cache_free_in_the_tail_of_a_span_does_nothing);
  tcase_add_test(tests, thread_cache_full_span_half_freed_is_used_before_fresh_ones);
  tcase_add_test(tests, thread_cache_emptied_span_is_retained_for_its_class);
  tcase_add_test(tests, thread_cache_retains_empty_spans_up_to_a_limit);
  tcase_add_test(tests, thread_cache_span_freed_and_refilled_many_times_keeps_its_countdown_right);
  tcase_add_test(tests, thread_cache_slots_freed_by_others_come_back_at_a_refill);
  tcase_add_test(tests, thread_cache_slots_of_the_current_span_freed_by_others_come_back);
  tcase_add_test(tests, thread_cache_span_emptied_by_others_is_noticed);
  tcase_add_test(tests, thread_cache_span_emptied_by_both_is_noticed);
  tcase_add_test(tests, thread_cache_with_blocks_freed_by_other_threads_loses_none);
  tcase_add_test(tests, thread_cache_slots_of_the_window_are_free_until_taken);
  tcase_add_test(tests, thread_cache_double_free_by_another_in_the_window_is_told);
  tcase_add_test(tests, thread_cache_condemned_slot_must_be_absolved_before_it_is_freed);
  tcase_add_test(tests, thread_cache_flush_closes_windows);
  tcase_add_test(tests, thread_cache_opened_window_forgets_what_was_condemned);
  tcase_add_test(tests, thread_cache_abandoned_spans_serve_another_cache);
  tcase_add_test(tests, thread_cache_abandoned_empty_spans_go_back_to_the_page_heap);
  tcase_add_test(tests, thread_cache_abandoned_with_remote_frees_pending_loses_none);
  tcase_add_test(tests, thread_cache_forget_drops_windows_and_lists);
  tcase_add_test(tests, thread_cache_leave_tells_of_a_stop_put_off);
  return suite;
}
