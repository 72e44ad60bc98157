/* SPDX-License-Identifier: MIT */
#include "report/leak_check.h"

#include "base/array.h"
#include "base/meta.h"
#include "base/platform.h"
#include "gc/cycle.h"
#include "gc/trace_phase.h"
#include "heap/span_table.h"
#include "record/recorder.h"
#include "report/leak_references.h"

#include <errno.h>
#include <string.h>

/* Memory is kept for the next check. */
static struct array ignored_addrs;   /* words */
static struct array nodes;           /* struct leak_node */
static struct array groups;          /* struct leak_group */
static struct {
  uint32_t *indices;                 /* of groups, + 1; 0: free */
  size_t capacity;
} by_key;

/* Of the check at hand. */
static struct leak_result *found;
static bool with_sites;

/* ---- all blocks ---- */

typedef bool block_visitor(struct cgc_span *span, size_t slot, bool is_marked);

/* Those that are allocated, until the visitor returns false: then so does this. */
static bool
visit_blocks(block_visitor *visit) {
  for (size_t i = 0; i < span_table_count(); i++) {
    struct cgc_span *span = span_table_at(i);
    for (size_t slot = 0; span_is_used(span) && slot < span->slot_count; slot++) {
      unsigned word = (unsigned)(slot / 64);
      uint64_t bit = (uint64_t)1 << slot % 64;
      if (!(span_word_free(span, word) & bit) && !visit(span, slot, atom_load_rlx(&span->words[word].mark) & bit))
        return false;
    }
  }
  return true;
}

/* A block that could not be recorded, for want of memory, is known by its slot alone. */
static const struct record *
record_at(const struct cgc_span *span, size_t slot) {
  static const struct record none;
  const struct record *record = record_of(span, slot);
  return record ? record : &none;
}

static void
count(struct leak_counts *counts, const struct cgc_span *span, size_t slot) {
  counts->blocks++;
  counts->bytes += record_requested_bytes(span, record_at(span, slot));
}

/* ---- ignored blocks: roots ---- */

static bool
list_ignored(struct cgc_span *span, size_t slot, bool is_marked) {
  if (!is_marked)
    count(&found->ignored, span, slot);
  return is_marked || !record_at(span, slot)->is_ignored || array_add_word(&ignored_addrs, span_slot_addr(span, slot));
}

static bool
count_unmarked(struct cgc_span *span, size_t slot, bool is_marked) {
  if (!is_marked)
    count(&found->leaked, span, slot);
  return true;
}

/* What was unreachable before and is not any more was ignored. */
static int
mark_ignored_stw(void) {
  struct trace_result traced = {0};
  ignored_addrs.count = 0;
  if (!visit_blocks(list_ignored))
    return ENOMEM;
  uintptr_t start_addr = (uintptr_t)ignored_addrs.items;
  struct root root = {start_addr, start_addr + ignored_addrs.count * sizeof(uintptr_t), ROOT_DATA};
  struct root_list list = {.roots = &root, .count = ignored_addrs.count ? 1 : 0, .bytes = root.end_addr - start_addr};
  int err = trace_heap_stw(&list, false, &traced);
  visit_blocks(count_unmarked);
  found->ignored.blocks -= found->leaked.blocks;
  found->ignored.bytes -= found->leaked.bytes;
  found->leaked = (struct leak_counts){0};
  return err;
}

/* ---- groups ---- */

struct group_key {
  uint32_t stack;
  enum leak_kind kind;
  bool     is_cycle;
  uint64_t owners;
};

static size_t
hash_of(const struct group_key *key) {
  uint64_t place = (uint64_t)key->stack << 8 | (uint64_t)key->kind << 1 | key->is_cycle;
  return (place + key->owners * 0xd6e8feb86659fd93) * 0x9e3779b97f4a7c15 >> 32;
}

static struct group_key
key_of_group(const struct leak_group *group) {
  return (struct group_key){group->stack, group->kind, group->is_cycle, group->owners};
}

static struct group_key
key_of_node(const struct leak_node *node) {
  return (struct group_key){node->record->stack, node->kind, node->is_cycle,
                            node->kind == LEAK_INDIRECT ? node->owners : 0};
}

static bool
has_key(const struct leak_group *group, const struct group_key *key) {
  return group->stack == key->stack && group->kind == key->kind && group->is_cycle == key->is_cycle &&
         group->owners == key->owners;
}

/* The place of that group in the index, which has at least one free place. */
static uint32_t *
place_of(const struct group_key *key) {
  for (size_t at = hash_of(key);; at++) {
    uint32_t *place = &by_key.indices[at % by_key.capacity];
    if (!*place || has_key((const struct leak_group *)groups.items + *place - 1, key))
      return place;
  }
}

static bool
make_room(void) {
  if (groups.count < by_key.capacity / 2)
    return true;
  size_t capacity = by_key.capacity ? 2 * by_key.capacity : 1024;
  uint32_t *indices = meta_alloc(capacity * sizeof *indices);
  if (!indices)
    return false;
  by_key.indices = indices;
  by_key.capacity = capacity;
  for (uint32_t i = 0; i < groups.count; i++) {
    struct group_key key = key_of_group((const struct leak_group *)groups.items + i);
    *place_of(&key) = i + 1;
  }
  return true;
}

