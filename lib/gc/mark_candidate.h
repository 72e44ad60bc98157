/* SPDX-License-Identifier: MIT */
/*
 * From an address that memory holds to the mark of its block: what a marker does for every pointer in the heap, and so
 * inline wherever memory is scanned.
 */
#ifndef CGC_GC_MARK_CANDIDATE_H
#define CGC_GC_MARK_CANDIDATE_H

#include "gc/mark_block.h"
#include "gc/seen_words.h"

CGC_INLINE bool
set_mark(const struct marker *marker, struct span_word *word, uint64_t bit) {
  if (!marker->is_alone)
    return !(atom_or_full(&word->mark, bit) & bit);
  atom_store_rlx(&word->mark, atom_load_rlx(&word->mark) | bit);
  return true;
}

/* The span holds a grey block.  full: the mark comes before the look at is_grey; pairs with release_span. */
CGC_INLINE void
queue_span(struct marker *marker, struct cgc_span *span) {
  if (atom_int_load_rlx(&span->is_grey))
    return;
  if (marker->is_alone)
    atom_int_store_rlx(&span->is_grey, 1);
  else if (atom_int_swap_full(&span->is_grey, 1))
    return;
  mark_list_append(&marker->found, span);
}

/* In a walk blocks of plain kinds are scanned without their span being queued, as long as they are few. */
CGC_INLINE void
add_found(struct marker *marker, struct cgc_span *span, uintptr_t addr) {
  struct mark_walk *walk = &marker->walk;
  if (CGC_LIKELY(walk->count == walk->capacity) || !span->slot_bytes || span->client_kind) {
    queue_span(marker, span);
    return;
  }
  __builtin_prefetch((const void *)addr);
  walk->blocks[(walk->at + walk->count++) % MARK_WALK_COUNT] = (struct mark_candidate){span, addr};
}

CGC_INLINE uint64_t
grey_slots(struct cgc_span *span, unsigned word) {
  return atom_load_rlx(&span->words[word].mark) & ~atom_load_rlx(span_scanned(span, word));
}

/* Those of the wanted slots of a word that are grey, which this marker scans. */
CGC_INLINE uint64_t
take_grey(const struct marker *marker, struct cgc_span *span, unsigned word, uint64_t wanted) {
  uint64_t grey = grey_slots(span, word) & wanted;
  if (!grey)
    return 0;
  atom_word *scanned = span_scanned(span, word);
  if (!marker->is_alone)
    return grey & ~atom_or_full(scanned, grey);
  atom_store_rlx(scanned, atom_load_rlx(scanned) | grey);
  return grey;
}

CGC_INLINE bool
has_valid_offset(const struct marker *marker, const struct cgc_span *span, size_t slot, uintptr_t addr) {
  size_t offset = addr - span_slot_addr(span, slot);
  if (marker->takes_interior)
    return offset < MARK_OFFSETS || !span->is_kept_by_start;
  return offset < MARK_OFFSETS && mark_offsets.is_valid[offset];
}

static inline void
mark_candidate(struct marker *marker, struct cgc_span *span, uintptr_t addr) {
  size_t slot = span_slot_of(span, addr);
  if (slot >= span->slot_count)
    return;   /* the tail of the span, or a free run */
  struct span_word *word = &span->words[slot / 64];
  uint64_t bit = (uint64_t)1 << slot % 64;
  if (atom_load_rlx(&word->mark) & bit)
    return;
  if ((atom_load_rlx(&word->free) | atom_load_rlx(&word->remote)) & bit)
    return;   /* a free slot: a stale word, not a reference */
  if (CGC_UNLIKELY(marker->checks_offset) && !has_valid_offset(marker, span, slot, addr))
    return;
  if (CGC_UNLIKELY(marker->is_verifying)) {
    if (!marker->knows_seen || !seen_words_has(addr))
      marker->unmarked = addr;
    return;
  }
  if (!set_mark(marker, word, bit))
    return;
  if (CGC_UNLIKELY(marker->counts_bytes))
    marker->marked_bytes += span_block_bytes(span);
  if (!(span_kind(span) & SPAN_KIND_NOSCAN))
    add_found(marker, span, addr);
}

CGC_INLINE void
consider(struct marker *marker, uintptr_t addr) {
  if (CGC_UNLIKELY(marker->notes_seen))
    seen_words_note(addr);
  struct cgc_span *span = heap_map_span(addr);
  if (!span)
    return;   /* nothing allocated there */
  __builtin_prefetch(&span->base_addr);   /* with the first word of slots, and the next two words */
  __builtin_prefetch(&span->words[1]);
  struct mark_candidate *oldest = &marker->fifo[marker->fifo_at++ % MARK_FIFO_COUNT];
  struct mark_candidate ready = *oldest;
  *oldest = (struct mark_candidate){span, addr};
  if (ready.span)
    mark_candidate(marker, ready.span, ready.addr);
}

CGC_INLINE void
flush_fifo(struct marker *marker) {
  for (unsigned i = 0; i < MARK_FIFO_COUNT; i++) {
    struct mark_candidate *oldest = &marker->fifo[marker->fifo_at++ % MARK_FIFO_COUNT];
    struct mark_candidate ready = *oldest;
    oldest->span = NULL;
    if (ready.span)
      mark_candidate(marker, ready.span, ready.addr);
  }
}

#endif
