/* SPDX-License-Identifier: MIT */
/* The tree against a plain sorted array. */
#include "unit.h"

#include "heap/page_tree.h"

enum { RUNS = 300, STEPS = 60000 };

static struct cgc_span *runs[RUNS];     /* at distinct addresses */
static struct cgc_span *sorted[RUNS];   /* those in the tree, by pages, then address */
static size_t sorted_count;
static struct cgc_span *root;

static bool
is_before(const struct cgc_span *a, const struct cgc_span *b) {
  return a->page_count != b->page_count ? a->page_count < b->page_count : a->base_addr < b->base_addr;
}

static void
make_runs(void) {
  for (size_t i = 0; i < RUNS; i++) {
    runs[i] = calloc(1, sizeof *runs[i]);
    ck_assert_ptr_nonnull(runs[i]);
    runs[i]->base_addr = (i + 1) * 1024 * SPAN_PAGE_BYTES;
  }
}

static size_t
position(const struct cgc_span *span) {
  size_t at = 0;
  while (at < sorted_count && sorted[at] != span)
    at++;
  return at;
}

static void
insert(struct cgc_span *span) {
  size_t at = sorted_count++;
  for (; at > 0 && is_before(span, sorted[at - 1]); at--)
    sorted[at] = sorted[at - 1];
  sorted[at] = span;
  page_tree_insert(&root, span);
}

static void
take_out(size_t at) {
  struct cgc_span *span = sorted[at];
  memmove(sorted + at, sorted + at + 1, (--sorted_count - at) * sizeof *sorted);
  page_tree_remove(&root, span);
  ck_assert(!span->next && !span->prev);
}

static void
assert_best_fit(size_t pages) {
  size_t at = 0;
  while (at < sorted_count && sorted[at]->page_count < pages)
    at++;
  ck_assert_ptr_eq(page_tree_best_fit(root, pages), at < sorted_count ? sorted[at] : NULL);
}

static void
assert_order(void) {
  size_t at = sorted_count;
  for (struct cgc_span *span = page_tree_previous(root, NULL); span; span = page_tree_previous(root, span)) {
    ck_assert_uint_gt(at, 0);
    ck_assert_ptr_eq(span, sorted[--at]);
  }
  ck_assert_uint_eq(at, 0);
}

START_TEST(page_tree_empty_has_no_fit) {
  ck_assert_ptr_null(page_tree_best_fit(NULL, 1));
  ck_assert_ptr_null(page_tree_previous(NULL, NULL));
}
END_TEST

START_TEST(page_tree_best_fit_of_equal_sizes_is_the_lowest) {
  make_runs();
  for (size_t i = RUNS; i-- > 0;) {
    runs[i]->page_count = 500;
    insert(runs[i]);
  }
  for (size_t i = 0; i < RUNS; i++) {
    ck_assert_ptr_eq(page_tree_best_fit(root, 400), runs[i]);
    take_out(0);
  }
  ck_assert_ptr_null(root);
}
END_TEST

START_TEST(page_tree_under_random_changes_equals_a_sorted_array) {
  struct unit_random random = unit_random_start();
  make_runs();
  for (int step = 0; step < STEPS; step++) {
    struct cgc_span *span = runs[unit_random_below(&random, RUNS)];
    size_t at = position(span);
    if (at < sorted_count) {
      take_out(at);
    } else {
      span->page_count = (uint32_t)(128 + unit_random_below(&random, step % 2 ? 40 : 4000));
      insert(span);
    }
    assert_best_fit(128 + unit_random_below(&random, 4100));
    if (step % 500 == 0)
      assert_order();
  }
  assert_order();
}
END_TEST

/* Depth of a treap of that many runs, in order of their addresses: about twice the logarithm. */
static unsigned
depth(const struct cgc_span *node) {
  if (!node)
    return 0;
  unsigned left = depth(node->next), right = depth(node->prev);
  return 1 + (left > right ? left : right);
}

START_TEST(page_tree_filled_in_order_stays_shallow) {
  make_runs();
  for (size_t i = 0; i < RUNS; i++) {
    runs[i]->page_count = 128;
    insert(runs[i]);
  }
  ck_assert_uint_le(depth(root), 40);
}
END_TEST

Suite *
page_tree_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("page_tree", &tests);
  tcase_add_test(tests, page_tree_empty_has_no_fit);
  tcase_add_test(tests, page_tree_best_fit_of_equal_sizes_is_the_lowest);
  tcase_add_test(tests, page_tree_under_random_changes_equals_a_sorted_array);
  tcase_add_test(tests, page_tree_filled_in_order_stays_shallow);
  return suite;
}
