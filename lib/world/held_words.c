/* SPDX-License-Identifier: MIT */
#include "world/held_words.h"

#include "base/lock.h"

#include <errno.h>

/* Taken with all signals blocked, so that no thread is stopped inside. */
static struct lock held_lock = LOCK_INITIALIZER(LOCK_RANK_HELD);

/* Lock: held_lock. */
static struct array all;   /* struct held_words, in no order */

static bool
add_locked(const struct held_words *held) {
  struct held_words *added = array_add(&all, sizeof *added);
  if (added)
    *added = *held;
  return added != NULL;
}

static void
remove_all_locked(uintptr_t holder) {
  struct held_words *items = all.items;
  size_t kept = 0;
  for (size_t at = 0; at < all.count; at++)
    if (items[at].holder != holder)
      items[kept++] = items[at];
  all.count = kept;
}

bool
held_words_add(const struct held_words *held) {
  uint64_t mask = lock_acquire_blocked(&held_lock);
  bool is_added = add_locked(held);
  lock_release_blocked(&held_lock, mask);
  return is_added;
}

void
held_words_replace(const struct held_words *held) {
  uint64_t mask = lock_acquire_blocked(&held_lock);
  remove_all_locked(held->holder);
  add_locked(held);
  lock_release_blocked(&held_lock, mask);
}

static bool
is_same(const struct held_words *a, const struct held_words *b) {
  return a->holder == b->holder && a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

void
held_words_remove(const struct held_words *held) {
  uint64_t mask = lock_acquire_blocked(&held_lock);
  struct held_words *items = all.items;
  size_t at = 0;
  while (at < all.count && !is_same(&items[at], held))
    at++;
  if (at < all.count)
    items[at] = items[--all.count];
  lock_release_blocked(&held_lock, mask);
}

void
held_words_remove_all(uintptr_t holder) {
  uint64_t mask = lock_acquire_blocked(&held_lock);
  remove_all_locked(holder);
  lock_release_blocked(&held_lock, mask);
}

static int
list_locked(struct array *words) {
  const struct held_words *items = all.items;
  for (size_t at = 0; at < all.count; at++)
    if (!array_add_word(words, items[at].words[0]) || !array_add_word(words, items[at].words[1]))
      return ENOMEM;
  return 0;
}

/* The lock is free unless its holder sleeps in the kernel, on its way to more memory. */
int
held_words_list_stw(struct array *words) {
  if (!lock_try_acquire(&held_lock))
    return EAGAIN;
  int err = list_locked(words);
  lock_release(&held_lock);
  return err;
}

void
held_words_adopt_fork(void) {
  lock_reset(&held_lock);
  all.count = 0;
}
