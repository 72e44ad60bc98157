/* SPDX-License-Identifier: MIT */
#include "gc/mark.h"

#include "base/arch_x86_64.h"
#include "base/fatal.h"
#include "base/options.h"
#include "heap/span_table.h"

#include <string.h>

void
marker_init(struct marker *marker, bool is_alone) {
  marker->heap_addr = heap_map.base_addr;
  marker->heap_bytes = atom_load_rlx(&heap_map.extent_bytes);
  marker->address_mask = option(OPTION_TAGGED) ? ((uintptr_t)1 << 48) - 1 : UINTPTR_MAX;
  marker->pointer_guard = arch_pointer_guard();
  marker->demangles_data = option(OPTION_DEMANGLE) >= 1;
  marker->demangles_heap = option(OPTION_DEMANGLE) >= 2;
  marker->finds_packed = option(OPTION_PACKED);
  marker->marks_past_end = option(OPTION_PAST_END);
  marker->is_alone = is_alone;
  marker->is_verifying = false;
  marker->unmarked = 0;
  for (unsigned i = 0; i < MARK_FIFO_COUNT; i++)
    marker->fifo[i].span = NULL;
  marker->fifo_at = 0;
  marker->buffer = NULL;
  marker->ahead_at = 0;
  memset(marker->ahead, 0, sizeof marker->ahead);
  marker->scanned_bytes = 0;
  marker->err = 0;
}

/* ---- queueing ---- */

CGC_NOINLINE static bool
make_room(struct marker *marker) {
  struct mark_buffer *empty = mark_queue_get_empty();
  if (!empty)
    return false;
  if (marker->buffer)
    mark_queue_share(marker->buffer);
  marker->buffer = empty;
  return true;
}

CGC_INLINE void
push_item(struct marker *marker, uint64_t item) {
  if (CGC_LIKELY(marker->buffer && marker->buffer->count < MARK_BUFFER_ITEMS) || make_room(marker))
    marker->buffer->items[marker->buffer->count++] = item;
  else
    mark_queue_note_drop();
}

static void
push_block(struct marker *marker, uintptr_t addr, size_t bytes) {
  for (; bytes > MARK_PIECE_BYTES; addr += MARK_PIECE_BYTES, bytes -= MARK_PIECE_BYTES)
    push_item(marker, mark_item(addr, MARK_PIECE_BYTES));
  push_item(marker, mark_item(addr, bytes));
}

/* ---- candidates ---- */

CGC_INLINE bool
set_mark(const struct marker *marker, struct span_word *word, uint64_t bit) {
  if (!marker->is_alone)
    return !(atom_or_full(&word->mark, bit) & bit);
  atom_store_rlx(&word->mark, atom_load_rlx(&word->mark) | bit);
  return true;
}

static void
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
  if (CGC_UNLIKELY(marker->is_verifying)) {
    marker->unmarked = addr;
    return;
  }
  if (set_mark(marker, word, bit) && !(span_kind(span) & SPAN_KIND_NOSCAN))
    push_block(marker, span_slot_addr(span, slot), span_block_bytes(span));
}

CGC_INLINE void
consider(struct marker *marker, uintptr_t addr) {
  struct cgc_span *span = heap_map.pages[(addr - marker->heap_addr) >> SPAN_PAGE_BYTES_LOG2];
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

static void
flush_fifo(struct marker *marker) {
  for (unsigned i = 0; i < MARK_FIFO_COUNT; i++) {
    struct mark_candidate *oldest = &marker->fifo[marker->fifo_at++ % MARK_FIFO_COUNT];
    struct mark_candidate ready = *oldest;
    oldest->span = NULL;
    if (ready.span)
      mark_candidate(marker, ready.span, ready.addr);
  }
}

/* ---- scanning ---- */

CGC_INLINE void
scan_words(struct marker *marker, const uintptr_t *word, const uintptr_t *end, bool demangles, bool past_end) {
  uintptr_t heap_addr = marker->heap_addr, heap_bytes = marker->heap_bytes;
  uintptr_t mask = marker->address_mask, guard = marker->pointer_guard;
  for (; word < end; word++) {
    uintptr_t addr = *word & mask;
    if (CGC_UNLIKELY(addr - heap_addr < heap_bytes))
      consider(marker, addr);
    if (past_end && CGC_UNLIKELY(addr - 1 - heap_addr < heap_bytes))
      consider(marker, addr - 1);
    if (demangles) {
      addr = arch_demangle(*word, guard) & mask;
      if (CGC_UNLIKELY(addr - heap_addr < heap_bytes))
        consider(marker, addr);
    }
  }
}

/* A word at an address divisible by 4 but not by 8, a member of a packed structure: its halves lie in two words. */
CGC_NOINLINE static void
consider_packed(struct marker *marker, uintptr_t first, uintptr_t second) {
  uintptr_t addr = second << 32 | first >> 32;
  if (addr - marker->heap_addr < marker->heap_bytes)
    consider(marker, addr);
}

/* The upper half of a packed pointer is the lower half of a word, and few words have it. */
CGC_INLINE void
scan_words_packed(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  uintptr_t heap_addr = marker->heap_addr, heap_bytes = marker->heap_bytes, mask = marker->address_mask;
  uint32_t upper = (uint32_t)(heap_addr >> 32), uppers = (uint32_t)(heap_bytes >> 32) + 2;
  for (const uintptr_t *first = word; word < end; word++) {
    uintptr_t bits = *word, addr = bits & mask;
    if (CGC_UNLIKELY(addr - heap_addr < heap_bytes))
      consider(marker, addr);
    if (CGC_UNLIKELY((uint32_t)bits - upper < uppers) && word > first)
      consider_packed(marker, word[-1], bits);
  }
}

static void
scan_block(struct marker *marker, uintptr_t addr, size_t bytes) {
  const uintptr_t *word = (const uintptr_t *)addr, *end = (const uintptr_t *)(addr + bytes);
  marker->scanned_bytes += bytes;
  if (marker->finds_packed)
    scan_words_packed(marker, word, end);
  if (marker->demangles_heap)
    scan_words(marker, word, end, true, false);
  else if (!marker->finds_packed)
    scan_words(marker, word, end, false, false);
}

/* Words at odd addresses: operands of generated code, members of packed structures.  They are taken as
 * they are, for eight times as many words could else be mistaken. */
static void
scan_unaligned(struct marker *marker, size_t bytes) {
  enum { SIXTH = 5 };
  const unsigned char *copy = marker->copy, *end = copy + bytes, *at = copy + SIXTH;
  while (at < end && (at = memchr(at, hull.sixth_byte, (size_t)(end - at)))) {
    const unsigned char *word = at++ - SIXTH;
    uintptr_t addr;
    if ((uintptr_t)word % sizeof addr == 0 || word + sizeof addr > end)
      continue;
    memcpy(&addr, word, sizeof addr);
    if (addr - marker->heap_addr < marker->heap_bytes)
      consider(marker, addr);
  }
}

static void
scan_copy(struct marker *marker, size_t bytes, enum root_kind kind) {
  const uintptr_t *word = (const uintptr_t *)marker->copy, *end = word + bytes / sizeof *word;
  bool past_end = kind == ROOT_STACK && marker->marks_past_end;
  marker->scanned_bytes += bytes;
  scan_unaligned(marker, bytes);
  if (!marker->demangles_data)
    scan_words(marker, word, end, false, past_end);
  else if (past_end)
    scan_words(marker, word, end, true, true);
  else
    scan_words(marker, word, end, true, false);
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
      scan_copy(marker, (size_t)bytes, root->kind);
    else if (bytes < 0)
      marker->err = (int)-bytes;
    at = next_part(at, bytes, root->end_addr);
  }
}

