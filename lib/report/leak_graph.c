/* SPDX-License-Identifier: MIT */
#include "report/leak_graph.h"

#include "base/array.h"
#include "base/hull.h"
#include "base/meta.h"
#include "base/options.h"
#include "gc/mark_relative.h"
#include "heap/heap_map.h"

#include <string.h>

/* Memory is kept for the next check. */
static struct array visits;     /* struct visit */
static struct array component;  /* words: indices of nodes */
static struct {
  uint32_t *indices;            /* + 1; 0: free */
  size_t capacity;
} by_addr;

static struct leak_node *nodes;
static uint32_t next_order;

/* ---- from an address to its node ---- */

static size_t
hash_of(uintptr_t addr) {
  return addr * 0x9e3779b97f4a7c15 >> 20;
}

static bool
index_nodes(size_t count) {
  size_t capacity = 64;
  while (capacity < 2 * count)
    capacity *= 2;
  if (capacity > by_addr.capacity) {
    uint32_t *indices = meta_alloc(capacity * sizeof *indices);
    if (!indices)
      return false;
    by_addr.indices = indices;
    by_addr.capacity = capacity;
  }
  for (size_t i = 0; i < by_addr.capacity; i++)
    by_addr.indices[i] = 0;
  for (uint32_t i = 0; i < count; i++) {
    size_t at = hash_of(nodes[i].addr);
    while (by_addr.indices[at % by_addr.capacity])
      at++;
    by_addr.indices[at % by_addr.capacity] = i + 1;
  }
  return true;
}

static struct leak_node *
node_starting_at(uintptr_t addr) {
  for (size_t at = hash_of(addr);; at++) {
    uint32_t index = by_addr.indices[at % by_addr.capacity];
    if (!index || nodes[index - 1].addr == addr)
      return index ? &nodes[index - 1] : NULL;
  }
}

/* The node that a word points to or into, or NULL. */
static struct leak_node *
node_of_word(uintptr_t word) {
  size_t slot;
  const struct cgc_span *span = heap_map_find_slot(hull_untagged(word), &slot);
  return span ? node_starting_at(span_slot_addr(span, slot)) : NULL;
}

/* The one that starts as far from that node's start as the word says, or NULL. */
static struct leak_node *
node_at_distance(const struct leak_node *from, uintptr_t word) {
  uintptr_t addr = mark_relative_is_sought() ? mark_relative_target(from->addr, word) : 0;
  return addr ? node_starting_at(addr) : NULL;
}

/* ---- references ---- */

/* A block on the way of a search, and the place in it to be looked at next. */
struct visit {
  uint32_t node;
  size_t   at_bytes;
};

static struct visit *
last_visit(void) {
  return (struct visit *)visits.items + visits.count - 1;
}

static bool
begin_visit(struct leak_node *node) {
  struct visit *visit = array_add(&visits, sizeof *visit);
  if (visit)
    *visit = (struct visit){(uint32_t)(node - nodes), 0};
  return visit != NULL;
}

/* The next node that the block refers to, or NULL after the last. */
static struct leak_node *
next_reference(struct visit *visit) {
  const struct leak_node *node = &nodes[visit->node];
  size_t step_bytes = option(OPTION_PACKED) ? sizeof(uintptr_t) / 2 : sizeof(uintptr_t);
  while (node->has_pointers && visit->at_bytes + sizeof(uintptr_t) <= node->bytes) {
    uintptr_t word;
    memcpy(&word, (const char *)node->addr + visit->at_bytes, sizeof word);
    struct leak_node *target = node_of_word(word);
    if (!target && visit->at_bytes % sizeof word == 0)
      target = node_at_distance(node, word);
    visit->at_bytes += step_bytes;
    if (target)
      return target;
  }
  return NULL;
}

/* ---- components ---- */

static bool
reach(struct leak_node *node) {
  node->order = node->lowest_order = ++next_order;
  node->is_on_stack = true;
  return begin_visit(node) && array_add_word(&component, (uintptr_t)(node - nodes));
}

static uint32_t
last_of_component(void) {
  return (uint32_t)((uintptr_t *)component.items)[component.count - 1];
}

static bool
is_older(const struct leak_node *a, const struct leak_node *b) {
  if (a->record->time != b->record->time)
    return (int32_t)(a->record->time - b->record->time) < 0;
  return a->record->sequence < b->record->sequence;
}

/* The members are the last ones on the stack, from the root of the component on. */
static uint32_t
oldest_member(uint32_t root) {
  const uintptr_t *members = component.items;
  uint32_t oldest = root;
  for (size_t i = component.count; members[i - 1] != root; i--)
    if (is_older(&nodes[members[i - 1]], &nodes[oldest]))
      oldest = (uint32_t)members[i - 1];
  return oldest;
}

