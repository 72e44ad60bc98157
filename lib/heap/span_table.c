/* SPDX-License-Identifier: MIT */
#include "heap/span_table.h"

#include "base/fatal.h"
#include "base/hull.h"
#include "base/meta.h"

#include <string.h>

enum { TABLE_STEP_BYTES = 64 * 1024 };

static struct cgc_span **table;

/* Lock: page heap; anyone may read it. */
static atom_word table_count;
static size_t table_mapped_count;
static struct cgc_span *pools[SPAN_WORDS_MAX + 1];   /* linked by next */

void
span_table_init(void) {
  table = (struct cgc_span **)hull.span_table_addr;
}

size_t
span_table_count(void) {
  return atom_load_acq(&table_count);   /* pairs with span_table_make_locked */
}

struct cgc_span *
span_table_at(size_t index) {
  return table[index];
}

static bool
span_table_grow_locked(void) {
  size_t step_count = TABLE_STEP_BYTES / sizeof *table;
  if ((table_mapped_count + step_count) * sizeof *table > HULL_SPAN_TABLE_BYTES ||
      meta_map_table((uintptr_t)(table + table_mapped_count), TABLE_STEP_BYTES))
    return false;
  table_mapped_count += step_count;
  return true;
}

static struct cgc_span *
span_table_make_locked(unsigned word_count) {
  size_t index = atom_load_rlx(&table_count);
  if (index == table_mapped_count && !span_table_grow_locked())
    return NULL;
  struct cgc_span *span = meta_alloc(sizeof *span + span_words_bytes(word_count));
  if (!span)
    return NULL;
  span->word_capacity = (uint8_t)word_count;
  span->table_index = (uint32_t)index;
  table[index] = span;
  atom_store_rel(&table_count, index + 1);   /* publishes table[index] */
  return span;
}

struct cgc_span *
span_table_take_locked(unsigned word_count) {
  struct cgc_span *span = pools[word_count];
  if (!span)
    return span_table_make_locked(word_count);
  pools[word_count] = span->next;
  span->next = NULL;
  return span;
}

void
span_table_give_locked(struct cgc_span *span) {
  CGC_ASSERT(span->state == SPAN_UNUSED);
  span->next = pools[span->word_capacity];
  pools[span->word_capacity] = span;
}

void
span_table_rebuild_locked(void) {
  memset(pools, 0, sizeof pools);
  for (size_t i = 0; i < span_table_count(); i++)
    if (table[i]->state == SPAN_UNUSED)
      span_table_give_locked(table[i]);
}

uintptr_t
span_table_end_addr(void) {
  return (uintptr_t)(table + table_mapped_count);
}
