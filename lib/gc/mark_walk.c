/* SPDX-License-Identifier: MIT */
#include "gc/mark_walk.h"

#include "gc/mark_candidate.h"
#include "gc/mark_scan.h"

/* Then spans are let go of, or the clock is looked at (mark_drain). */
enum { BLOCKS_MAX = CGC_CONFIG_HOSTILE ? 4 : 64 };

CGC_INLINE void
look_at(struct marker *marker, uintptr_t addr) {
  if (!marker_has_in_heap(marker, addr))
    return;
  if (CGC_UNLIKELY(marker->notes_seen))
    seen_words_note(addr);
  struct cgc_span *span = heap_map_span(addr);
  if (span)
    mark_candidate(marker, span, addr);
}

static void
scan_at_once(struct marker *marker, uintptr_t addr, size_t bytes) {
  enum { SHORT_BYTES = 128 };
  const uintptr_t *word = (const uintptr_t *)addr, *end = (const uintptr_t *)(addr + bytes);
  if (bytes > SHORT_BYTES || marker->decodes_blocks) {
    mark_scan_block(marker, word, end);
    flush_fifo(marker);
    return;
  }
  marker->scanned_bytes += bytes;
  for (; word < end; word++) {
    look_at(marker, *word & marker->address_mask);
    if (marker->finds_packed && word + 1 < end)
      look_at(marker, mark_packed_between(word));
  }
}

/* A block that another marker has not scanned meanwhile. */
static void
scan_next(struct marker *marker) {
  struct mark_walk *walk = &marker->walk;
  struct mark_candidate next = walk->blocks[walk->at++ % MARK_WALK_COUNT];
  walk->count--;
  size_t slot = span_slot_of(next.span, next.addr);
  uint64_t bit = (uint64_t)1 << slot % 64;
  if (take_grey(marker, next.span, (unsigned)(slot / 64), bit))
    scan_at_once(marker, span_slot_addr(next.span, slot), next.span->slot_bytes);
}

static void
add_grey(struct marker *marker, struct cgc_span *span) {
  for (unsigned word = 0; word < span_word_count(span); word++)
    for (uint64_t grey = grey_slots(span, word); grey; grey &= grey - 1)
      add_found(marker, span, span_slot_addr(span, word * 64 + (unsigned)__builtin_ctzll(grey)));
}

void
mark_walk(struct marker *marker, struct cgc_span *span) {
  struct mark_walk *walk = &marker->walk;
  walk->capacity = MARK_WALK_COUNT;
  add_grey(marker, span);
  for (unsigned i = 0; walk->count && walk->count < MARK_WALK_COUNT && i < BLOCKS_MAX; i++)
    scan_next(marker);
  walk->capacity = 0;
  for (; walk->count; walk->count--)
    queue_span(marker, walk->blocks[walk->at++ % MARK_WALK_COUNT].span);
}
