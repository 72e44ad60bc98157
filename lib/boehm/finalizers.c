/* SPDX-License-Identifier: MIT */
#include "boehm/finalizers.h"

#include "base/array.h"
#include "boehm/alloc.h"
#include "boehm/alloc_lock.h"
#include "boehm/key_table.h"
#include "boehm/messages.h"
#include "boehm/settings.h"
#include "gc/mark_block.h"
#include "world/roots.h"

#include <string.h>

struct entry {
  uintptr_t hidden;   /* the block */
  struct finalizer finalizer;
  uintptr_t order;
  uint64_t referent_bytes;   /* marked for it, in the mark that ends */
};

/* The blocks are hidden, what the functions are to get is not. */
static struct key_table waiting = KEY_TABLE(struct entry, true);

/* A queue of blocks whose function is to be run.  They are roots by what is marked in a stop, and by that array. */
struct ready {
  void *block;
  struct finalizer finalizer;
  uintptr_t order;
};

static struct {
  struct array items;      /* struct ready */
  size_t next;             /* to be run */
  void *registered;        /* the array's memory that is listed as roots */
  size_t registered_bytes;
} queue;

static atom_word ready_count;

/* ---- registering ---- */

bool
finalizers_set(void *block, struct finalizer finalizer, enum finalizer_order order, struct finalizer *before) {
  *before = (struct finalizer){NULL, NULL};
  struct thread_cache *cache = alloc_span_of(block) ? alloc_lock_acquire() : NULL;
  if (!cache)
    return true;
  uintptr_t hidden = hide_addr(block);
  struct entry *entry = key_table_find(&waiting, hidden);
  if (entry)
    *before = entry->finalizer;
  bool has_memory = true;
  if (!finalizer.function) {
    if (entry)
      key_table_remove(&waiting, entry);
  } else {
    entry = entry ? entry : key_table_add(&waiting, hidden);
    has_memory = entry != NULL;
    if (entry)
      *entry = (struct entry){hidden, finalizer, order, 0};
  }
  alloc_lock_release(cache);
  return has_memory;
}

void
finalizers_forget(const void *block) {
  if (!*(volatile size_t *)&waiting.count)
    return;
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return;
  struct entry *entry = key_table_find(&waiting, hide_addr(block));
  if (entry)
    key_table_remove(&waiting, entry);
  alloc_lock_release(cache);
}

size_t
finalizers_count(void) {
  return waiting.count;
}

/* ---- the queue ---- */

/* The array moves as it grows.  In a stop the roots are listed already: what is added is marked by hand. */
static bool
register_queue(void) {
  size_t bytes = queue.items.capacity * sizeof(struct ready);
  if (queue.items.items == queue.registered)
    return true;
  if (roots_add((uintptr_t)queue.items.items, (uintptr_t)queue.items.items + bytes))
    return false;
  if (queue.registered)
    roots_remove((uintptr_t)queue.registered, (uintptr_t)queue.registered + queue.registered_bytes);
  queue.registered = queue.items.items;
  queue.registered_bytes = bytes;
  return true;
}

/* All have been run: it begins anew. */
static void
rewind_queue(void) {
  if (queue.next == queue.items.count)
    queue.next = queue.items.count = 0;
}

static bool
make_ready(const struct entry *entry) {
  struct ready *ready = array_add(&queue.items, sizeof *ready);
  if (!ready)
    return false;
  *ready = (struct ready){reveal_addr(entry->hidden), entry->finalizer, entry->order};
  if (!register_queue()) {
    queue.items.count--;
    return false;
  }
  atom_add_full(&ready_count, 1);
  return true;
}

bool
finalizers_are_ready(void) {
  return atom_load_rlx(&ready_count) != 0;
}

size_t
finalizers_ready_count(void) {
  return atom_load_rlx(&ready_count);
}

static bool
take_ready(struct ready *taken) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return false;
  bool has_one = queue.next < queue.items.count;
  if (has_one) {
    struct ready *ready = (struct ready *)queue.items.items + queue.next++;
    *taken = *ready;
    *ready = (struct ready){NULL, {NULL, NULL}, 0};
    atom_add_full(&ready_count, (uintptr_t)-1);
  }
  alloc_lock_release(cache);
  return has_one;
}