static void
end_component(uint32_t root) {
  uint32_t oldest = oldest_member(root), member;
  nodes[oldest].is_cycle = last_of_component() != root;
  do {
    member = last_of_component();
    component.count--;
    nodes[member].is_on_stack = false;
    nodes[member].representative = oldest;
  } while (member != root);
}

static void
note_reference(struct leak_node *from, const struct leak_node *to) {
  if (to->is_on_stack)
    from->lowest_order = (uint32_t)min_u64(from->lowest_order, to->order);
  else
    nodes[to->representative].has_parent = true;
}

static void
end_visit(void) {
  struct leak_node *node = &nodes[last_visit()->node];
  visits.count--;
  if (node->lowest_order == node->order)
    end_component((uint32_t)(node - nodes));
  if (!visits.count)
    return;
  struct leak_node *parent = &nodes[last_visit()->node];
  if (node->is_on_stack)
    parent->lowest_order = (uint32_t)min_u64(parent->lowest_order, node->lowest_order);
  else
    nodes[node->representative].has_parent = true;
}

static bool
find_components_from(struct leak_node *start) {
  if (!reach(start))
    return false;
  while (visits.count) {
    struct leak_node *node = &nodes[last_visit()->node], *target = next_reference(last_visit());
    if (!target)
      end_visit();
    else if (target->order)
      note_reference(node, target);
    else if (!reach(target))
      return false;
  }
  return true;
}

/* ---- what hangs off a block ---- */

static bool
claim(struct leak_node *node, struct leak_node *from, enum leak_kind kind) {
  node->is_claimed = true;
  node->kind = kind;
  from->reach_blocks++;
  from->reach_bytes += node->bytes;
  return begin_visit(node);
}

static bool
claim_all_from(struct leak_node *start, enum leak_kind kind, enum leak_kind kind_of_others) {
  if (!claim(start, start, kind))
    return false;
  while (visits.count) {
    struct leak_node *target = next_reference(last_visit());
    if (!target)
      visits.count--;
    else if (!target->is_claimed && !claim(target, start, kind_of_others))
      return false;
  }
  return true;
}

static bool
claim_doubtful(size_t count) {
  for (size_t i = 0; i < count; i++)
    if (nodes[i].is_doubtful && !nodes[i].is_claimed && !claim_all_from(&nodes[i], LEAK_DOUBTFUL, LEAK_DOUBTFUL))
      return false;
  return true;
}

/* ---- what an indirect leak hangs off ---- */

static uint32_t owner_stacks[LEAK_OWNERS_MAX];
static unsigned owner_count;

const uint32_t *
leak_graph_owner_stacks(void) {
  return owner_stacks;
}

static unsigned
owner_index(uint32_t stack) {
  enum { OTHERS = LEAK_OWNERS_MAX - 1 };
  if (!stack || stack == RECORD_STACK_NOT_SAMPLED)
    return OTHERS;
  for (unsigned i = 0; i < owner_count; i++)
    if (owner_stacks[i] == stack)
      return i;
  if (owner_count == OTHERS)
    return OTHERS;
  owner_stacks[owner_count] = stack;
  return owner_count++;
}

static bool
own(struct leak_node *node, uint64_t owner) {
  node->owners |= owner;
  return begin_visit(node);
}

static bool
own_all_from(struct leak_node *start) {
  uint64_t owner = (uint64_t)1 << owner_index(atom_int_load_rlx(&start->record->stack));
  if (!own(start, owner))
    return false;
  while (visits.count) {
    struct leak_node *target = next_reference(last_visit());
    if (!target)
      visits.count--;
    else if (target->kind == LEAK_INDIRECT && !(target->owners & owner) && !own(target, owner))
      return false;
  }
  return true;
}

static bool
find_owners(size_t count) {
  memset(owner_stacks, 0, sizeof owner_stacks);
  owner_count = 0;
  for (size_t i = 0; i < count; i++)
    if (nodes[i].kind == LEAK_DIRECT && !own_all_from(&nodes[i]))
      return false;
  return true;
}

/* ---- all ---- */

static bool
is_root(uint32_t index) {
  return nodes[index].representative == index && !nodes[index].has_parent && !nodes[index].is_claimed;
}

bool
leak_graph_classify(struct leak_node *given, size_t count) {
  nodes = given;
  next_order = 0;
  visits.count = component.count = 0;
  if (!index_nodes(count))
    return false;
  for (size_t i = 0; i < count; i++)
    if (!nodes[i].order && !find_components_from(&nodes[i]))
      return false;
  if (!claim_doubtful(count))
    return false;
  for (uint32_t i = 0; i < count; i++)
    if (is_root(i) && !claim_all_from(&nodes[i], LEAK_DIRECT, LEAK_INDIRECT))
      return false;
  return find_owners(count);
}
