/* SPDX-License-Identifier: MIT */
#include "world/held_returns.h"

#include "base/hull.h"
#include "base/lock.h"

#include <errno.h>

struct held_return {
  uintptr_t thread;   /* pthread_t */
  uintptr_t value;    /* in the hull */
};

/* Taken with all signals blocked, so that no thread is stopped inside. */
static struct lock returns_lock = LOCK_INITIALIZER(LOCK_RANK_HELD);

/* Lock: returns_lock. */
static struct array returns;   /* struct held_return, in no order, one for each thread */

static bool
may_be_block(uintptr_t value) {
  return value - hull.base_addr < HULL_BYTES;
}

static struct held_return *
find_locked(uintptr_t thread) {
  struct held_return *items = returns.items;
  for (size_t at = 0; at < returns.count; at++)
    if (items[at].thread == thread)
      return &items[at];
  return NULL;
}

void
held_returns_add(uintptr_t thread, uintptr_t value) {
  if (!may_be_block(value))
    return;
  uint64_t mask = lock_acquire_blocked(&returns_lock);
  struct held_return *entry = find_locked(thread);
  if (!entry)
    entry = array_add(&returns, sizeof *entry);
  if (entry)
    *entry = (struct held_return){thread, value};
  lock_release_blocked(&returns_lock, mask);
}

/* By now it may stand for another thread. */
void
held_returns_remove(uintptr_t thread, uintptr_t value) {
  if (!may_be_block(value))
    return;
  uint64_t mask = lock_acquire_blocked(&returns_lock);
  struct held_return *items = returns.items, *entry = find_locked(thread);
  if (entry && entry->value == value)
    *entry = items[--returns.count];
  lock_release_blocked(&returns_lock, mask);
}

static int
list_locked(struct array *words) {
  const struct held_return *items = returns.items;
  for (size_t at = 0; at < returns.count; at++)
    if (!array_add_word(words, items[at].value))
      return ENOMEM;
  return 0;
}

/* The lock is free unless its holder sleeps in the kernel, on its way to more memory. */
int
held_returns_list_stw(struct array *words) {
  if (!lock_try_acquire(&returns_lock))
    return EAGAIN;
  int err = list_locked(words);
  lock_release(&returns_lock);
  return err;
}

void
held_returns_adopt_fork(void) {
  lock_reset(&returns_lock);
  returns.count = 0;
}