int
finalizers_run(void) {
  struct ready ready;
  int count = 0;
  for (; finalizers_are_ready() && take_ready(&ready); count++)
    ready.finalizer.function(ready.block, ready.finalizer.data);
  return count;
}

void
finalizers_make_all_ready(void) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return;
  rewind_queue();
  struct entry *entry;
  for (size_t place = 0; (entry = key_table_at(&waiting, &place)) && make_ready(entry);)
    key_table_remove(&waiting, entry);
  alloc_lock_release(cache);
}

/* ---- the end of a mark ---- */

/* What is not a block any more has been freed. */
static bool
is_reached(const struct entry *entry) {
  return mark_has(~entry->hidden);
}

/* What the block refers to is kept for it; if that leads back to it, it is not finalized. */
static void
mark_referents(struct marker *marker, const struct entry *entry) {
  uintptr_t addr = ~entry->hidden;
  bool ignores_self = entry->order == FINALIZER_IGNORE_SELF;
  if (ignores_self)
    mark_set_stw(addr);
  mark_contents(marker, addr);
  mark_settle(marker);
  if (ignores_self)
    mark_clear_stw(addr);
  mark_finish(marker);
}

static bool
keeps_referents_first(const struct entry *entry) {
  return entry->order != FINALIZER_NO_ORDER;
}

static void
mark_all_referents(struct marker *marker) {
  struct entry *entry;
  for (size_t place = 0; (entry = key_table_at(&waiting, &place)); place++) {
    if (!keeps_referents_first(entry) || is_reached(entry))
      continue;
    uint64_t before_bytes = marker->marked_bytes;
    mark_referents(marker, entry);
    entry->referent_bytes = marker->marked_bytes - before_bytes;
    if (is_reached(entry))
      messages_note_cycle_stw(~entry->hidden);
  }
}

/* Those that nothing has led to, all of them before anything is marked on their behalf.  Returns what has been marked for
 * them so far. */
static uint64_t
queue_unreached(void) {
  struct entry *entry;
  uint64_t referent_bytes = 0;
  for (size_t place = 0; (entry = key_table_at(&waiting, &place));) {
    if (is_reached(entry) || !make_ready(entry)) {
      place++;
      continue;
    }
    if (settings.await_finalize)
      settings.await_finalize(reveal_addr(entry->hidden));
    referent_bytes += entry->referent_bytes;
    key_table_remove(&waiting, entry);
  }
  return referent_bytes;
}

static void
mark_ready(struct marker *marker, const struct ready *ready) {
  mark_revive_stw(marker, (uintptr_t)ready->block);
  mark_finish(marker);
}

/* One that is finalized in no order refers to it, so it has to wait.  False if there is no memory. */
static bool
put_back(const struct ready *ready) {
  struct entry *entry = key_table_add(&waiting, hide_addr(ready->block));
  if (!entry)
    return false;
  *entry = (struct entry){hide_addr(ready->block), ready->finalizer, ready->order, 0};
  atom_add_full(&ready_count, (uintptr_t)-1);
  return true;
}

/* Those of the queue from there on: first what no order keeps back, and then the others. */
static void
revive_ready(struct marker *marker, size_t first) {
  struct ready *items = queue.items.items;
  for (size_t i = first; i < queue.items.count; i++)
    if (items[i].order != FINALIZER_UNREACHABLE)
      mark_ready(marker, &items[i]);
  size_t kept = first;
  for (size_t i = first; i < queue.items.count; i++) {
    struct ready ready = items[i];
    bool must_wait = ready.order == FINALIZER_UNREACHABLE && mark_has((uintptr_t)ready.block);
    if (must_wait && put_back(&ready))
      continue;
    if (ready.order == FINALIZER_UNREACHABLE)
      mark_ready(marker, &ready);
    items[kept++] = ready;
  }
  memset(items + kept, 0, (queue.items.count - kept) * sizeof *items);   /* the array is roots to its end */
  queue.items.count = kept;
}

/* Of what is marked here, what is kept for ready ones is garbage that is still there; what others keep, as finalizers in
 * a cycle do for ever, lives on. */
void
finalizers_conclude_stw(struct marker *marker) {
  uint64_t before_bytes = marker->marked_bytes;
  mark_all_referents(marker);
  rewind_queue();
  size_t first = queue.items.count;
  marker->marked_bytes = before_bytes + queue_unreached();
  revive_ready(marker, first);
}
