/* SPDX-License-Identifier: MIT */
#include "gc/mark.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "base/platform.h"
#include "gc/client.h"
#include "gc/limbo.h"
#include "gc/mark_candidate.h"
#include "gc/mark_relative.h"
#include "gc/mark_scan.h"
#include "gc/mark_walk.h"
#include "world/named_roots.h"

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
  marker->finds_relative = mark_relative_is_sought();
  marker->decodes_blocks = marker->demangles_heap || marker->finds_relative;
  marker->scan_addresses = mark_scan_choose(marker);
  marker->scan = marker->finds_relative ? mark_scan_relative : marker->scan_addresses;
  mark_scan_fill_lanes(marker);
  marker->checks_offset = mark_offsets.are_checked;
  marker->takes_interior = mark_offsets.are_all_valid;
  marker->is_alone = is_alone;
  marker->index = 0;
  marker->interrupt = NULL;
  marker->deadline_ns = UINT64_MAX;
  marker->piece_bytes = MARK_PIECE_BYTES;
  marker->uses_shadows = true;
  marker->notes_seen = false;
  marker->is_verifying = marker->knows_seen = false;
  marker->counts_bytes = false;
  marker->unmarked = 0;
  for (unsigned i = 0; i < MARK_FIFO_COUNT; i++)
    marker->fifo[i].span = NULL;
  marker->fifo_at = 0;
  marker->taken = marker->found = (struct mark_list){0};
  marker->ahead_at = 0;
  memset(marker->ahead, 0, sizeof marker->ahead);
  marker->walk = (struct mark_walk){0};
  marker->span_count = 0;
  marker->scanned_bytes = marker->marked_bytes = 0;
  marker->err = 0;
}

void
marker_set_deadline(struct marker *marker, uint64_t deadline_ns) {
  enum { HASTY_PIECE_BYTES = 8 * 1024 };   /* two of them take some 10 us */
  marker->deadline_ns = deadline_ns;
  marker->piece_bytes = deadline_ns == UINT64_MAX ? MARK_PIECE_BYTES : HASTY_PIECE_BYTES;
}

/* Parts overlap by a word, which may lie across their border.  Where nothing is, go on behind that page. */
static uintptr_t
next_part(uintptr_t at, ssize_t bytes, uintptr_t end_addr) {
  if (bytes <= 0)
    return round_down(at, ARCH_PAGE_BYTES) + ARCH_PAGE_BYTES;
  uintptr_t next = at + (size_t)bytes;
  return next < end_addr && bytes > (ssize_t)sizeof(uintptr_t) ? next - sizeof(uintptr_t) : next;
}

/* What is named can be read. */
static void
scan_in_place(struct marker *marker, const struct root *root) {
  const uintptr_t *word = (const uintptr_t *)root->start_addr, *end = (const uintptr_t *)root->end_addr;
  mark_scan_named(marker, word, end, root->kind);
}

