/* SPDX-License-Identifier: MIT */
#include "boehm/disclaim.h"

#include "base/array.h"
#include "boehm/alloc.h"
#include "boehm/alloc_lock.h"
#include "boehm/key_table.h"
#include "boehm/kinds.h"
#include "gc/mark_block.h"

#include <gc/gc_disclaim.h>

/* A block that was found, until its function has been called.  Nobody else refers to it, and the collector keeps it by
 * marking it in each cycle. */
struct found {
  uintptr_t hidden;
  bool is_kept;   /* the program has set its mark meanwhile (gc_mark.h): its function will see that */
};

static struct key_table found = KEY_TABLE(struct found, false);

/* Guarded likewise: those that no thread has taken to call the function. */
static struct array to_call;   /* of words */

static bool exists;

bool
disclaim_exists(void) {
  return exists;
}

void
GC_register_disclaim_proc(int kind, GC_disclaim_proc function, int keeps_referents) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  kinds_set_disclaim((unsigned)kind, function, keeps_referents);
  exists = true;
  alloc_lock_release(cache);
}

/* ---- the end of a mark ---- */

static struct marker *marker_of_referents;

/* A block that another one refers to is not asked about before that one has gone. */
static void
mark_referents(void *block, bool is_marked) {
  if (!is_marked)
    mark_contents(marker_of_referents, (uintptr_t)block);
}

/* Without memory it is reclaimed without being asked about. */
static void
find(void *block, bool is_marked) {
  if (!is_marked && !key_table_find(&found, hide_addr(block)) && array_add_word(&to_call, (uintptr_t)block) &&
      !key_table_add(&found, hide_addr(block)))
    to_call.count--;
}

static void
find_of_kind(struct marker *marker, unsigned kind, bool keeps_referents) {
  marker_of_referents = marker;
  if (keeps_referents)
    kinds_visit_stw(kind, mark_referents);
  mark_finish(marker);
  kinds_visit_stw(kind, find);
}

/* With what they refer to, for the function may have them live on. */
static void
mark_found(struct marker *marker) {
  const struct found *block;
  for (size_t place = 0; (block = key_table_at(&found, &place)); place++)
    mark_revive_stw(marker, ~block->hidden);
  mark_finish(marker);
}

void
disclaim_find_stw(struct marker *marker) {
  if (!exists)
    return;
  for (unsigned kind = KIND_FIRST_MADE; kind < KIND_MAX; kind++) {
    struct kind_disclaim disclaim = kinds_disclaim(kind);
    if (disclaim.call)
      find_of_kind(marker, kind, disclaim.keeps_referents);
  }
  mark_found(marker);
}

/* ---- afterwards ---- */

/* With the lock held, as gc_disclaim.h has it: who looks a block up under the lock, and marks it, has it before its
 * function is called or finds that it has gone. */
static bool
is_given_up_locked(void *block) {
  if (!key_table_find(&found, hide_addr(block)))
    return false;   /* the program has freed it */
  bool is_kept = kinds_disclaim(heap_map_span((uintptr_t)block)->client_kind).call(block);
  key_table_remove(&found, key_table_find(&found, hide_addr(block)));
  return !is_kept;
}

/* False if there is none left. */
static bool
call_next(void) {
  struct thread_cache *cache = to_call.count ? alloc_lock_acquire() : NULL;
  if (!cache)
    return false;
  void *block = to_call.count ? (void *)((uintptr_t *)to_call.items)[--to_call.count] : NULL;
  bool is_given_up = block && is_given_up_locked(block);
  alloc_lock_release(cache);
  if (is_given_up)
    GC_free(block);   /* this variable has kept it */
  return block;
}

void
disclaim_call_all(void) {
  while (call_next())
    ;
}

void
disclaim_forget(const void *block) {
  struct thread_cache *cache = *(volatile size_t *)&found.count ? alloc_lock_acquire() : NULL;
  if (!cache)
    return;
  struct found *entry = key_table_find(&found, hide_addr(block));
  if (entry)
    key_table_remove(&found, entry);
  alloc_lock_release(cache);
}

bool
disclaim_keep_locked(const void *block) {
  struct found *entry = key_table_find(&found, hide_addr(block));
  if (entry)
    entry->is_kept = true;
  return entry != NULL;
}

bool
disclaim_is_kept_locked(const void *block) {
  const struct found *entry = key_table_find(&found, hide_addr(block));
  return entry && entry->is_kept;
}

/* ---- blocks with a closure that is called for them ---- */

static unsigned finalized_kind;

/* The word before what the program gets holds the closure, with a bit to tell it from a free block. */
enum { CLOSURE_TAG = 1 };

static int
call_closure(void *block) {
  uintptr_t word = *(uintptr_t *)block;
  if (word & CLOSURE_TAG) {
    const struct GC_finalizer_closure *closure = (const struct GC_finalizer_closure *)(word & ~(uintptr_t)CLOSURE_TAG);
    *(uintptr_t *)block = 0;
    closure->proc((uintptr_t *)block + 1, closure->cd);
  }
  return 0;
}

static void
make_finalized_kind_locked(void) {
  if (finalized_kind)
    return;
  finalized_kind = kinds_make_locked(GC_DS_LENGTH, true, true);
  kinds_set_disclaim(finalized_kind, call_closure, true);
  GC_register_displacement(CLOSURE_TAG);
  GC_register_displacement(sizeof(uintptr_t));
  exists = true;
}

void
GC_init_finalized_malloc(void) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  make_finalized_kind_locked();
  alloc_lock_release(cache);
}

void *
GC_finalized_malloc(size_t bytes, const struct GC_finalizer_closure *closure) {
  if (!finalized_kind)
    GC_init_finalized_malloc();
  uintptr_t *block = alloc_or_oom(kinds_alloc(finalized_kind, bytes + sizeof(uintptr_t)), bytes);
  if (!block)
    return NULL;
  *block = (uintptr_t)closure | CLOSURE_TAG;
  return block + 1;
}
