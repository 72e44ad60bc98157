/* SPDX-License-Identifier: MIT */
#include "record/stack_depot.h"

#include "base/arch_x86_64.h"
#include "base/atom.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/platform.h"

#include <string.h>

/* Numbers count units of 4 bytes, below RECORD_STACK_MARK. */
enum {
  UNIT_BYTES = 4,
  CHUNK_UNITS_LOG2 = 18,
  CHUNK_UNITS = 1 << CHUNK_UNITS_LOG2,
  CHUNKS_MAX = 1 << (31 - CHUNK_UNITS_LOG2),
  FIRST_SLOTS = CGC_CONFIG_HOSTILE ? 16 : 4096,
};

/* A slot holds the upper half of a hash, whose place it is, and the number; 0: free. */
struct depot_table {
  size_t mask;
  atom_word slots[];
};

/* Lock: depot_lock, but for reads of what is published. */
static struct lock depot_lock = LOCK_INITIALIZER(LOCK_RANK_DEPOT);
static uint8_t *chunks[CHUNKS_MAX];
static atom_word next_unit = 1;   /* 0 is no stack */
static size_t stack_count;
static atom_word table_word;      /* struct depot_table * */

static struct depot_table *
table_now(void) {
  return (struct depot_table *)atom_load_acq(&table_word);   /* pairs with grow_locked */
}

/* ---- sites ---- */

static size_t
site_bytes(uint32_t site) {
  return site < 1 << 7 ? 1 : site < 1 << 14 ? 2 : site < 1 << 21 ? 3 : site < 1 << 28 ? 4 : 5;
}

static void
write_sites(uint8_t *to, const uint32_t *sites, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t rest = sites[i];
    for (; rest >= 1 << 7; rest >>= 7)
      *to++ = (uint8_t)(rest | 1 << 7);
    *to++ = (uint8_t)rest;
  }
}

static const uint8_t *
read_site(const uint8_t *from, uint32_t *site) {
  *site = 0;
  for (unsigned shift = 0;; shift += 7) {
    uint8_t byte = *from++;
    *site |= (uint32_t)(byte & 0x7f) << shift;
    if (!(byte & 1 << 7))
      return from;
  }
}

/* ---- stacks ---- */

const struct depot_stack *
stack_depot_at(uint32_t number) {
  return (const struct depot_stack *)(chunks[number >> CHUNK_UNITS_LOG2] + (size_t)(number % CHUNK_UNITS) * UNIT_BYTES);
}

bool
stack_depot_take_turn(uint32_t number, uint8_t turn) {
  struct depot_stack *stack = (struct depot_stack *)stack_depot_at(number);
  bool is_first = stack->turn != turn;
  stack->turn = turn;
  return is_first;
}

static unsigned
frame_count(const struct depot_stack *stack) {
  return stack->shared_frames + stack->own_frames;
}

/* Of the stack's own frames all but the innermost ones. */
static unsigned
read_own(const struct depot_stack *stack, unsigned skipped, uint32_t *sites) {
  const uint8_t *at = stack->sites;
  uint32_t site;
  for (unsigned i = 0; i < stack->own_frames; i++) {
    at = read_site(at, &site);
    if (i >= skipped)
      sites[i - skipped] = site;
  }
  return stack->own_frames - skipped;
}

unsigned
stack_depot_read(uint32_t number, uint32_t *sites) {
  const struct depot_stack *stack = stack_depot_at(number);
  unsigned total = frame_count(stack), done = 0;
  for (;;) {   /* of this stack the outermost frames, so many as are not done */
    unsigned skipped = frame_count(stack) - (total - done);
    if (skipped < stack->own_frames)
      done += read_own(stack, skipped, sites + done);
    if (done == total)
      return total;
    stack = stack_depot_at(stack->parent);
  }
}

/* A stack lies in one chunk. */
static uint32_t
take_units_locked(size_t units) {
  size_t number = atom_load_rlx(&next_unit);
  if (number % CHUNK_UNITS + units > CHUNK_UNITS)
    number = round_up(number, CHUNK_UNITS);
  size_t chunk = number >> CHUNK_UNITS_LOG2;
  if (chunk >= CHUNKS_MAX)
    return 0;
  if (!chunks[chunk])
    chunks[chunk] = meta_alloc((size_t)CHUNK_UNITS * UNIT_BYTES);
  if (!chunks[chunk])
    return 0;
  atom_store_rlx(&next_unit, number + units);
  return (uint32_t)number;
}

