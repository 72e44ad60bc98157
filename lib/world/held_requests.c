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

/* The lock is free: its holders cannot be stopped. */
int
held_requests_list_stw(struct array *words) {
  const struct held_request *items = requests.items;
  for (size_t at = 0; at < requests.count; at++)
    for (int i = 0; i < 2; i++) {
      uintptr_t *added = array_add(words, sizeof *added);
      if (!added)
        return ENOMEM;
      *added = i ? items[at].data : items[at].request;
    }
  return 0;
}

void
held_requests_adopt_fork(void) {
  lock_reset(&requests_lock);
  requests.count = 0;
}
