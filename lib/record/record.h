/* SPDX-License-Identifier: MIT */
/*
 * Records: what is known of each block that a thread has allocated, out of line, an array for each span.  A record is
 * of the last allocation of its slot: of a free slot it means nothing.
 */
#ifndef CGC_RECORD_RECORD_H
#define CGC_RECORD_RECORD_H

#include "heap/span.h"

enum { RECORD_THREAD_MAX = 0x7fff };
#define RECORD_STACK_NOT_SAMPLED UINT32_MAX
#define RECORD_STACK_MARK        ((uint32_t)1 << 31)   /* others from this on are marks of a log's entries */

struct record {
  atom_int stack;           /* number in the depot, 0: could not be stored; a mark; or RECORD_STACK_NOT_SAMPLED */
  uint32_t sequence;        /* the how manyeth allocation of its thread */
  uint32_t time;            /* record_time_now */
  uint16_t unused_bytes;    /* of the slot, behind those requested */
  uint16_t thread : 15;     /* number; all above RECORD_THREAD_MAX have that one */
  uint16_t is_ignored : 1;  /* it and what it reaches is no leak */
};

_Static_assert(sizeof(struct record) == 16, "a record for each slot");

/* Of the slots of one span. */
struct record_array {
  struct record *records;
  size_t capacity;
};

/* By the spans' places in the span table. */
enum { RECORD_CHUNK_SPANS = 1024, RECORD_CHUNKS_MAX = 4096 };
extern struct record_array *record_chunks[RECORD_CHUNKS_MAX];

CGC_INLINE struct record_array *
record_array_of(const struct cgc_span *span) {
  struct record_array *chunk = record_chunks[span->table_index / RECORD_CHUNK_SPANS];
  return chunk ? &chunk[span->table_index % RECORD_CHUNK_SPANS] : NULL;
}

/* The record of a slot of a used span, or NULL: it has none yet. */
CGC_INLINE struct record *
record_of(const struct cgc_span *span, size_t slot) {
  const struct record_array *array = record_array_of(span);
  return array && span->slot_count <= array->capacity ? &array->records[slot] : NULL;
}

/* Where it has none; NULL if there is no memory. */
struct record *record_make_first(const struct cgc_span *span, size_t slot);

/* The same, made if need be; NULL if there is no memory. */
CGC_INLINE struct record *
record_make(const struct cgc_span *span, size_t slot) {
  struct record *record = record_of(span, slot);
  return CGC_LIKELY(record != NULL) ? record : record_make_first(span, slot);
}

CGC_INLINE size_t
record_requested_bytes(const struct cgc_span *span, const struct record *record) {
  return span_block_bytes(span) - record->unused_bytes;
}

/* Whether it is still that of the allocation that it was marked for, and has no number yet. */
CGC_INLINE bool
record_is_marked(const struct record *record, uint32_t mark) {
  return atom_int_load_rlx(&record->stack) == mark;
}

/* Another thread may write the record anew at the same time. */
CGC_INLINE void
record_settle(struct record *record, uint32_t mark, uint32_t stack) {
  atom_int_cas_full(&record->stack, mark, stack);
}

/* In units of about a third of a millisecond, from the processor's counter; wraps. */
uint32_t record_time_now(void);

/* How long ago that was. */
uint64_t record_age_ms(uint32_t time);

/* In a forked child. */
void record_adopt_fork(void);

#endif
