/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <pthread.h>
#include <signal.h>

/* A used small span that describes no memory, with all slots allocated. */
static struct cgc_span *
make_span(unsigned size_class, struct span_owner *owner) {
  const struct cgc_size_class *size = &size_class_rows[size_class];
  struct cgc_span *span = aligned_alloc(64, sizeof *span + SPAN_WORDS_MAX * sizeof span->words[0]);
  ck_assert_ptr_nonnull(span);
  memset(span, 0, sizeof *span + SPAN_WORDS_MAX * sizeof span->words[0]);
  span->base_addr = 64 * SPAN_PAGE_BYTES;
  span->page_count = size->page_count;
  span->slot_bytes = size->slot_bytes;
  span->slot_count = size->slot_count;
  span->divide_magic = size->divide_magic;
  span->word_capacity = SPAN_WORDS_MAX;
  span->span_class = (uint16_t)span_class_of(size_class, 0);
  span->window_word = SPAN_NO_WINDOW;
  span->state = SPAN_FULL;
  span->next = span->prev = span;
  atom_store_rlx(&span->owner, (uintptr_t)owner);
  return span;
}

static struct span_owner owner, other_owner;

enum { CLASS_24_BYTES = 3, CLASS_8_BYTES = 1, CLASS_32768_BYTES = 67 };

/* ---- shape ---- */

START_TEST(span_slot_of_address_is_found_for_every_class) {
  for (unsigned i = 1; i < SIZE_CLASS_COUNT; i++) {
    struct cgc_span *span = make_span(i, &owner);
    for (size_t slot = 0; slot < span->slot_count; slot++) {
      uintptr_t addr = span_slot_addr(span, slot);
      ck_assert_uint_eq(span_slot_of(span, addr), slot);
      ck_assert_uint_eq(span_slot_of(span, addr + span->slot_bytes - 1), slot);
    }
    uintptr_t end = span->base_addr + span_bytes(span);
    if (span_slot_addr(span, span->slot_count) < end)   /* the tail */
      ck_assert_uint_ge(span_slot_of(span, end - 1), span->slot_count);
    free(span);
  }
}
END_TEST

START_TEST(span_slot_starts_at_no_address_but_those_of_slots) {
  for (unsigned i = 1; i < SIZE_CLASS_COUNT; i++) {
    struct cgc_span *span = make_span(i, &owner);
    for (size_t offset = 0; offset < span_bytes(span); offset++) {
      size_t slot;
      bool starts = span_slot_starts_at(span, span->base_addr + offset, &slot);
      bool must = offset % span->slot_bytes == 0 && offset / span->slot_bytes < span->slot_count;
      if (starts != must || (starts && slot != offset / span->slot_bytes))
        ck_abort_msg("class %u, offset %zu", i, offset);
    }
    free(span);
  }
}
END_TEST

START_TEST(span_word_masks_cover_the_slots_exactly) {
  for (unsigned i = 1; i < SIZE_CLASS_COUNT; i++) {
    struct cgc_span *span = make_span(i, &owner);
    unsigned slots = 0;
    for (unsigned k = 0; k < span_word_count(span); k++) {
      uint64_t mask = span_word_mask(span, k);
      ck_assert_uint_ne(mask, 0);
      ck_assert_uint_eq(mask & (mask + 1), 0);   /* from the lowest bit up, without a hole */
      slots += (unsigned)__builtin_popcountll(mask);
    }
    ck_assert_uint_eq(slots, span->slot_count);
    free(span);
  }
}
END_TEST

/* ---- remote frees ---- */

START_TEST(span_free_remote_frees_the_slot_and_lists_the_span_once) {
  struct cgc_span *span = make_span(CLASS_24_BYTES, &owner);
  ck_assert(span_free_remote(span, 0));
  ck_assert(span_free_remote(span, 340));
  ck_assert_uint_eq(span_free_slots(span), 2);
  ck_assert_uint_eq(span_word_free(span, 0), 1);
  ck_assert_uint_eq(span_word_free(span, 5), (uint64_t)1 << 340 % 64);
  ck_assert_ptr_eq(span_owner_take_remote(&owner), span);
  ck_assert_ptr_null(span->remote_next);
  ck_assert_ptr_null(span_owner_take_remote(&owner));
}
END_TEST

