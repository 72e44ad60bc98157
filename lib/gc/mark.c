/* SPDX-License-Identifier: MIT */
#include "gc/mark.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "gc/mark_candidate.h"
#include "gc/mark_scan.h"
#include "gc/seen_words.h"
#include "heap/page_heap.h"
#include "heap/span_table.h"

#include <string.h>

enum { FOUND_SPANS_MAX = CGC_CONFIG_HOSTILE ? 2 : 512 };

void
marker_init(struct marker *marker, bool is_alone, bool is_beside) {
  marker->heap_addr = heap_map.base_addr;
  marker->is_beside = is_beside;
  marker->address_mask = option(OPTION_TAGGED) ? ((uintptr_t)1 << 48) - 1 : UINTPTR_MAX;
  marker->pointer_guard = arch_pointer_guard();
  marker->demangles_data = option(OPTION_DEMANGLE) >= 1;
  marker->demangles_heap = option(OPTION_DEMANGLE) >= 2;
  marker->finds_packed = option(OPTION_PACKED);
  marker->marks_past_end = option(OPTION_PAST_END);
  marker->scan = mark_scan_choose(marker);
  marker->is_alone = is_alone;
  marker->notes_seen = false;
  marker->is_verifying = marker->knows_seen = false;
  marker->unmarked = 0;
  for (unsigned i = 0; i < MARK_FIFO_COUNT; i++)
    marker->fifo[i].span = NULL;
  marker->fifo_at = 0;
  marker->taken = marker->found = (struct mark_list){0};
  marker->ahead_at = 0;
  memset(marker->ahead, 0, sizeof marker->ahead);
  marker->scanned_bytes = 0;
  marker->err = 0;
}

/* Parts overlap by a word, which may lie across their border.  Where nothing is, go on behind that page. */
static uintptr_t
next_part(uintptr_t at, ssize_t bytes, uintptr_t end_addr) {
  if (bytes <= 0)
    return round_down(at, ARCH_PAGE_BYTES) + ARCH_PAGE_BYTES;
  uintptr_t next = at + (size_t)bytes;
  return next < end_addr && bytes > (ssize_t)sizeof(uintptr_t) ? next - sizeof(uintptr_t) : next;
}

void
mark_root(struct marker *marker, const struct root *root) {
  for (uintptr_t at = root->start_addr; at < root->end_addr;) {
    ssize_t bytes = roots_read(marker->copy, at, min_u64(root->end_addr - at, MARK_COPY_BYTES));
    if (bytes > 0)
      mark_scan_copy(marker, (size_t)bytes, root->kind);
    else if (bytes < 0)
      marker->err = (int)-bytes;
    at = next_part(at, bytes, root->end_addr);
  }
}

static void
scan_range(struct marker *marker, uintptr_t addr, size_t bytes) {
  marker->scanned_bytes += bytes;
  marker->scan(marker, (const uintptr_t *)addr, (const uintptr_t *)(addr + bytes));
}

/* ---- draining ---- */

/* Takes a range in place of one whose memory has been fetched meanwhile; an empty one takes none. */
CGC_INLINE void
scan_ahead(struct marker *marker, uintptr_t addr, size_t bytes) {
  struct mark_range *oldest = &marker->ahead[marker->ahead_at++ % MARK_AHEAD_COUNT], ready = *oldest;
  __builtin_prefetch((const void *)addr);
  *oldest = (struct mark_range){addr, bytes};
  if (ready.bytes)
    scan_range(marker, ready.addr, ready.bytes);
}

/* Scans and looks up all that waits for memory. */
static void
flush_waiting(struct marker *marker) {
  for (unsigned i = 0; i < MARK_AHEAD_COUNT; i++)
    scan_ahead(marker, 0, 0);
  flush_fifo(marker);
}