static void
scan_copied(struct marker *marker, const struct root *root) {
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
scan_root(struct marker *marker, const struct root *root) {
  if (roots_policy.are_named && !marker->is_beside && !roots_may_vanish)
    scan_in_place(marker, root);
  else
    scan_copied(marker, root);
}

/* On a stack compilers keep pointers to anywhere in a block. */
void
mark_root(struct marker *marker, const struct root *root) {
  bool is_lenient = !marker->takes_interior && root->kind == ROOT_STACK;
  if (is_lenient) {
    flush_fifo(marker);
    marker->takes_interior = true;
  }
  scan_root(marker, root);
  if (is_lenient) {
    flush_fifo(marker);
    marker->takes_interior = false;
  }
}

void
mark_written(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr) {
  scan_copied(marker, &(struct root){start_addr, end_addr, ROOT_DATA});
}

/* ---- draining ---- */

/* A block or two of the smallest sizes: to begin with vectors would take longer. */
CGC_INLINE void
scan_short(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  marker->scanned_bytes += (size_t)(end - word) * sizeof *word;
  for (; word < end; word++) {
    uintptr_t addr = *word & marker->address_mask;
    if (marker_has_in_heap(marker, addr))
      consider(marker, addr);
  }
}

static void
scan_range(struct marker *marker, const struct mark_range *range) {
  enum { SHORT_BYTES = 32 };
  const uintptr_t *word = (const uintptr_t *)range->addr, *end = (const uintptr_t *)(range->addr + range->bytes);
  bool is_short = range->bytes <= SHORT_BYTES && !marker->finds_packed && !marker->decodes_blocks;
  if (is_short)
    scan_short(marker, word, end);
  else
    mark_scan_block(marker, word, end);
}

/* Takes a range in place of one whose memory has been fetched meanwhile; an empty one takes none. */
CGC_INLINE void
scan_ahead(struct marker *marker, uintptr_t addr, size_t bytes) {
  struct mark_range *oldest = &marker->ahead[marker->ahead_at++ % MARK_AHEAD_COUNT], ready = *oldest;
  __builtin_prefetch((const void *)addr);
  __builtin_prefetch((const void *)(addr + bytes - 1));   /* the processor sees what lies between, if that is much */
  *oldest = (struct mark_range){addr, bytes};
  if (ready.bytes)
    scan_range(marker, &ready);
}

/* Scans and looks up all that waits for memory. */
static void
flush_waiting(struct marker *marker) {
  for (unsigned i = 0; i < MARK_AHEAD_COUNT; i++)
    scan_ahead(marker, 0, 0);
  flush_fifo(marker);
}

/* Neighbours are scanned as one. */
static void
scan_small(struct marker *marker, struct cgc_span *span) {
  for (unsigned word = 0; word < span_word_count(span); word++)
    for (uint64_t grey = take_grey(marker, span, word, UINT64_MAX); grey;) {
      unsigned first = (unsigned)__builtin_ctzll(grey), slots = count_trailing_ones(grey >> first);
      scan_ahead(marker, span_slot_addr(span, word * 64 + first), (size_t)slots * span->slot_bytes);
      grey &= grey + ((uint64_t)1 << first);   /* carries through the neighbours */
    }
}

static bool
has_few_grey(struct cgc_span *span) {
  unsigned count = 0;
  for (unsigned word = 0; word < span_word_count(span); word++)
    count += count_bits(grey_slots(span, word));
  return count < MARK_WALK_COUNT;
}

/* full: who marks a block from now on queues the span again; pairs with queue_span. */
static void
release_span(const struct marker *marker, struct cgc_span *span) {
  if (marker->is_alone)
    atom_int_store_rlx(&span->is_grey, 0);
  else
    atom_int_swap_full(&span->is_grey, 0);
}

static void
scan_described_small(struct marker *marker, struct cgc_span *span) {
  for (unsigned word = 0; word < span_word_count(span); word++)
    for (uint64_t grey = take_grey(marker, span, word, UINT64_MAX); grey; grey &= grey - 1)
      gc_client.scan_block(marker, span, span_slot_addr(span, word * 64 + (unsigned)__builtin_ctzll(grey)));
}

/* As the client says; a large block in one go. */
static void
scan_described(struct marker *marker, struct cgc_span *span) {
  if (marker->index && gc_client.wants_program(span)) {
    mark_queue_leave(span);
    return;
  }
  release_span(marker, span);
  if (span->slot_bytes) {
    scan_described_small(marker, span);
  } else if (atom_swap_full(span_scanned(span, 0), span_bytes(span)) == 0) {
    gc_client.scan_block(marker, span, span->base_addr);
  }
}

/* One piece, from the last word of the one before, which may hold half of a packed pointer.  The rest is queued
 * again first, so that others can take it.  Only who holds the span writes how far it has been scanned. */
static void
scan_large(struct marker *marker, struct cgc_span *span) {
  size_t from = atom_load_rlx(span_scanned(span, 0)), end = span_bytes(span);
  size_t bytes = from < end ? min_u64(end - from, marker->piece_bytes) : 0;   /* the program may have shortened it */
  atom_store_rlx(span_scanned(span, 0), from + bytes);
  if (from + bytes < end)
    mark_list_append(&marker->found, span);
  else
    atom_int_store_rlx(&span->is_grey, 0);
  size_t overlap = from ? sizeof(uintptr_t) : 0;
  scan_ahead(marker, span->base_addr + from - overlap, bytes + overlap);
}

/* Beside the program the structure may be another span's by now, or nobody's; what has been marked in it since is
 * grey. */
CGC_INLINE bool
has_grey(struct cgc_span *span) {
  return span->slot_count && !(span_kind(span) & SPAN_KIND_NOSCAN) &&
         (span->slot_bytes || atom_load_rlx(&span->words[0].mark));
}

/* is_last: nothing waits in the FIFOs, and no other span is listed.  True if nothing waits there afterwards, either. */
static bool
scan_span(struct marker *marker, struct cgc_span *span, bool is_last) {
  bool is_walked = false;
  if (!has_grey(span)) {
    release_span(marker, span);
  } else if (CGC_UNLIKELY(span->client_kind)) {
    scan_described(marker, span);
  } else if (!span->slot_bytes) {
    scan_large(marker, span);
  } else {
    release_span(marker, span);
    is_walked = is_last && has_few_grey(span);
    if (is_walked)
      mark_walk(marker, span);
    else
      scan_small(marker, span);
  }
  return is_walked;
}

/* Scanned before the marker looks up; a power of 2. */
enum { SPANS_HELD_MAX = CGC_CONFIG_HOSTILE ? 1 : 16 };

/* Beside the program: lets go of all spans but those listed, which may change while they are. */
static void
let_go(struct marker *marker) {
  flush_fifo(marker);
  limbo_let_go(marker->index);
}

static bool
is_to_end(const struct marker *marker) {
  return (marker->interrupt && atom_int_load_rlx(marker->interrupt)) ||
         (marker->deadline_ns != UINT64_MAX && platform_now_ns() >= marker->deadline_ns);
}

/* After every few spans.  False if it is to end early. */
static bool
look_up(struct marker *marker) {
  if (marker->is_beside)
    let_go(marker);
  return !is_to_end(marker);
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

bool
mark_drain(struct marker *marker) {
  bool is_flushed = false;
  for (;;) {
    if (++marker->span_count % SPANS_HELD_MAX == 0 && !look_up(marker))
      return false;
    struct cgc_span *span = take_span(marker);
    if (!span) {
      flush_waiting(marker);
      is_flushed = true;
      span = take_span(marker);
    }
    if (!span)
      return true;
    if (mark_queue_is_wanted() && !mark_queue_has_work_for(marker->index + 1))
      share_spans(marker);
    is_flushed = scan_span(marker, span, is_flushed && !marker->taken.count && !marker->found.count);
    if (is_flushed)
      marker->span_count |= SPANS_HELD_MAX - 1;   /* that was as much as of many spans */
  }
}

void
mark_hand_over(struct marker *marker) {
  flush_waiting(marker);
  mark_queue_share(&marker->taken);
  mark_queue_share(&marker->found);
}

bool
mark_steal(struct marker *marker) {
  return mark_queue_steal(marker->index, &marker->taken);
}