START_TEST(span_free_remote_of_a_free_slot_is_refused) {
  struct cgc_span *span = make_span(CLASS_24_BYTES, &owner);
  ck_assert(span_free_remote(span, 70));
  ck_assert(!span_free_remote(span, 70));   /* the bit is still remote */
  span_collect_remote(span);
  ck_assert(!span_free_remote(span, 70));   /* the bit is the owner's */
  ck_assert_uint_eq(span_free_slots(span), 1);
  ck_assert_uint_eq(atom_load_rlx(&span->words[1].remote), 0);
}
END_TEST

START_TEST(span_collect_remote_moves_bits) {
  struct cgc_span *span = make_span(CLASS_24_BYTES, &owner);
  atom_store_rlx(&span->words[2].free, 0xf0);
  ck_assert(span_free_remote(span, 0));
  ck_assert(span_free_remote(span, 2 * 64 + 1));
  ck_assert(span_free_remote(span, 340));
  span_collect_remote(span);
  ck_assert_uint_eq(span_free_slots(span), 4 + 3);
  ck_assert_uint_eq(atom_load_rlx(&span->words[0].free), 1);
  ck_assert_uint_eq(atom_load_rlx(&span->words[2].free), 0xf2);
  for (unsigned i = 0; i < span_word_count(span); i++)
    ck_assert_uint_eq(atom_load_rlx(&span->words[i].remote), 0);
}
END_TEST

START_TEST(span_without_owner_is_not_listed_until_it_has_one) {
  struct cgc_span *span = make_span(CLASS_24_BYTES, NULL);
  ck_assert(span_free_remote(span, 1));
  ck_assert_uint_eq(atom_int_load_rlx(&span->is_remote_listed), 0);
  atom_store_rel(&span->owner, (uintptr_t)&other_owner);
  span_list_remote(span);
  ck_assert_ptr_eq(span_owner_take_remote(&other_owner), span);
}
END_TEST

START_TEST(span_owner_take_remote_gives_all_spans_linked) {
  struct cgc_span *spans[3];
  for (int i = 0; i < 3; i++) {
    spans[i] = make_span(CLASS_24_BYTES, &owner);
    span_free_remote(spans[i], 5);
  }
  unsigned seen = 0;
  for (struct cgc_span *span = span_owner_take_remote(&owner); span; span = span->remote_next)
    for (unsigned i = 0; i < 3; i++)
      seen |= span == spans[i] ? 1u << i : 0;
  ck_assert_uint_eq(seen, 7);
}
END_TEST

enum { THREADS = 4, TURNS = 200 };

static struct cgc_span *shared_span;
static atom_int freed_slots;

/* Frees every stride-th slot. */
static void
free_slots(size_t first, size_t stride) {
  for (size_t slot = first; slot < shared_span->slot_count; slot += stride)
    if (span_free_remote(shared_span, slot))
      atom_int_add_full(&freed_slots, 1);
}

static void *
free_all_slots(void *arg) {
  (void)arg;
  free_slots(0, 1);
  return NULL;
}

static void *
free_own_share(void *arg) {
  free_slots((size_t)arg, THREADS);
  return NULL;
}

static void
start_threads(pthread_t *threads, void *(*function)(void *)) {
  shared_span = make_span(CLASS_8_BYTES, &owner);
  atom_int_store_rlx(&freed_slots, 0);
  for (size_t i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, function, (void *)i), 0);
}

