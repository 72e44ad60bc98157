/* SPDX-License-Identifier: MIT */
/* What of the heap is looked at once more, because it has been written to since it was scanned. */
#include "gc/mark.h"

#include "base/arch_x86_64.h"
#include "gc/client.h"
#include "gc/mark_candidate.h"
#include "gc/mark_relative.h"
#include "gc/mark_scan.h"
#include "gc/shadow.h"
#include "heap/span_table.h"

#include <string.h>

enum { PAGE_WORDS = ARCH_PAGE_BYTES / sizeof(uintptr_t) };

/* With the words before and after, which may hold the other half of a packed pointer. */
static void
rescan_part(struct marker *marker, uintptr_t block_addr, size_t block_bytes, uintptr_t start_addr, uintptr_t end_addr) {
  uintptr_t from = start_addr <= block_addr ? block_addr : start_addr - sizeof(uintptr_t);
  uintptr_t to = min_u64(end_addr + sizeof(uintptr_t), block_addr + block_bytes);
  if (from < to)
    mark_scan_block(marker, (const uintptr_t *)from, (const uintptr_t *)to);
}

/* ---- slots ---- */

/* A marked slot that is free at the moment may be handed out again, marked as it is, with what the block before has
 * left in it.  That keeps nothing, and a verification must not take it for missed. */
static void
note_part(const struct marker *marker, uintptr_t from, uintptr_t to) {
  for (uintptr_t at = from; at + sizeof at <= to; at += sizeof at / 2) {
    uintptr_t word;
    memcpy(&word, (const void *)at, sizeof word);
    uintptr_t addr = at % sizeof at ? word : word & marker->address_mask;
    if (marker_has_in_heap(marker, addr))
      seen_words_note(addr);
  }
}

static void
note_slots(const struct marker *marker, const struct cgc_span *span, size_t first, uint64_t slots) {
  for (; slots; slots &= slots - 1) {
    uintptr_t addr = span_slot_addr(span, first + (unsigned)__builtin_ctzll(slots));
    note_part(marker, addr, addr + span->slot_bytes);
    if (marker->finds_relative)
      mark_relative_note(addr, addr, addr + span->slot_bytes);
  }
}

/* The slots of a word that are marked and in use: neighbours are scanned as one. */
static void
rescan_slots(struct marker *marker, const struct cgc_span *span, size_t first, uint64_t slots, uintptr_t start_addr,
             uintptr_t end_addr) {
  while (slots) {
    unsigned slot = (unsigned)__builtin_ctzll(slots), count = count_trailing_ones(slots >> slot);
    rescan_part(marker, span_slot_addr(span, first + slot), (size_t)count * span->slot_bytes, start_addr, end_addr);
    slots &= slots + ((uint64_t)1 << slot);   /* carries through the neighbours */
  }
}

static void
rescan_slots_in(struct marker *marker, struct cgc_span *span, uintptr_t start_addr, uintptr_t end_addr) {
  size_t first = start_addr <= span->base_addr ? 0 : span_slot_of(span, start_addr);
  size_t end = min_u64(span_slot_of(span, end_addr - 1) + 1, span->slot_count);
  for (size_t from = first; from < end; from = round_down(from, 64) + 64) {
    unsigned word = (unsigned)(from / 64);
    uint64_t wanted = UINT64_MAX << from % 64 & span_slots_mask((unsigned)end, word);
    uint64_t marked = atom_load_rlx(&span->words[word].mark) & wanted, free = span_word_free(span, word);
    if (CGC_UNLIKELY(marker->notes_seen))
      note_slots(marker, span, (size_t)word * 64, marked & free);
    rescan_slots(marker, span, (size_t)word * 64, marked & ~free, start_addr, end_addr);
  }
}

/* ---- pages of large blocks: what differs from their shadow (gc/shadow.h) ---- */

