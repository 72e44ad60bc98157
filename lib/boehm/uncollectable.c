/* SPDX-License-Identifier: MIT */
#include "boehm/uncollectable.h"

#include "boehm/alloc.h"
#include "boehm/alloc_lock.h"
#include "boehm/key_table.h"
#include "gc/alloc.h"

struct uncollectable {
  uintptr_t addr;
};

static struct key_table listed = KEY_TABLE(struct uncollectable, true);

/* Without the lock: most programs have none, and free only what is theirs. */
static bool
may_have(void) {
  return *(volatile size_t *)&listed.count != 0;
}

static bool
note(const void *block) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return false;
  bool is_noted = key_table_add(&listed, (uintptr_t)block) != NULL;
  alloc_lock_release(cache);
  return is_noted;
}

void *
uncollectable_alloc(size_t bytes, bool is_pointer_free) {
  void *block = boehm_alloc(bytes, is_pointer_free);
  if (block && !note(block)) {
    free_block(block);
    return NULL;
  }
  return block;
}

bool
uncollectable_has(const void *block) {
  struct thread_cache *cache = may_have() ? alloc_lock_acquire() : NULL;
  if (!cache)
    return false;
  bool has = key_table_find(&listed, (uintptr_t)block) != NULL;
  alloc_lock_release(cache);
  return has;
}

bool
uncollectable_forget(const void *block) {
  struct thread_cache *cache = may_have() ? alloc_lock_acquire() : NULL;
  if (!cache)
    return false;
  void *item = key_table_find(&listed, (uintptr_t)block);
  if (item)
    key_table_remove(&listed, item);
  alloc_lock_release(cache);
  return item != NULL;
}

/* There is room for one in the place of the other. */
bool
uncollectable_replace(const void *block, const void *by) {
  return uncollectable_forget(block) && note(by);
}
