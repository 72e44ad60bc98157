/* SPDX-License-Identifier: MIT */
#include "report/leak_references.h"

#include "base/arch_x86_64.h"
#include "gc/mark_relative.h"
#include "heap/span_table.h"
#include "record/record.h"

enum { COPY_BYTES = 64 * 1024 };

/* ---- bits ---- */

static uint64_t
bit_of(size_t slot) {
  return (uint64_t)1 << slot % 64;
}

static bool
is_marked(const struct cgc_span *span, size_t slot) {
  return atom_load_rlx(&span->words[slot / 64].mark) & bit_of(slot);
}

static void
set_found(struct cgc_span *span, size_t slot) {
  atom_word *word = span_scanned(span, (unsigned)(slot / 64));
  atom_store_rlx(word, atom_load_rlx(word) | bit_of(slot));
}

bool
leak_references_has(struct cgc_span *span, size_t slot) {
  return atom_load_rlx(span_scanned(span, (unsigned)(slot / 64))) & bit_of(slot);
}

static void
clear_all(void) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    for (unsigned k = 0; span_is_used(span) && k < span_word_count(span); k++)
      atom_store_rlx(span_scanned(span, k), 0);
  }
}

/* ---- words ---- */

/* A block that cannot be reached ends at that address. */
static void
note_end(uintptr_t addr) {
  size_t slot;
  struct cgc_span *span = heap_map_find_slot(addr - 1, &slot);
  if (!span || is_marked(span, slot))
    return;
  const struct record *record = record_of(span, slot);
  if (record && span_slot_addr(span, slot) + record_requested_bytes(span, record) == addr)
    set_found(span, slot);
}

static void
note_word(uintptr_t word) {
  uintptr_t addr = hull_untagged(word);
  size_t slot;
  struct cgc_span *span = heap_map_find_slot(addr, &slot);
  bool is_start = span && span_slot_addr(span, slot) == addr;
  if (is_start && is_marked(span, slot))
    set_found(span, slot);
  else if ((is_start || !span) && hull_has(addr))
    note_end(addr);
}

static void
note_words(const uintptr_t *words, size_t bytes) {
  for (size_t i = 0; i < bytes / sizeof *words; i++)
    note_word(words[i]);
}

/* Those of a whole block whose start they are relative to. */
static void
note_relative_words(const uintptr_t *block, size_t bytes) {
  for (size_t i = 0; i < bytes / sizeof *block; i++) {
    uintptr_t addr = mark_relative_target((uintptr_t)block, block[i]);
    size_t slot;
    struct cgc_span *span = addr ? heap_map_find_slot(addr, &slot) : NULL;
    if (span && span_slot_addr(span, slot) == addr && is_marked(span, slot))
      set_found(span, slot);
  }
}

/* ---- where they lie ---- */

static void
note_block(const struct cgc_span *span, size_t slot) {
  const uintptr_t *block = (const uintptr_t *)span_slot_addr(span, slot);
  note_words(block, span_block_bytes(span));
  if (mark_relative_is_sought())
    note_relative_words(block, span_block_bytes(span));
}

static void
note_blocks(const struct cgc_span *span) {
  for (size_t slot = 0; slot < span->slot_count; slot++)
    if (is_marked(span, slot))
      note_block(span, slot);
}

static void
note_root(const struct root *root) {
  static uintptr_t copy[COPY_BYTES / sizeof(uintptr_t)];
  for (uintptr_t at = round_up(root->start_addr, sizeof *copy); at < root->end_addr;) {
    ssize_t bytes = roots_read(copy, at, min_u64(root->end_addr - at, sizeof copy));
    if (bytes > 0)
      note_words(copy, (size_t)bytes);
    at = bytes >= (ssize_t)sizeof *copy ? at + round_down((uintptr_t)bytes, sizeof *copy)
                                        : round_down(at, ARCH_PAGE_BYTES) + ARCH_PAGE_BYTES;
  }
}

void
leak_references_find_stw(const struct root_list *roots) {
  clear_all();
  for (size_t i = 0; i < roots->count; i++)
    note_root(&roots->roots[i]);
  for (size_t i = 0; i < span_table_count(); i++) {
    const struct cgc_span *span = span_table_at(i);
    if (span_is_used(span) && !(span_kind(span) & SPAN_KIND_NOSCAN))
      note_blocks(span);
  }
}
