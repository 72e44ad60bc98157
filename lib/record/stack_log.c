/* SPDX-License-Identifier: MIT */
#include "record/stack_log.h"

#include "base/meta.h"
#include "record/return_site.h"

#include <string.h>

enum { SEGMENTS_MAX = (1 << (31 - LOG_SEGMENT_UNITS_LOG2)) - 1 };   /* the last mark is RECORD_STACK_NOT_SAMPLED */

/* What all logs may take, but for the first segment of each. */
enum { LOGS_BYTES_MAX = CGC_CONFIG_HOSTILE ? 16 * 1024 : 4 * 1024 * 1024 };

static atom_int segment_count;   /* of all logs */

/* ---- from the log to the depot ---- */

/* A multiplication for each frame, as they wait for each other; mixed at the end. */
static uint64_t
add_to_hash(uint64_t hash, uint64_t word) {
  return (hash + word) * 0x9fb21c651e98df25;
}

static uint64_t
mix_hash(uint64_t hash) {
  hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
  hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
  return hash ^ hash >> 32;
}

/* The place of the how manyeth outermost frame. */
static unsigned
index_of(unsigned frame) {
  return STACK_FRAMES_MAX - 1 - frame;
}

static uint64_t
hash_frames(struct stack_log *log) {
  uint64_t hash = log->stored_count ? log->hashes[index_of(log->stored_count - 1)] : 0;
  for (unsigned frame = log->stored_count; frame < log->count; frame++)
    log->hashes[index_of(frame)] = hash = add_to_hash(hash, log->sites[index_of(frame)]);
  return hash;
}

static uint32_t
store(const struct stack_log *log, const struct log_entry *entry, uint64_t hash) {
  unsigned shared = log->stored_count;
  struct depot_stack head = {.parent = shared ? log->owners[index_of(shared - 1)] : 0,
                             .shared_frames = (uint16_t)shared,
                             .own_frames = (uint16_t)(log->count - shared), .function = entry->function,
                             .is_cut = entry->is_cut};
  return stack_depot_add(hash, &head, &log->sites[index_of(log->count) + 1]);
}

static void
settle_entry(struct stack_log *log, const struct log_entry *entry, uint32_t mark) {
  uint64_t hash = mix_hash(add_to_hash(hash_frames(log), (uint64_t)entry->function << 1 | entry->is_cut));
  uint32_t number = stack_depot_find(hash);
  if (!number)
    number = store(log, entry, hash);
  record_settle(entry->record, mark, number);
  log->lost_count += !number;
  if (!number)
    return;
  for (unsigned frame = log->stored_count; frame < log->count; frame++)
    log->owners[index_of(frame)] = number;
  log->stored_count = log->count;
}

static void
replay(struct stack_log *log, const struct log_entry *entry) {
  log->stored_count = (unsigned)min_u64(log->stored_count, entry->shared_frames);
  log->count = entry->shared_frames + entry->own_frames;
  memcpy(&log->sites[index_of(log->count) + 1], entry->sites, entry->own_frames * sizeof entry->sites[0]);
}

static void
settle_segment(struct stack_log *log, struct log_segment *segment) {
  log->stored_count = 0;
  for (uint32_t at = 0; at < segment->used_units;) {
    const struct log_entry *entry = stack_log_entry(segment, at);
    replay(log, entry);
    if (record_is_marked(entry->record, segment->first_mark + at))
      settle_entry(log, entry, segment->first_mark + at);
    at += stack_log_units(entry->own_frames);
  }
  segment->used_units = 0;
}

void
stack_log_settle(struct stack_log *log) {
  struct log_segment *segment = log->current;
  if (!segment)
    return;
  do {
    segment = segment->next;
    settle_segment(log, segment);
  } while (segment != log->current);
}

/* ---- writing ---- */

static bool
may_grow(void) {
  size_t bytes = atom_int_load_rlx(&segment_count) * sizeof(struct log_segment);
  return bytes < LOGS_BYTES_MAX;
}

/* Behind the current one. */
static struct log_segment *
add_segment(struct stack_log *log) {
  struct log_segment *segment = meta_alloc(sizeof *segment);
  unsigned index = segment ? atom_int_add_full(&segment_count, 1) : 0;
  if (!segment || index >= SEGMENTS_MAX)
    return NULL;
  segment->first_mark = RECORD_STACK_MARK | index << LOG_SEGMENT_UNITS_LOG2;
  segment->next = log->current ? log->current->next : segment;
  if (log->current)
    log->current->next = segment;
  return segment;
}

bool
stack_log_move_on(struct stack_log *log) {
  struct log_segment *segment = NULL;
  if (!log->current || may_grow())
    segment = add_segment(log);
  if (!segment && log->current) {
    segment = log->current->next;
    settle_segment(log, segment);
  }
  if (segment)
    log->current = segment;
  return segment != NULL;
}
