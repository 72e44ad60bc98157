/* SPDX-License-Identifier: MIT */
#include "heap/span.h"

#include "base/fatal.h"

void
span_collect_remote(struct cgc_span *span) {
  for (unsigned i = 0; i < span_word_count(span); i++)
    span_word_collect_remote(&span->words[i]);
}

unsigned
span_free_slots(const struct cgc_span *span) {
  unsigned count = 0;
  for (unsigned i = 0; i < span_word_count(span); i++) {
    uint64_t free = span_word_free(span, i);
    if (free)
      count += count_bits(free);
  }
  return count;
}

bool
span_free_remote(struct cgc_span *span, size_t slot) {
  struct span_word *word = &span->words[slot / 64];
  uint64_t bit = (uint64_t)1 << slot % 64;
  if (atom_load_rlx(&word->free) & bit)
    return false;
  /* full: the program's last writes to the block come before its reuse; pairs with span_collect_remote */
  if (atom_or_full(&word->remote, bit) & bit)
    return false;
  span_list_remote(span);
  return true;
}

void
span_list_remote(struct cgc_span *span) {
  if (atom_int_load_rlx(&span->is_remote_listed) || !atom_int_cas_full(&span->is_remote_listed, 0, 1))
    return;   /* the owner will come by */
  struct span_owner *owner = (struct span_owner *)atom_load_acq(&span->owner);
  if (!owner) {
    atom_int_store_rel(&span->is_remote_listed, 0);   /* freed in the meantime */
    return;
  }
  uintptr_t head;
  do {
    head = atom_load_rlx(&owner->remote_spans);
    span->remote_next = (struct cgc_span *)head;
  } while (!atom_cas_full(&owner->remote_spans, head, (uintptr_t)span));
}

struct cgc_span *
span_owner_take_remote(struct span_owner *owner) {
  return (struct cgc_span *)atom_swap_full(&owner->remote_spans, 0);
}

void
span_list_push(struct cgc_span **head, struct cgc_span *span) {
  struct cgc_span *first = *head;
  if (first) {
    span->next = first;
    span->prev = first->prev;
    first->prev->next = span;
    first->prev = span;
  } else {
    span->next = span->prev = span;
  }
  *head = span;
}

void
span_list_remove(struct cgc_span **head, struct cgc_span *span) {
  if (span->next == span) {
    *head = NULL;
  } else {
    span->next->prev = span->prev;
    span->prev->next = span->next;
    if (*head == span)
      *head = span->next;
  }
  span->next = span->prev = NULL;
}

static void
span_check_words(const struct cgc_span *span) {
  for (unsigned i = 0; i < span_word_count(span); i++) {
    const struct span_word *word = &span->words[i];
    uint64_t all = atom_load_rlx(&word->free) | atom_load_rlx(&word->remote) |
                   atom_load_rlx(&word->mark) | atom_load_rlx(&word->condemned);
    CGC_CHECK(!(all & ~span_word_mask(span, i)));                               /* [span.tail] */
  }
}

void
span_check(const struct cgc_span *span) {
  CGC_CHECK(!atom_int_load_rlx(&span->is_grey));   /* [span.grey] */
  CGC_CHECK(span->base_addr % SPAN_PAGE_BYTES == 0);
  if (!span_is_small(span)) {
    CGC_CHECK(span->slot_count == 1 && span->divide_magic == 0 && !atom_load_rlx(&span->owner));
    return;
  }
  CGC_CHECK(span_word_count(span) <= span->word_capacity);
  CGC_CHECK((size_t)span->slot_count * span->slot_bytes <= span_bytes(span));   /* [span.slots] */
  CGC_CHECK((span->window_word != SPAN_NO_WINDOW) == (span->state == SPAN_CURRENT));
  CGC_CHECK((span->next == NULL) == (span->state == SPAN_CURRENT));             /* [span.lists] */
  if (span->state == SPAN_CURRENT)
    CGC_CHECK(span->window_word < span_word_count(span));                       /* [span.window] */
  span_check_words(span);
}