/* The grey slots of a word, which this marker scans. */
static uint64_t
take_grey(const struct marker *marker, struct cgc_span *span, unsigned word) {
  atom_word *scanned = span_scanned(span, word);
  uint64_t before = atom_load_rlx(scanned), grey = atom_load_rlx(&span->words[word].mark) & ~before;
  if (!grey)
    return 0;
  if (!marker->is_alone)
    return grey & ~atom_or_full(scanned, grey);
  atom_store_rlx(scanned, before | grey);
  return grey;
}

/* Neighbours are scanned as one. */
static void
scan_small(struct marker *marker, struct cgc_span *span) {
  for (unsigned word = 0; word < span_word_count(span); word++)
    for (uint64_t grey = take_grey(marker, span, word); grey;) {
      unsigned first = (unsigned)__builtin_ctzll(grey), slots = count_trailing_ones(grey >> first);
      scan_ahead(marker, span_slot_addr(span, word * 64 + first), (size_t)slots * span->slot_bytes);
      grey &= grey + ((uint64_t)1 << first);   /* carries through the neighbours */
    }
}

/* One piece, from the last word of the one before, which may hold half of a packed pointer.  The rest is queued
 * again first, so that others can take it.  Only who holds the span writes how far it has been scanned. */
static void
scan_large(struct marker *marker, struct cgc_span *span) {
  size_t from = atom_load_rlx(span_scanned(span, 0)), end = span_bytes(span);
  size_t bytes = from < end ? min_u64(end - from, MARK_PIECE_BYTES) : 0;   /* the program may have shortened it */
  atom_store_rlx(span_scanned(span, 0), from + bytes);
  if (from + bytes < end)
    mark_list_append(&marker->found, span);
  else
    atom_int_store_rlx(&span->is_grey, 0);
  size_t overlap = from ? sizeof(uintptr_t) : 0;
  scan_ahead(marker, span->base_addr + from - overlap, bytes + overlap);
}

/* full: who marks a block from now on queues the span again; pairs with queue_span. */
static void
release_span(const struct marker *marker, struct cgc_span *span) {
  if (marker->is_alone)
    atom_int_store_rlx(&span->is_grey, 0);
  else
    atom_int_swap_full(&span->is_grey, 0);
}

/* Beside the program the structure may be another span's by now, or nobody's; what has been marked in it since is
 * grey. */
CGC_INLINE bool
has_grey(struct cgc_span *span) {
  return span->slot_count && !(span_kind(span) & SPAN_KIND_NOSCAN) &&
         (span->slot_bytes || atom_load_rlx(&span->words[0].mark));
}

static void
scan_span(struct marker *marker, struct cgc_span *span) {
  if (!has_grey(span)) {
    release_span(marker, span);
  } else if (!span->slot_bytes) {
    scan_large(marker, span);
  } else {
    release_span(marker, span);
    scan_small(marker, span);
  }
}

/* Beside the program: lets go of all spans but those listed, which may change while they are. */
static void
let_go(struct marker *marker) {
  flush_fifo(marker);
  page_heap_let_reuse(true);
}

/* Breadth first as long as few spans are found, so that more of their blocks turn grey while they wait; before those
 * become more than fit the processor's caches they are scanned, depth first. */
static struct cgc_span *
take_span(struct marker *marker) {
  if (!marker->taken.count || marker->found.count >= FOUND_SPANS_MAX)
    mark_list_prepend(&marker->taken, &marker->found);
  struct cgc_span *span = mark_list_take(&marker->taken);
  if (marker->taken.count)
    __builtin_prefetch(&marker->taken.first->base_addr);
  return span;
}

/* What waits longest is what others get. */
static void
share_spans(struct marker *marker) {
  if (marker->taken.count)
    mark_queue_share(&marker->taken);
  else if (marker->found.count > 1)
    mark_queue_share(&marker->found);
}

