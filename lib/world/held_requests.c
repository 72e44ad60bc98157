/* SPDX-License-Identifier: MIT */
#include "world/held_requests.h"

#include "base/lock.h"

#include <errno.h>

/* Taken with all signals blocked, so that no thread is stopped inside. */
static struct lock requests_lock = LOCK_INITIALIZER(LOCK_RANK_HELD);

/* Lock: requests_lock. */
static struct array requests;   /* struct held_request, in no order */

bool
held_requests_add(const struct held_request *request) {
  uint64_t mask = lock_acquire_blocked(&requests_lock);
  struct held_request *added = array_add(&requests, sizeof *added);
  if (added)
    *added = *request;
  lock_release_blocked(&requests_lock, mask);
  return added != NULL;
}

static bool
is_same(const struct held_request *a, const struct held_request *b) {
  return a->context == b->context && a->request == b->request && a->data == b->data;
}

void
held_requests_remove(const struct held_request *request) {
  uint64_t mask = lock_acquire_blocked(&requests_lock);
  struct held_request *items = requests.items;
  size_t at = 0;
  while (at < requests.count && !is_same(&items[at], request))
    at++;
  if (at < requests.count)
    items[at] = items[--requests.count];
  lock_release_blocked(&requests_lock, mask);
}

void
held_requests_remove_context(uintptr_t context) {
  uint64_t mask = lock_acquire_blocked(&requests_lock);
  struct held_request *items = requests.items;
  size_t kept = 0;
  for (size_t at = 0; at < requests.count; at++)
    if (items[at].context != context)
      items[kept++] = items[at];
  requests.count = kept;
  lock_release_blocked(&requests_lock, mask);
}

static int
list_locked(struct array *words) {
  const struct held_request *items = requests.items;
  for (size_t at = 0; at < requests.count; at++)
    if (!array_add_word(words, items[at].request) || !array_add_word(words, items[at].data))
      return ENOMEM;
  return 0;
}

/* The lock is free unless its holder sleeps in the kernel, on its way to more memory. */
int
held_requests_list_stw(struct array *words) {
  if (!lock_try_acquire(&requests_lock))
    return EAGAIN;
  int err = list_locked(words);
  lock_release(&requests_lock);
  return err;
}

void
held_requests_adopt_fork(void) {
  lock_reset(&requests_lock);
  requests.count = 0;
}