/* ---- draining ---- */

/* Hands half of the items to a marker that waits. */
static void
share_half(struct marker *marker) {
  struct mark_buffer *mine = marker->buffer, *other = mark_queue_get_empty();
  if (!other)
    return;
  size_t half = mine->count / 2;
  for (size_t i = 0; i < half; i++)
    other->items[i] = mine->items[i];
  for (size_t i = half; i < mine->count; i++)
    mine->items[i - half] = mine->items[i];
  other->count = half;
  mine->count -= half;
  mark_queue_share(other);
}

static bool
has_items(const struct marker *marker) {
  return marker->buffer && marker->buffer->count;
}

/* Takes an item in place of one whose memory has been fetched meanwhile; 0 takes none. */
static void
scan_ahead(struct marker *marker, uint64_t item) {
  uint64_t *oldest = &marker->ahead[marker->ahead_at++ % MARK_AHEAD_COUNT], ready = *oldest;
  __builtin_prefetch((const void *)mark_item_addr(item));
  *oldest = item;
  if (ready)
    scan_block(marker, mark_item_addr(ready), mark_item_bytes(ready));
}

/* Scans and looks up all that waits for memory. */
static void
flush_waiting(struct marker *marker) {
  for (unsigned i = 0; i < MARK_AHEAD_COUNT; i++)
    scan_ahead(marker, 0);
  flush_fifo(marker);
}

void
mark_drain(struct marker *marker, const atom_int *waiting_markers) {
  enum { SHARED_ITEMS_MIN = 8, LOOK_EVERY = 32 };
  for (unsigned turn = 1;; turn++) {
    if (!has_items(marker))
      flush_waiting(marker);
    if (!has_items(marker))
      return;
    scan_ahead(marker, marker->buffer->items[--marker->buffer->count]);
    if (turn % LOOK_EVERY == 0 && marker->buffer->count >= SHARED_ITEMS_MIN &&
        atom_int_load_rlx(waiting_markers) && !mark_queue_has_work())
      share_half(marker);
  }
}

bool
mark_steal(struct marker *marker) {
  struct mark_buffer *stolen = mark_queue_steal();
  if (!stolen)
    return false;
  if (marker->buffer)
    mark_queue_put_empty(marker->buffer);
  marker->buffer = stolen;
  return true;
}

void
marker_fini(struct marker *marker) {
  flush_fifo(marker);
  CGC_CHECK(!has_items(marker));
  if (marker->buffer)
    mark_queue_put_empty(marker->buffer);
  marker->buffer = NULL;
}

/* ---- once more ---- */

static void
rescan_slots(struct marker *marker, struct cgc_span *span) {
  for (unsigned i = 0; i < span_word_count(span); i++)
    for (uint64_t marks = atom_load_rlx(&span->words[i].mark); marks; marks &= marks - 1) {
      size_t slot = i * 64 + (unsigned)__builtin_ctzll(marks);
      scan_block(marker, span_slot_addr(span, slot), span_block_bytes(span));
    }
}

void
mark_rescan_heap(struct marker *marker) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    if (span_is_used(span) && !(span_kind(span) & SPAN_KIND_NOSCAN))
      rescan_slots(marker, span);
  }
  flush_fifo(marker);
}