/* Whether that is so of each address in the heap that a line leads to, also across its borders. */
CGC_INLINE bool
is_so_of_line(const struct marker *marker, const struct shadow *shadow, unsigned line,
              bool (*is_so)(uintptr_t addr, unsigned round)) {
  const uintptr_t *words = shadow->words, *word = words + line * SHADOW_LINE_WORDS, *end = word + SHADOW_LINE_WORDS;
  for (const uintptr_t *at = word; at < end; at++) {
    uintptr_t addr = *at & marker->address_mask;
    if (marker_has_in_heap(marker, addr) && !is_so(addr, shadow->round))
      return false;
  }
  if (!marker->finds_packed)
    return true;
  for (const uintptr_t *at = line ? word - 1 : word; at < end && at + 1 < words + PAGE_WORDS; at++) {
    uintptr_t addr = mark_packed_between(at);
    if (CGC_UNLIKELY(marker_has_in_heap(marker, addr)) && !is_so(addr, shadow->round))
      return false;
  }
  return true;
}

static inline bool
is_old(uintptr_t addr, unsigned round) {
  return !heap_map_made_since(addr, round);
}

static inline bool
is_marked(uintptr_t addr, unsigned round) {
  (void)round;
  const struct cgc_span *span = heap_map_span(addr);
  size_t slot = span ? span_slot_of(span, addr) : 0;
  return span && slot < span->slot_count && atom_load_rlx(&span->words[slot / 64].mark) >> slot % 64 & 1;
}

/* Takes what the page holds now over.  Returns the lines that must be looked up. */
static uint64_t
update_shadow(const struct marker *marker, struct shadow *shadow, const uintptr_t *page) {
  uint64_t changed = 0;
  for (unsigned line = 0; line < SHADOW_LINES; line++) {
    uintptr_t *kept = shadow->words + line * SHADOW_LINE_WORDS, difference = 0;
    for (unsigned i = 0; i < SHADOW_LINE_WORDS; i++) {
      uintptr_t now = atom_load_rlx((const atom_word *)page + line * SHADOW_LINE_WORDS + i);
      difference |= now ^ kept[i];
      kept[i] = now;
    }
    bool is_settled = shadow->settled_lines >> line & 1;
    if (!is_settled || difference || !is_so_of_line(marker, shadow, line, is_old))
      changed |= (uint64_t)1 << line;
  }
  return changed;
}

/* A pointer may lie across the border between this page and the one before or behind it, of which nothing is known:
 * true if it seems so. */
static bool
scan_border(struct marker *marker, uintptr_t before, uintptr_t after) {
  const uintptr_t pair[2] = {before, after};
  if (!marker->finds_packed || !marker_has_in_heap(marker, mark_packed_between(pair)))
    return false;
  consider(marker, mark_packed_between(pair));
  return true;
}

static uint64_t
scan_borders(struct marker *marker, const struct shadow *shadow, const uintptr_t *page, const struct cgc_span *span) {
  uint64_t unsettled = 0;
  uintptr_t start_addr = span->base_addr, end_addr = start_addr + span_bytes(span);
  if ((uintptr_t)page > start_addr && scan_border(marker, page[-1], shadow->words[0]))
    unsettled |= 1;
  if ((uintptr_t)(page + PAGE_WORDS) < end_addr && scan_border(marker, shadow->words[PAGE_WORDS - 1], page[PAGE_WORDS]))
    unsettled |= (uint64_t)1 << (SHADOW_LINES - 1);
  return unsettled;
}

/* Runs of changed lines, from the shadow, with the words beside them. */
static void
scan_changed(struct marker *marker, const struct shadow *shadow, uint64_t changed) {
  const uintptr_t *words = shadow->words;
  while (changed) {
    unsigned line = (unsigned)__builtin_ctzll(changed), lines = count_trailing_ones(changed >> line);
    const uintptr_t *from = words + line * SHADOW_LINE_WORDS, *to = from + lines * SHADOW_LINE_WORDS;
    mark_scan_block(marker, line ? from - 1 : from, to < words + PAGE_WORDS ? to + 1 : to);
    changed &= changed + ((uint64_t)1 << line);   /* carries through the run */
  }
}

static void
settle_lines(const struct marker *marker, struct shadow *shadow, uint64_t changed, uint64_t unsettled) {
  for (uint64_t left = changed; left; left &= left - 1) {
    unsigned line = (unsigned)__builtin_ctzll(left);
    if (!is_so_of_line(marker, shadow, line, is_marked))
      unsettled |= (uint64_t)1 << line;
  }
  shadow->settled_lines = (shadow->settled_lines | changed) & ~unsettled;
}

