/* SPDX-License-Identifier: MIT */
#include "gc/mark_queue.h"

#include "base/lock.h"

static struct lock queue_lock = LOCK_INITIALIZER(LOCK_RANK_PAGE_HEAP);

/* Lock: queue_lock, but whether there is something in it can be read without. */
struct shared_list {
  struct mark_list list;
  atom_int has_work;
};

static struct shared_list for_all, for_first;

static void
share(struct shared_list *shared, struct mark_list *list) {
  lock_acquire(&queue_lock);
  if (shared->list.count)
    shared->list.last->mark_next = list->first;
  else
    shared->list.first = list->first;
  shared->list.last = list->last;
  shared->list.count += list->count;
  atom_int_store_rel(&shared->has_work, 1);
  lock_release(&queue_lock);
  *list = (struct mark_list){0};
}

void
mark_queue_share(struct mark_list *list) {
  if (list->count)
    share(&for_all, list);
}

void
mark_queue_leave(struct cgc_span *span) {
  struct mark_list list = {0};
  mark_list_append(&list, span);
  share(&for_first, &list);
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

static bool
has_work(const struct shared_list *shared) {
  return atom_int_load_acq(&shared->has_work) != 0;
}

bool
mark_queue_has_work_for(unsigned marker_index) {
  return has_work(&for_all) || (marker_index == 0 && has_work(&for_first));
}

bool
mark_queue_has_work(void) {
  return mark_queue_has_work_for(0);
}

static void
steal(struct shared_list *shared, struct mark_list *list) {
  if (!has_work(shared))
    return;
  lock_acquire(&queue_lock);
  while (shared->list.count && list->count < MARK_STEAL_SPANS)
    mark_list_append(list, mark_list_take(&shared->list));
  atom_int_store_rel(&shared->has_work, shared->list.count != 0);
  lock_release(&queue_lock);
}

bool
mark_queue_steal(unsigned marker_index, struct mark_list *list) {
  if (marker_index == 0)
    steal(&for_first, list);
  steal(&for_all, list);
  return list->count != 0;
}

void
mark_queue_forget(void) {
  for_all = for_first = (struct shared_list){.list = {0}};
}

void
mark_queue_adopt_fork(void) {
  lock_reset(&queue_lock);
  atom_int_store_rlx(&wanting_markers, 0);
  mark_queue_forget();
}