static struct leak_group *
group_of(const struct group_key *key) {
  if (!make_room())
    return NULL;
  uint32_t *place = place_of(key);
  if (*place)
    return (struct leak_group *)groups.items + *place - 1;
  struct leak_group *group = array_add(&groups, sizeof *group);
  if (!group)
    return NULL;
  *group = (struct leak_group){.stack = key->stack, .kind = key->kind, .is_cycle = key->is_cycle,
                               .owners = key->owners};
  *place = (uint32_t)groups.count;
  return group;
}

static void
note_birth(struct leak_group *group, const struct record *record) {
  struct leak_birth birth = {record->thread, record->sequence, record->time};
  int32_t after_first = (int32_t)(birth.time - group->first.time), after_last = (int32_t)(birth.time - group->last.time);
  if (!group->blocks || after_first < 0 || (after_first == 0 && birth.sequence < group->first.sequence))
    group->first = birth;
  if (!group->blocks || after_last > 0 || (after_last == 0 && birth.sequence > group->last.sequence))
    group->last = birth;
}

static void
note_thread(struct leak_group *group, uint32_t thread) {
  for (unsigned i = 0; i < group->thread_count; i++)
    if (group->threads[i] == thread)
      return;
  if (group->thread_count < LEAK_THREADS_MAX)
    group->threads[group->thread_count++] = thread;
}

static bool
add_block(const struct group_key *key, uintptr_t addr, size_t bytes, const struct record *record) {
  if (key->stack == RECORD_STACK_NOT_SAMPLED)
    return true;
  struct leak_group *group = group_of(key);
  if (!group)
    return false;
  note_birth(group, record);
  note_thread(group, record->thread);
  if (group->address_count < LEAK_ADDRESSES_MAX)
    group->addresses[group->address_count++] = addr;
  group->blocks++;
  group->bytes += bytes;
  return true;
}

static void
add_reach(const struct group_key *key, const struct leak_node *node) {
  if (key->stack == RECORD_STACK_NOT_SAMPLED)
    return;
  struct leak_group *group = group_of(key);
  group->reach_blocks += node->reach_blocks;
  group->reach_bytes += node->reach_bytes;
}

static bool
add_node(const struct leak_node *node) {
  struct group_key key = key_of_node(node);
  if (!add_block(&key, node->addr, node->bytes, node->record))
    return false;
  add_reach(&key, node);
  if (node->kind == LEAK_DIRECT || node->kind == LEAK_INDIRECT) {
    found->leaked.blocks++;
    found->leaked.bytes += node->bytes;
  }
  return true;
}

/* ---- the check ---- */

/* libc's vector of a thread's variables, which the loader allocates, is pointed to behind its head. */
static bool
is_possibly_lost(struct cgc_span *span, size_t slot, const struct record *record) {
  bool has_stack = record->stack && record->stack != RECORD_STACK_NOT_SAMPLED;
  return has_stack && !record->is_ignored && !leak_references_has(span, slot) && !recorder_is_of_loader(record->stack);
}

static bool
add_live(struct cgc_span *span, size_t slot) {
  const struct record *record = record_at(span, slot);
  uintptr_t addr = span_slot_addr(span, slot);
  size_t bytes = record_requested_bytes(span, record);
  struct group_key possible = {.stack = record->stack, .kind = LEAK_POSSIBLE};
  struct group_key site = {.stack = record->stack, .kind = LEAK_REACHABLE};
  count(&found->live, span, slot);
  if (is_possibly_lost(span, slot, record) && !add_block(&possible, addr, bytes, record))
    return false;
  return !with_sites || add_block(&site, addr, bytes, record);
}

static bool
sort_block(struct cgc_span *span, size_t slot, bool is_marked) {
  if (is_marked)
    return add_live(span, slot);
  struct leak_node *node = array_add(&nodes, sizeof *node);
  if (!node)
    return false;
  const struct record *record = record_at(span, slot);
  *node = (struct leak_node){.addr = span_slot_addr(span, slot), .bytes = record_requested_bytes(span, record),
                             .record = record, .has_pointers = !(span_kind(span) & SPAN_KIND_NOSCAN),
                             .is_doubtful = leak_references_has(span, slot)};
  return true;
}

static int
look_at_all_stw(const struct root_list *roots) {
  recorder_settle();
  int err = mark_ignored_stw();
  if (err)
    return err;
  leak_references_find_stw(roots);
  if (!visit_blocks(sort_block) || !leak_graph_classify(nodes.items, nodes.count))
    return ENOMEM;
  for (size_t i = 0; i < nodes.count; i++)
    if (!add_node((const struct leak_node *)nodes.items + i))
      return ENOMEM;
  found->live.blocks -= found->ignored.blocks;
  found->live.bytes -= found->ignored.bytes;
  return 0;
}

static void
look_stw(const struct root_list *roots) {
  nodes.count = groups.count = 0;
  if (by_key.capacity)
    memset(by_key.indices, 0, by_key.capacity * sizeof *by_key.indices);
  found->err = look_at_all_stw(roots);
}

void
leak_check_run(bool sites, uintptr_t stack_pointer, struct leak_result *result) {
  struct collection_look look = {look_stw, stack_pointer};
  uint64_t begin_ns = platform_now_ns();
  *result = (struct leak_result){0};
  found = result;
  with_sites = sites;
  int err = cycle_look(&look);
  if (err)
    result->err = err;
  result->groups = groups.items;
  result->owner_stacks = leak_graph_owner_stacks();
  result->group_count = result->err ? 0 : groups.count;
  result->duration_ns = platform_now_ns() - begin_ns;
}
