/* SPDX-License-Identifier: MIT */
#include "record/record.h"

#include "base/lock.h"
#include "base/meta.h"
#include "base/platform.h"

enum { CAPACITY_LOG2_MAX = 10 };

/* Lock: record_lock; a chunk, and the array of a span that is used, are read without. */
static struct lock record_lock = LOCK_INITIALIZER(LOCK_RANK_RECORDS);
struct record_array *record_chunks[RECORD_CHUNKS_MAX];
static struct record *spare[CAPACITY_LOG2_MAX + 1];   /* by the logarithm of their capacity */

_Static_assert(SPAN_WORDS_MAX * 64 <= 1 << CAPACITY_LOG2_MAX, "a span's slots fit an array");

/* ---- making arrays ---- */

static unsigned
capacity_log2_for(size_t slots) {
  return slots < 2 ? 0 : 64 - (unsigned)__builtin_clzll(slots - 1);
}

/* Spare arrays are linked by a word that is no record's stack: logs still look there. */
static struct record **
link_of(struct record *records) {
  return (struct record **)&records->time;
}

static struct record *
take_array_locked(unsigned capacity_log2) {
  struct record *records = spare[capacity_log2];
  if (!records)
    return meta_alloc(sizeof *records << capacity_log2);
  spare[capacity_log2] = *link_of(records);
  return records;
}

static void
spare_array_locked(const struct record_array *array) {
  unsigned capacity_log2 = capacity_log2_for(array->capacity);
  *link_of(array->records) = spare[capacity_log2];
  spare[capacity_log2] = array->records;
}

static struct record_array *
make_array_locked(const struct cgc_span *span) {
  struct record_array **chunk = &record_chunks[span->table_index / RECORD_CHUNK_SPANS];
  if (!*chunk)
    *chunk = meta_alloc(RECORD_CHUNK_SPANS * sizeof **chunk);
  if (!*chunk)
    return NULL;
  struct record_array *array = &(*chunk)[span->table_index % RECORD_CHUNK_SPANS];
  unsigned capacity_log2 = capacity_log2_for(span->slot_count);
  struct record *records = take_array_locked(capacity_log2);
  if (!records)
    return NULL;
  if (array->capacity)
    spare_array_locked(array);
  array->records = records;
  array->capacity = (size_t)1 << capacity_log2;
  return array;
}

/* Slots that were not recorded, as memory was short, must not have records of others. */
static void
clear_records(struct record_array *array) {
  for (size_t i = 0; i < array->capacity; i++)
    array->records[i] = (struct record){0};
}

struct record *
record_make_first(const struct cgc_span *span, size_t slot) {
  if (span->table_index / RECORD_CHUNK_SPANS >= RECORD_CHUNKS_MAX)
    return NULL;
  lock_acquire(&record_lock);
  struct record_array *array = make_array_locked(span);
  if (array)
    clear_records(array);
  lock_release(&record_lock);
  return array ? &array->records[slot] : NULL;
}

void
record_adopt_fork(void) {
  lock_reset(&record_lock);
}

/* ---- time ---- */

enum { TICKS_PER_UNIT_LOG2 = 20 };

static uint64_t first_ticks, first_ns;

/* The first call is the origin: with it, units become time. */
uint32_t
record_time_now(void) {
  uint64_t ticks = __builtin_ia32_rdtsc();
  if (CGC_UNLIKELY(!first_ticks)) {
    first_ns = platform_now_ns();
    first_ticks = ticks;
  }
  return (uint32_t)((ticks - first_ticks) >> TICKS_PER_UNIT_LOG2);
}

uint64_t
record_age_ms(uint32_t time) {
  uint64_t passed_ms = (platform_now_ns() - first_ns) / 1000000;
  uint32_t now = record_time_now();
  return now ? (uint64_t)(now - time) * passed_ms / now : 0;
}
