/* SPDX-License-Identifier: MIT */
#include "gc/mark_block.h"

#include "gc/client.h"
#include "gc/mark_candidate.h"
#include "gc/mark_scan.h"

struct mark_offsets mark_offsets = {.are_all_valid = true, .is_valid = {1}};

void
mark_address(struct marker *marker, uintptr_t addr) {
  if (marker_has_in_heap(marker, addr))
    consider(marker, addr);
}

void
mark_memory(struct marker *marker, uintptr_t start_addr, uintptr_t end_addr) {
  const uintptr_t *word = (const uintptr_t *)round_up(start_addr, sizeof *word);
  const uintptr_t *end = (const uintptr_t *)round_down(end_addr, sizeof *end);
  if (word < end)
    mark_scan_block(marker, word, end);
}

void
mark_contents(struct marker *marker, uintptr_t addr) {
  const struct cgc_span *span = heap_map_span(addr);
  if (span->client_kind)
    gc_client.scan_block(marker, span, addr);
  else if (!(span_kind(span) & SPAN_KIND_NOSCAN))
    mark_memory(marker, addr, addr + span_block_bytes(span));
}

void
mark_finish(struct marker *marker) {
  flush_fifo(marker);
  mark_drain(marker);   /* to the end: it has no deadline */
}

void
mark_settle(struct marker *marker) {
  flush_fifo(marker);
}

/* The words of the slot that addr lies in, and its bit; NULL if there is none. */
static struct cgc_span *
find_slot(uintptr_t addr, unsigned *word, uint64_t *bit) {
  struct cgc_span *span = heap_map_span(addr);
  size_t slot = span && span_is_used(span) ? span_slot_of(span, addr) : 0;
  if (!span || slot >= span->slot_count)
    return NULL;
  *word = (unsigned)(slot / 64);
  *bit = (uint64_t)1 << slot % 64;
  return span;
}

bool
mark_has(uintptr_t addr) {
  unsigned word;
  uint64_t bit;
  const struct cgc_span *span = find_slot(addr, &word, &bit);
  return span && atom_load_rlx(&span->words[word].mark) & bit;
}

bool
mark_lacks(uintptr_t addr) {
  unsigned word;
  uint64_t bit;
  const struct cgc_span *span = find_slot(addr, &word, &bit);
  return span && !(atom_load_rlx(&span->words[word].mark) & bit);
}

/* Nobody else writes the words. */
static void
set_bits(atom_word *word, uint64_t bits, bool value) {
  uint64_t before = atom_load_rlx(word);
  atom_store_rlx(word, value ? before | bits : before & ~bits);
}

static void
set_mark_stw(uintptr_t addr, bool value) {
  unsigned word;
  uint64_t bit;
  struct cgc_span *span = find_slot(addr, &word, &bit);
  if (!span)
    return;
  set_bits(&span->words[word].mark, bit, value);
  if (span->slot_bytes)
    set_bits(span_scanned(span, word), bit, value);
  else
    atom_store_rlx(span_scanned(span, 0), value ? span_bytes(span) : 0);
}

void
mark_set_stw(uintptr_t addr) {
  set_mark_stw(addr, true);
}

void
mark_clear_stw(uintptr_t addr) {
  set_mark_stw(addr, false);
}

void
mark_revive_stw(struct marker *marker, uintptr_t addr) {
  if (marker->counts_bytes && mark_lacks(addr))
    marker->marked_bytes += span_block_bytes(heap_map_span(addr));
  mark_set_stw(addr);
  mark_contents(marker, addr);
}