void
mark_drain(struct marker *marker, const atom_int *waiting_markers) {
  enum { SPANS_HELD_MAX = CGC_CONFIG_HOSTILE ? 1 : 64 };
  for (unsigned spans = 1;; spans++) {
    if (marker->is_beside && spans % SPANS_HELD_MAX == 0)
      let_go(marker);
    struct cgc_span *span = take_span(marker);
    if (!span) {
      flush_waiting(marker);
      span = take_span(marker);
    }
    if (!span)
      return;
    if (atom_int_load_rlx(waiting_markers) && !mark_queue_has_work())
      share_spans(marker);
    scan_span(marker, span);
  }
}

bool
mark_steal(struct marker *marker) {
  return mark_queue_steal(&marker->taken);
}

/* ---- once more ---- */

/* With the words before and after, which may hold the other half of a packed pointer. */
static void
rescan_part(struct marker *marker, uintptr_t block_addr, size_t block_bytes, uintptr_t start_addr, uintptr_t end_addr) {
  uintptr_t from = start_addr <= block_addr ? block_addr : start_addr - sizeof(uintptr_t);
  uintptr_t to = min_u64(end_addr + sizeof(uintptr_t), block_addr + block_bytes);
  if (from < to)
    scan_range(marker, from, to - from);
}

/* A marked slot that is free at the moment may be handed out again, marked as it is, with what the block before has left in
 * it.  That keeps nothing, and a verification must not take it for missed. */
static void
note_part(const struct marker *marker, uintptr_t from, uintptr_t to) {
  if (CGC_LIKELY(!marker->notes_seen))
    return;
  for (uintptr_t at = from; at + sizeof at <= to; at += sizeof at / 2) {
    uintptr_t word;
    memcpy(&word, (const void *)at, sizeof word);
    uintptr_t addr = at % sizeof at ? word : word & marker->address_mask;
    if (addr - marker->heap_addr < HULL_HEAP_BYTES)
      seen_words_note(addr);
  }
}

static void
rescan_slots_in(struct marker *marker, struct cgc_span *span, uintptr_t start_addr, uintptr_t end_addr) {
  size_t first = start_addr <= span->base_addr ? 0 : span_slot_of(span, start_addr), count = span->slot_count;
  for (size_t slot = first; slot < count && span_slot_addr(span, slot) < end_addr; slot++) {
    uint64_t bit = (uint64_t)1 << slot % 64;
    uintptr_t addr = span_slot_addr(span, slot);
    if (!(atom_load_rlx(&span->words[slot / 64].mark) & bit))
      continue;
    if (span_word_free(span, (unsigned)(slot / 64)) & bit)
      note_part(marker, addr, addr + span->slot_bytes);
    else
      rescan_part(marker, addr, span->slot_bytes, start_addr, end_addr);
  }
}

static void
rescan_span(struct marker *marker, struct cgc_span *span, uintptr_t start_addr, uintptr_t end_addr) {
  if (span_kind(span) & SPAN_KIND_NOSCAN)
    return;
  if (span->slot_bytes)
    rescan_slots_in(marker, span, start_addr, end_addr);
  else if (atom_load_rlx(&span->words[0].mark))
    rescan_part(marker, span->base_addr, span_bytes(span), start_addr, end_addr);
}

void
mark_rescan_range(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr) {
  for (uintptr_t at = start_addr; at < end_addr;) {
    struct cgc_span *span = heap_map_span(at);
    uintptr_t next = round_down(at, SPAN_PAGE_BYTES) + SPAN_PAGE_BYTES;
    if (span && span_is_used(span) && at - span->base_addr < span_bytes(span)) {
      next = span->base_addr + span_bytes(span);
      rescan_span(marker, span, at, min_u64(end_addr, next));
    }
    at = next;
  }
  flush_fifo(marker);
}

void
mark_rescan_heap(struct marker *marker) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    if (span_is_used(span))
      rescan_span(marker, span, span->base_addr, span->base_addr + span_bytes(span));
  }
  flush_fifo(marker);
}
