/* SPDX-License-Identifier: MIT */
#include "heap/page_tree.h"

#define LEFT(node)  ((node)->next)
#define RIGHT(node) ((node)->prev)

static bool
is_before(const struct cgc_span *a, const struct cgc_span *b) {
  return a->page_count != b->page_count ? a->page_count < b->page_count : a->base_addr < b->base_addr;
}

static uint64_t
priority(const struct cgc_span *span) {
  uint64_t x = (span->base_addr >> SPAN_PAGE_BYTES_LOG2) * 0x9e3779b97f4a7c15;
  return x ^ x >> 32;
}

/* Splits a tree into the runs before `at` and the others. */
static void
split(struct cgc_span *root, const struct cgc_span *at, struct cgc_span **before, struct cgc_span **after) {
  while (root) {
    if (is_before(root, at)) {
      *before = root;
      before = &RIGHT(root);
      root = *before;
    } else {
      *after = root;
      after = &LEFT(root);
      root = *after;
    }
  }
  *before = *after = NULL;
}

static struct cgc_span *
merge(struct cgc_span *before, struct cgc_span *after) {
  struct cgc_span *root = NULL, **link = &root;
  while (before && after) {
    if (priority(before) > priority(after)) {
      *link = before;
      link = &RIGHT(before);
      before = *link;
    } else {
      *link = after;
      link = &LEFT(after);
      after = *link;
    }
  }
  *link = before ? before : after;
  return root;
}

void
page_tree_insert(struct cgc_span **root, struct cgc_span *span) {
  while (*root && priority(*root) > priority(span))
    root = is_before(span, *root) ? &LEFT(*root) : &RIGHT(*root);
  struct cgc_span *below = *root;
  *root = span;
  split(below, span, &LEFT(span), &RIGHT(span));
}

void
page_tree_remove(struct cgc_span **root, struct cgc_span *span) {
  while (*root != span)
    root = is_before(span, *root) ? &LEFT(*root) : &RIGHT(*root);
  *root = merge(LEFT(span), RIGHT(span));
  span->next = span->prev = NULL;
}

struct cgc_span *
page_tree_best_fit(struct cgc_span *root, size_t page_count) {
  struct cgc_span *best = NULL;
  while (root) {
    if (root->page_count >= page_count) {
      best = root;
      root = LEFT(root);
    } else {
      root = RIGHT(root);
    }
  }
  return best;
}

struct cgc_span *
page_tree_previous(struct cgc_span *root, const struct cgc_span *before) {
  struct cgc_span *best = NULL;
  while (root) {
    if (!before || is_before(root, before)) {
      best = root;
      root = RIGHT(root);
    } else {
      root = LEFT(root);
    }
  }
  return best;
}