/* The round is read first: spans that are made from then on are found to be new the next time. */
static void
rescan_shadowed(struct marker *marker, const struct cgc_span *span, struct shadow *shadow) {
  const uintptr_t *page = (const uintptr_t *)atom_load_rlx(&shadow->page_addr);
  unsigned round = heap_map_round();
  uint64_t changed = update_shadow(marker, shadow, page);
  uint64_t unsettled = scan_borders(marker, shadow, page, span);
  scan_changed(marker, shadow, changed);
  flush_fifo(marker);
  shadow->round = (uint8_t)round;
  settle_lines(marker, shadow, changed, unsettled);
}

static void
rescan_page(struct marker *marker, const struct cgc_span *span, uintptr_t page_addr) {
  bool may_have = marker->uses_shadows && !marker->decodes_blocks;
  struct shadow *shadow = may_have ? shadow_of(page_addr) : NULL;
  if (shadow)
    rescan_shadowed(marker, span, shadow);
  else
    rescan_part(marker, span->base_addr, span_bytes(span), page_addr, page_addr + ARCH_PAGE_BYTES);
}

static void
rescan_large(struct marker *marker, const struct cgc_span *span, uintptr_t start_addr, uintptr_t end_addr) {
  if (atom_load_rlx(&span->words[0].mark))
    for (uintptr_t at = round_down(start_addr, ARCH_PAGE_BYTES); at < end_addr; at += ARCH_PAGE_BYTES)
      rescan_page(marker, span, at);
}

/* ---- blocks that the client describes: as a whole ---- */

static void
rescan_described(struct marker *marker, struct cgc_span *span, uintptr_t start_addr, uintptr_t end_addr) {
  size_t first = span_slot_of(span, max_u64(start_addr, span->base_addr));
  size_t end = min_u64(span_slot_of(span, end_addr - 1) + 1, span->slot_count);
  for (size_t slot = first; slot < end; slot++) {
    const struct span_word *word = &span->words[slot / 64];
    if ((atom_load_rlx(&word->mark) & ~span_word_free(span, (unsigned)(slot / 64))) >> slot % 64 & 1)
      gc_client.scan_block(marker, span, span_slot_addr(span, slot));
  }
}

/* ---- ranges ---- */

static void
rescan_part_of_span(struct marker *marker, struct cgc_span *span, uintptr_t start_addr, uintptr_t end_addr) {
  if (span_kind(span) & SPAN_KIND_NOSCAN)
    return;
  if (CGC_UNLIKELY(span->client_kind))
    rescan_described(marker, span, start_addr, end_addr);
  else if (span->slot_bytes)
    rescan_slots_in(marker, span, start_addr, end_addr);
  else
    rescan_large(marker, span, start_addr, end_addr);
}

void
mark_rescan_range(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr) {
  for (uintptr_t at = start_addr; at < end_addr;) {
    struct cgc_span *span = heap_map_span(at);
    uintptr_t next = round_down(at, SPAN_PAGE_BYTES) + SPAN_PAGE_BYTES;
    if (span && span_is_used(span) && at - span->base_addr < span_bytes(span)) {
      next = span->base_addr + span_bytes(span);
      rescan_part_of_span(marker, span, at, min_u64(end_addr, next));
    }
    at = next;
  }
  flush_fifo(marker);
}

static void
rescan_whole(struct marker *marker, struct cgc_span *span) {
  uintptr_t start_addr = span->base_addr, end_addr = start_addr + span_bytes(span);
  if (span->client_kind)
    rescan_described(marker, span, start_addr, end_addr);
  else if (span->slot_bytes)
    rescan_slots_in(marker, span, start_addr, end_addr);
  else if (atom_load_rlx(&span->words[0].mark))
    rescan_part(marker, start_addr, span_bytes(span), start_addr, end_addr);
}

void
mark_rescan_heap(struct marker *marker) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    if (span_is_used(span) && !(span_kind(span) & SPAN_KIND_NOSCAN))
      rescan_whole(marker, span);
  }
  flush_fifo(marker);
}
