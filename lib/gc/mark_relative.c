/* SPDX-License-Identifier: MIT */
#include "gc/mark_relative.h"

#include "base/options.h"
#include "gc/mark_candidate.h"
#include "world/loaded_objects.h"

/* ---- whether ---- */

/* Written in stops, by whoever holds the cycle lock. */
static bool is_sought;

/* With a suffix of its own where a program brings one along. */
static bool
is_needed_stw(void) {
  static uint64_t seen_fingerprint;
  static bool was_needed;
  if (loaded_objects_have_changed_stw(&seen_fingerprint))
    was_needed = loaded_objects_has_stw("libfontconfig");
  return was_needed;
}

static bool
is_wanted_stw(void) {
  return option(OPTION_RELATIVE) == OPTION_SWITCH_ON ||
         (option(OPTION_RELATIVE) == OPTION_SWITCH_AUTO && is_needed_stw());
}

bool
mark_relative_choose_stw(void) {
  bool was_sought = is_sought;
  is_sought = is_wanted_stw();
  return is_sought != was_sought;
}

bool
mark_relative_is_sought(void) {
  return is_sought;
}

bool
mark_relative_is_missed_stw(void) {
  return !is_sought && is_wanted_stw();
}

/* ---- in blocks ---- */

/* Whether the address is that of a block, which may be free. */
static bool
is_block_start(const struct cgc_span *span, uintptr_t addr) {
  size_t slot;
  return addr == span->base_addr || span_slot_starts_at(span, addr, &slot);
}

/* Whatever lies there may become the start of a block while the mark goes on, and so it is noted first. */
static void
consider_relative(struct marker *marker, uintptr_t addr) {
  if (CGC_UNLIKELY(marker->notes_seen))
    seen_words_note(addr);
  const struct cgc_span *span = heap_map_span(addr);
  if (span && is_block_start(span, addr))
    consider(marker, addr);
}

/* The block that a word lies in, and where that ends.  Beside the program the span may be another by now, and the
 * block gone: then what this tells is of no use, but the end comes after the word. */
static uintptr_t
find_block(const struct cgc_span *span, const uintptr_t *word, const uintptr_t *end, const uintptr_t **block_end) {
  size_t bytes = span->slot_bytes;
  uintptr_t addr = bytes ? span_slot_addr(span, span_slot_of(span, (uintptr_t)word)) : span->base_addr;
  const uintptr_t *next = (const uintptr_t *)(addr + bytes);
  *block_end = next > word && next < end ? next : end;
  return addr;
}

static void
scan_relative(struct marker *marker, const struct cgc_span *span, const uintptr_t *word, const uintptr_t *end) {
  while (word < end) {
    const uintptr_t *block_end;
    uintptr_t block_addr = find_block(span, word, end, &block_end);
    for (; word < block_end; word++) {
      uintptr_t addr = mark_relative_target(block_addr, *word);
      if (CGC_UNLIKELY(addr))
        consider_relative(marker, addr);
    }
  }
}

void
mark_scan_relative(struct marker *marker, const uintptr_t *word, const uintptr_t *end) {
  const struct cgc_span *span = heap_map_span((uintptr_t)word);
  marker->scan_addresses(marker, word, end);
  if (span)
    scan_relative(marker, span, word, end);
}

void
mark_relative_note(uintptr_t block_addr, uintptr_t start_addr, uintptr_t end_addr) {
  for (const uintptr_t *word = (const uintptr_t *)start_addr; word < (const uintptr_t *)end_addr; word++) {
    uintptr_t addr = mark_relative_target(block_addr, *word);
    if (addr)
      seen_words_note(addr);
  }
}
