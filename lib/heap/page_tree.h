/* SPDX-License-Identifier: MIT */
/*
 * Free runs ordered by (pages, address): a treap whose nodes are the spans themselves
 * (next is the left child, prev the right one) and whose priorities are hashed addresses.
 * Source: Seidel and Aragon, "Randomized Search Trees", Algorithmica 1996.
 * Lock: the page heap's.
 */
#ifndef CGC_HEAP_PAGE_TREE_H
#define CGC_HEAP_PAGE_TREE_H

#include "heap/span.h"

void page_tree_insert(struct cgc_span **root, struct cgc_span *span);
void page_tree_remove(struct cgc_span **root, struct cgc_span *span);

/* The smallest run of at least that many pages, the lowest of several; or NULL. */
struct cgc_span *page_tree_best_fit(struct cgc_span *root, size_t page_count);

/* The run that comes before `before` (NULL: the last one of all), or NULL. */
struct cgc_span *page_tree_previous(struct cgc_span *root, const struct cgc_span *before);

#endif