static void
join_threads(const pthread_t *threads) {
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

START_TEST(span_slots_freed_by_several_threads_each_are_freed_once) {
  pthread_t threads[THREADS];
  for (int turn = 0; turn < TURNS; turn++) {
    start_threads(threads, free_all_slots);
    join_threads(threads);
    ck_assert_uint_eq(atom_int_load_rlx(&freed_slots), shared_span->slot_count);
    span_collect_remote(shared_span);
    ck_assert_uint_eq(span_free_slots(shared_span), shared_span->slot_count);
    ck_assert_ptr_eq(span_owner_take_remote(&owner), shared_span);
    ck_assert_ptr_null(shared_span->remote_next);
    free(shared_span);
  }
}
END_TEST

START_TEST(span_slots_freed_while_the_owner_collects_are_all_collected) {
  pthread_t threads[THREADS];
  for (int turn = 0; turn < TURNS; turn++) {
    start_threads(threads, free_own_share);
    while (span_free_slots(shared_span) < shared_span->slot_count)   /* a lost one is a hang, which Check ends */
      span_collect_remote(shared_span);
    join_threads(threads);
    ck_assert_uint_eq(atom_int_load_rlx(&freed_slots), shared_span->slot_count);
    ck_assert_ptr_eq(span_owner_take_remote(&owner), shared_span);
    free(shared_span);
  }
}
END_TEST

/* ---- lists ---- */

static void
assert_list(struct cgc_span *head, struct cgc_span *const *expected, size_t count) {
  if (!count) {
    ck_assert_ptr_null(head);
    return;
  }
  struct cgc_span *span = head;
  for (size_t i = 0; i < count; i++, span = span->next) {
    ck_assert_ptr_eq(span, expected[i]);
    ck_assert_ptr_eq(span->next->prev, span);
  }
  ck_assert_ptr_eq(span, head);
}

START_TEST(span_list_under_random_changes_keeps_the_order) {
  enum { COUNT = 12 };
  struct unit_random random = unit_random_start();
  struct cgc_span *spans[COUNT], *model[COUNT], *head = NULL;
  size_t listed = 0;
  for (size_t i = 0; i < COUNT; i++) {
    spans[i] = make_span(CLASS_24_BYTES, &owner);
    spans[i]->next = spans[i]->prev = NULL;
  }
  for (int step = 0; step < 20000; step++) {
    struct cgc_span *span = spans[unit_random_below(&random, COUNT)];
    size_t at = 0;
    while (at < listed && model[at] != span)
      at++;
    if (at == listed) {
      span_list_push(&head, span);
      memmove(model + 1, model, listed++ * sizeof *model);
      model[0] = span;
    } else {
      span_list_remove(&head, span);
      memmove(model + at, model + at + 1, (--listed - at) * sizeof *model);
      ck_assert(!span->next && !span->prev);
    }
    assert_list(head, model, listed);
  }
}
END_TEST

/* ---- span_check ---- */

START_TEST(span_check_of_sound_spans_passes) {
  for (unsigned i = 1; i < SIZE_CLASS_COUNT; i++) {
    struct cgc_span *span = make_span(i, &owner);
    span_check(span);
    span->state = SPAN_CURRENT;
    span->window_word = 0;
    span->next = span->prev = NULL;
    span_check(span);
    free(span);
  }
}
END_TEST

START_TEST(span_check_of_a_bit_in_the_tail_aborts) {
  struct cgc_span *span = make_span(CLASS_24_BYTES, &owner);
  struct span_word *word = &span->words[682 / 64];
  atom_word *maps[] = {&word->free, &word->remote, &word->mark, &word->condemned};
  atom_store_rlx(maps[_i], (uint64_t)1 << 682 % 64);
  span_check(span);
}
END_TEST

START_TEST(span_check_of_a_broken_state_aborts) {
  struct cgc_span *span = make_span(CLASS_24_BYTES, &owner);
  switch (_i) {
    case 0: span->window_word = 0; break;                             /* a window, but not current */
    case 1: span->next = span->prev = NULL; break;                    /* full, but in no list */
    case 2: span->state = SPAN_CURRENT; span->next = NULL; break;     /* current without a window */
    case 3: span->slot_count = 683; break;                            /* longer than its pages */
    case 4: span->base_addr += 8; break;
    case 5:
      span->state = SPAN_CURRENT;
      span->next = NULL;
      span->window_word = 11;   /* 682 slots have 11 words */
      break;
  }
  span_check(span);
}
END_TEST

Suite *
span_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("span", &tests);
  tcase_add_test(tests, span_slot_of_address_is_found_for_every_class);
  tcase_add_test(tests, span_slot_starts_at_no_address_but_those_of_slots);
  tcase_add_test(tests, span_word_masks_cover_the_slots_exactly);
  tcase_add_test(tests, span_free_remote_frees_the_slot_and_lists_the_span_once);
  tcase_add_test(tests, span_free_remote_of_a_free_slot_is_refused);
  tcase_add_test(tests, span_collect_remote_moves_bits);
  tcase_add_test(tests, span_without_owner_is_not_listed_until_it_has_one);
  tcase_add_test(tests, span_owner_take_remote_gives_all_spans_linked);
  tcase_add_test(tests, span_slots_freed_by_several_threads_each_are_freed_once);
  tcase_add_test(tests, span_slots_freed_while_the_owner_collects_are_all_collected);
  tcase_add_test(tests, span_list_under_random_changes_keeps_the_order);
  tcase_add_test(tests, span_check_of_sound_spans_passes);
  tcase_add_loop_test_raise_signal(tests, span_check_of_a_bit_in_the_tail_aborts, SIGABRT, 0, 4);
  tcase_add_loop_test_raise_signal(tests, span_check_of_a_broken_state_aborts, SIGABRT, 0, 6);
  return suite;
}
