/* SPDX-License-Identifier: MIT */
#include "boehm/links.h"

#include "boehm/alloc_lock.h"
#include "boehm/key_table.h"
#include "boehm/messages.h"
#include "gc/mark_block.h"

#include <gc/gc.h>

struct link {
  uintptr_t hidden_link;     /* the word's address */
  uintptr_t hidden_block;
};

static struct key_table tables[LINK_LENGTHS] = {KEY_TABLE(struct link, false), KEY_TABLE(struct link, false)};

/* ---- registering ---- */

static int
add(enum link_length length, void **at, const void *block) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return GC_NO_MEMORY;
  struct link *link = key_table_find(&tables[length], hide_addr(at));
  int result = link ? GC_DUPLICATE : GC_SUCCESS;
  if (!link)
    link = key_table_add(&tables[length], hide_addr(at));
  if (link)
    link->hidden_block = hide_addr(block);
  alloc_lock_release(cache);
  return link ? result : GC_NO_MEMORY;
}

static int
add_checked(enum link_length length, void **at, const void *block, const char *complaint) {
  if (!block || (uintptr_t)at % sizeof *at)
    messages_abort(complaint);
  if (GC_find_leak)
    return GC_UNIMPLEMENTED;
  int result = add(length, at, block);
  if (result == GC_NO_MEMORY && GC_oom_fn(sizeof(struct link)))
    result = add(length, at, block);
  return result;
}

static int
take_out(enum link_length length, void **at) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return 0;
  struct link *link = key_table_find(&tables[length], hide_addr(at));
  if (link)
    key_table_remove(&tables[length], link);
  alloc_lock_release(cache);
  return link != NULL;
}

static int
move_locked(struct key_table *table, uintptr_t hidden_from, uintptr_t hidden_to) {
  struct link *link = key_table_find(table, hidden_from);
  if (!link)
    return GC_NOT_FOUND;
  if (hidden_from == hidden_to)
    return GC_SUCCESS;
  if (key_table_find(table, hidden_to))
    return GC_DUPLICATE;
  uintptr_t hidden_block = link->hidden_block;
  key_table_remove(table, link);
  link = key_table_add(table, hidden_to);   /* there is room, as one has gone */
  link->hidden_block = hidden_block;
  return GC_SUCCESS;
}

static int
move_link(enum link_length length, void **from, void **to, const char *complaint) {
  if ((uintptr_t)to % sizeof *to)
    messages_abort(complaint);
  struct thread_cache *cache = (uintptr_t)from % sizeof *from ? NULL : alloc_lock_acquire();
  if (!cache)
    return GC_NOT_FOUND;
  int result = move_locked(&tables[length], hide_addr(from), hide_addr(to));
  alloc_lock_release(cache);
  return result;
}

/* ---- the interface's ---- */

int
GC_general_register_disappearing_link(void **at, const void *block) {
  return add_checked(LINK_SHORT, at, block, "Bad arg to GC_general_register_disappearing_link");
}

int
GC_register_disappearing_link(void **at) {
  return add_checked(LINK_SHORT, at, GC_base(at), "Bad arg to GC_register_disappearing_link");
}

int
GC_unregister_disappearing_link(void **at) {
  return take_out(LINK_SHORT, at);
}

int
GC_move_disappearing_link(void **from, void **to) {
  return move_link(LINK_SHORT, from, to, "Bad new_link arg to GC_move_disappearing_link");
}

int
GC_register_long_link(void **at, const void *block) {
  return add_checked(LINK_LONG, at, block, "Bad arg to GC_register_long_link");
}

int
GC_unregister_long_link(void **at) {
  return take_out(LINK_LONG, at);
}

int
GC_move_long_link(void **from, void **to) {
  return move_link(LINK_LONG, from, to, "Bad new_link arg to GC_move_long_link");
}

size_t
links_count(enum link_length length) {
  return tables[length].count;
}

/* ---- the end of a mark ---- */

void
links_clear_stw(enum link_length length) {
  struct link *link;
  for (size_t place = 0; (link = key_table_at(&tables[length], &place));) {
    if (!mark_lacks(~link->hidden_block)) {
      place++;
      continue;
    }
    *(void **)reveal_addr(link->hidden_link) = NULL;
    key_table_remove(&tables[length], link);
  }
}

void
links_forget_dead_stw(enum link_length length) {
  struct link *link;
  for (size_t place = 0; (link = key_table_at(&tables[length], &place));)
    if (mark_lacks(~link->hidden_link))
      key_table_remove(&tables[length], link);
    else
      place++;
}