/* The stack that holds the outermost of those frames itself: then few steps lead to each. */
static uint32_t
owner_of(uint32_t parent, unsigned shared_frames) {
  while (parent && shared_frames <= stack_depot_at(parent)->shared_frames)
    parent = stack_depot_at(parent)->parent;
  return shared_frames ? parent : 0;
}

static uint32_t
store_locked(uint64_t hash, const struct depot_stack *head, const uint32_t *own_sites) {
  size_t bytes = offsetof(struct depot_stack, sites);
  for (size_t i = 0; i < head->own_frames; i++)
    bytes += site_bytes(own_sites[i]);
  uint32_t number = take_units_locked((bytes + UNIT_BYTES - 1) / UNIT_BYTES);
  if (!number)
    return 0;
  struct depot_stack *stack = (struct depot_stack *)stack_depot_at(number);
  memcpy(stack, head, offsetof(struct depot_stack, sites));
  stack->hash_low = (uint32_t)hash;
  stack->parent = owner_of(head->parent, head->shared_frames);
  write_sites(stack->sites, own_sites, head->own_frames);
  return number;
}

/* ---- the table ---- */

/* Whether it is that hash's; its lower half is with the stack. */
static bool
is_slot_of(uint64_t slot, uint64_t hash) {
  return slot >> 32 == hash >> 32 && stack_depot_at((uint32_t)slot)->hash_low == (uint32_t)hash;
}

/* What the table holds for that hash; 0: nothing. */
static uint64_t
slot_of(const struct depot_table *table, uint64_t hash) {
  for (size_t i = hash >> 32;; i++) {
    uint64_t slot = atom_load_acq(&table->slots[i & table->mask]);   /* pairs with put: the stack is complete */
    if (!slot || is_slot_of(slot, hash))
      return slot;
  }
}

static void
put(struct depot_table *table, uint64_t slot) {
  size_t at = slot >> 32;
  while (atom_load_rlx(&table->slots[at & table->mask]))
    at++;
  atom_store_rel(&table->slots[at & table->mask], slot);   /* pairs with slot_of */
}

/* Who still reads the old one finds nothing, and looks again with the lock. */
static void
discard(struct depot_table *table) {
  uintptr_t start_addr = round_up((uintptr_t)table->slots, ARCH_PAGE_BYTES);
  uintptr_t end_addr = round_down((uintptr_t)(table->slots + table->mask + 1), ARCH_PAGE_BYTES);
  if (start_addr < end_addr)
    platform_discard(start_addr, end_addr - start_addr);
}

static bool
grow_locked(void) {
  struct depot_table *old = table_now();
  size_t slots = old ? 2 * (old->mask + 1) : FIRST_SLOTS;
  struct depot_table *table = meta_alloc(sizeof *table + slots * sizeof table->slots[0]);
  if (!table)
    return false;
  table->mask = slots - 1;
  for (size_t i = 0; old && i <= old->mask; i++) {
    uint64_t slot = atom_load_rlx(&old->slots[i]);
    if (slot)
      put(table, slot);
  }
  atom_store_rel(&table_word, (uintptr_t)table);   /* pairs with table_now */
  if (old)
    discard(old);
  return true;
}

/* At most three quarters full. */
static bool
has_room_locked(void) {
  struct depot_table *table = table_now();
  return (table && stack_count < (table->mask + 1) / 4 * 3) || grow_locked();
}

/* Without room in the table the stack is there, and is stored anew the next time. */
static void
index_locked(uint64_t hash, uint32_t number) {
  if (!has_room_locked())
    return;
  put(table_now(), hash >> 32 << 32 | number);
  stack_count++;
}

uint32_t
stack_depot_find(uint64_t hash) {
  const struct depot_table *table = table_now();
  return table ? (uint32_t)slot_of(table, hash) : 0;
}

uint32_t
stack_depot_add(uint64_t hash, const struct depot_stack *head, const uint32_t *own_sites) {
  lock_acquire(&depot_lock);
  uint32_t number = stack_depot_find(hash);   /* another thread's, or moved to a larger table */
  if (!number && (number = store_locked(hash, head, own_sites)))
    index_locked(hash, number);
  lock_release(&depot_lock);
  return number;
}

void
stack_depot_adopt_fork(void) {
  lock_reset(&depot_lock);
}
