/* SPDX-License-Identifier: MIT */
#include "gc/limbo.h"

#include "base/options.h"
#include "gc/crew.h"
#include "heap/page_heap.h"
#include "unit.h"

/* Two markers: the test is marker 0, and tells the other one what to do. */

enum step { WAIT, LET_GO, REST, END };

static atom_int step, steps_done;

static void
take_steps(void) {
  for (unsigned done = 0;;) {
    unsigned next = atom_int_load_acq(&step);
    if (next >> 8 == done)
      continue;
    done = next >> 8;
    switch (next & 0xff) {
      case LET_GO: limbo_let_go(1); break;
      case REST: limbo_rest(1); break;
      default: atom_int_store_rel(&steps_done, done); return;
    }
    atom_int_store_rel(&steps_done, done);
  }
}

static void
tell(enum step what) {
  unsigned number = atom_int_load_rlx(&steps_done) + 1;
  atom_int_store_rel(&step, number << 8 | what);
  while (atom_int_load_acq(&steps_done) != number)
    ;
}

static void (*scenario)(void);

static void
work(unsigned index, void *arg) {
  if (index)
    take_steps();
  else if (crew_count() == 2) {
    scenario();
    tell(END);
  }
  *(unsigned *)arg = crew_count();
}

static void
run(void (*of_marker_0)(void)) {
  unsigned count = 0;
  unit_start_heap();
  scenario = of_marker_0;
  page_heap_defer_reuse();
  limbo_begin(2);
  ck_assert_uint_eq(crew_run(2, work, &count), 2);
  ck_assert_uint_eq(count, 2);
  page_heap_let_reuse(false);
  page_heap_check();
}

static struct cgc_span *
freed_span(void) {
  struct cgc_span *span = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, 0), 3, 1);
  page_heap_free(span);
  return span;
}

/* So often that it is done if it may be. */
static void
let_go_often(void) {
  for (int i = 0; i < 5; i++)
    limbo_let_go(0);
}

static bool
is_free(const struct cgc_span *span) {
  return span->state != SPAN_LIMBO;
}

static void
other_holds(void) {
  const struct cgc_span *span = freed_span();
  let_go_often();
  ck_assert(!is_free(span));
  tell(LET_GO);
  ck_assert(!is_free(span));
  limbo_let_go(0);
  ck_assert(is_free(span));
}

START_TEST(limbo_lasts_until_the_other_marker_has_let_go) {
  run(other_holds);
}
END_TEST

static void
other_rests(void) {
  tell(REST);
  const struct cgc_span *span = freed_span();
  let_go_often();
  ck_assert(is_free(span));
}

START_TEST(limbo_does_not_wait_for_a_marker_at_rest) {
  run(other_rests);
}
END_TEST

static void
other_ends_its_rest(void) {
  tell(REST);
  let_go_often();
  tell(LET_GO);
  const struct cgc_span *span = freed_span();
  let_go_often();
  ck_assert(!is_free(span));
  tell(REST);
  limbo_let_go(0);
  ck_assert(is_free(span));
}

START_TEST(limbo_waits_for_a_marker_that_has_ended_its_rest) {
  run(other_ends_its_rest);
}
END_TEST

/* What is freed in a later turn is not let go of by what came before. */
static void
freed_one_after_the_other(void) {
  const struct cgc_span *first = freed_span();
  limbo_let_go(0);   /* hides it */
  const struct cgc_span *second = freed_span();
  tell(LET_GO);
  limbo_let_go(0);
  ck_assert(is_free(first) && !is_free(second));
  let_go_often();
  ck_assert(!is_free(second));
  tell(LET_GO);
  limbo_let_go(0);
  ck_assert(is_free(second));
}

START_TEST(limbo_of_a_span_freed_later_lasts_longer) {
  run(freed_one_after_the_other);
}
END_TEST

Suite *
limbo_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("limbo", &tests);
  tcase_add_test(tests, limbo_lasts_until_the_other_marker_has_let_go);
  tcase_add_test(tests, limbo_does_not_wait_for_a_marker_at_rest);
  tcase_add_test(tests, limbo_waits_for_a_marker_that_has_ended_its_rest);
  tcase_add_test(tests, limbo_of_a_span_freed_later_lasts_longer);
  return suite;
}
