/* SPDX-License-Identifier: MIT */
#include "gc/mark_queue.h"

#include "base/lock.h"

static struct lock queue_lock = LOCK_INITIALIZER(LOCK_RANK_PAGE_HEAP);

/* Lock: queue_lock. */
static struct mark_list shared;

/* Whether there is something in it; written under the lock. */
static atom_int has_work;

void
mark_queue_share(struct mark_list *list) {
  if (!list->count)
    return;
  lock_acquire(&queue_lock);
  if (shared.count)
    shared.last->mark_next = list->first;
  else
    shared.first = list->first;
  shared.last = list->last;
  shared.count += list->count;
  atom_int_store_rel(&has_work, 1);
  lock_release(&queue_lock);
  *list = (struct mark_list){0};
}

/* Atomic. */
static atom_int wanting_markers;

void
mark_queue_want(int count) {
  atom_int_add_full(&wanting_markers, count);
}

bool
mark_queue_is_wanted(void) {
  return atom_int_load_rlx(&wanting_markers) != 0;
}

bool
mark_queue_has_work(void) {
  return atom_int_load_acq(&has_work) != 0;
}

bool
mark_queue_steal(struct mark_list *list) {
  if (!mark_queue_has_work())
    return false;
  lock_acquire(&queue_lock);
  while (shared.count && list->count < MARK_STEAL_SPANS)
    mark_list_append(list, mark_list_take(&shared));
  atom_int_store_rel(&has_work, shared.count != 0);
  lock_release(&queue_lock);
  return list->count != 0;
}

void
mark_queue_forget(void) {
  shared = (struct mark_list){0};
  atom_int_store_rlx(&has_work, 0);
}

void
mark_queue_adopt_fork(void) {
  lock_reset(&queue_lock);
  atom_int_store_rlx(&wanting_markers, 0);
  mark_queue_forget();
}
