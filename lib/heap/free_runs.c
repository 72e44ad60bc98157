/* SPDX-License-Identifier: MIT */
#include "heap/free_runs.h"

#include "base/fatal.h"
#include "base/platform.h"
#include "heap/page_tree.h"
#include "heap/span_table.h"

#include <string.h>

enum { LISTED_PAGES = 128 };   /* runs below this have a list each */

struct free_set {
  struct cgc_span *lists[LISTED_PAGES];      /* [pages] */
  uint64_t listed[LISTED_PAGES / 64];        /* which lists are not empty */
  struct cgc_span *tree;
};

/* Lock: the page heap's. */
static struct free_set free_sets[2];         /* [span kind & SPAN_KIND_NOSCAN] */
static size_t touched_pages;

size_t
free_runs_touched_pages(void) {
  return touched_pages;
}

static struct free_set *
set_of(const struct cgc_span *span) {
  return &free_sets[span_kind(span) & SPAN_KIND_NOSCAN];
}

static void
link_locked(struct cgc_span *span) {
  struct free_set *set = set_of(span);
  if (span->page_count < LISTED_PAGES) {
    span_list_push(&set->lists[span->page_count], span);
    set->listed[span->page_count / 64] |= (uint64_t)1 << span->page_count % 64;
  } else {
    page_tree_insert(&set->tree, span);
  }
}

static void
unlink_locked(struct cgc_span *span) {
  struct free_set *set = set_of(span);
  if (span->page_count >= LISTED_PAGES) {
    page_tree_remove(&set->tree, span);
    return;
  }
  span_list_remove(&set->lists[span->page_count], span);
  if (!set->lists[span->page_count])
    set->listed[span->page_count / 64] &= ~((uint64_t)1 << span->page_count % 64);
}

static void
map_ends(struct cgc_span *span, struct cgc_span *entry) {
  *heap_map_entry(span->base_addr) = entry;
  *heap_map_entry(span->base_addr + span_bytes(span) - SPAN_PAGE_BYTES) = entry;
}

void
free_runs_put_locked(struct cgc_span *span, unsigned kind, uintptr_t addr, size_t pages, uint32_t touched) {
  span->base_addr = addr;
  span->page_count = (uint32_t)pages;
  span->span_class = (uint16_t)span_class_of(SIZE_CLASS_LARGE, kind & SPAN_KIND_NOSCAN);
  span->divide_magic = 0;
  span->slot_bytes = 0;
  span->slot_count = 0;
  span->touched_pages = touched;
  span->freed_at_ns = touched ? platform_now_coarse_ns() : 0;
  atom_store_rlx(&span->owner, 0);
  span->state = SPAN_FREE;
  touched_pages += touched;
  map_ends(span, span);
  link_locked(span);
}

void
free_runs_remove_locked(struct cgc_span *span) {
  unlink_locked(span);
  map_ends(span, NULL);
  touched_pages -= span->touched_pages;
  span->state = SPAN_UNUSED;
}

static void
absorb_locked(struct cgc_span *span) {
  free_runs_remove_locked(span);
  span_table_give_locked(span);
}

struct cgc_span *
free_runs_at_locked(uintptr_t addr) {
  struct cgc_span *span = heap_map_span(addr);
  return span && span->state == SPAN_FREE ? span : NULL;
}

void
free_runs_add_locked(struct cgc_span *span, unsigned kind, uintptr_t addr, size_t pages, uint32_t touched) {
  struct cgc_span *before = free_runs_at_locked(addr - SPAN_PAGE_BYTES);
  if (before) {
    addr = before->base_addr;
    pages += before->page_count;
    touched += before->touched_pages;
    absorb_locked(before);
  }
  struct cgc_span *after = free_runs_at_locked(addr + (pages << SPAN_PAGE_BYTES_LOG2));
  if (after) {
    pages += after->page_count;
    touched += after->touched_pages;
    absorb_locked(after);
  }
  free_runs_put_locked(span, kind, addr, pages, touched);
}

static struct cgc_span *
first_listed(const struct free_set *set, size_t pages) {
  for (size_t word = pages / 64; word < CGC_COUNT(set->listed); word++) {
    uint64_t bits = set->listed[word];
    if (word == pages / 64)
      bits &= UINT64_MAX << pages % 64;
    if (bits)
      return set->lists[word * 64 + (unsigned)__builtin_ctzll(bits)];
  }
  return NULL;
}

struct cgc_span *
free_runs_best_fit_locked(unsigned kind, size_t pages) {
  const struct free_set *set = &free_sets[kind & SPAN_KIND_NOSCAN];
  struct cgc_span *span = pages < LISTED_PAGES ? first_listed(set, pages) : NULL;
  return span ? span : page_tree_best_fit(set->tree, pages);
}

static bool
visit_list(struct cgc_span *first, bool (*visit)(struct cgc_span *span, void *arg), void *arg) {
  struct cgc_span *span = first;
  do {
    if (span && !visit(span, arg))
      return false;
  } while (span && (span = span->next) != first);
  return true;
}

static bool
visit_set(const struct free_set *set, bool (*visit)(struct cgc_span *span, void *arg), void *arg) {
  struct cgc_span *span = NULL;
  while ((span = page_tree_previous(set->tree, span)))
    if (!visit(span, arg))
      return false;
  for (unsigned pages = LISTED_PAGES; --pages > 0;)
    if (!visit_list(set->lists[pages], visit, arg))
      return false;
  return true;
}

void
free_runs_visit_locked(bool (*visit)(struct cgc_span *span, void *arg), void *arg) {
  for (unsigned kind = 0; kind < CGC_COUNT(free_sets); kind++)
    if (!visit_set(&free_sets[kind], visit, arg))
      return;
}

void
free_runs_note_discarded_locked(struct cgc_span *span, uint32_t pages) {
  span->touched_pages -= pages;
  touched_pages -= pages;
}

void
free_runs_forget_locked(void) {
  memset(free_sets, 0, sizeof free_sets);
  touched_pages = 0;
}

size_t
free_runs_check(const struct cgc_span *span) {
  uintptr_t last = span->base_addr + span_bytes(span) - SPAN_PAGE_BYTES;
  CGC_CHECK(span->state == SPAN_FREE && span->slot_count == 0);
  CGC_CHECK(heap_map_span(span->base_addr) == span && heap_map_span(last) == span);
  CGC_CHECK(span->touched_pages == heap_map_count_touched(span->base_addr, span->page_count));
  CGC_CHECK(!free_runs_at_locked(last + SPAN_PAGE_BYTES));   /* coalesced */
  return span->touched_pages;
}
