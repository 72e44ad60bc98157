/* SPDX-License-Identifier: MIT */
#include "gc/mark_queue.h"

#include "base/fault.h"
#include "base/lock.h"
#include "base/meta.h"

/* One lock for both lists: taken once per buffer, not per item. */
static struct lock queue_lock = LOCK_INITIALIZER(LOCK_RANK_PAGE_HEAP);

/* Lock: queue_lock; `shared` is also looked at without it. */
static atom_word shared;
static struct mark_buffer *empty;

static atom_int was_dropped;

struct mark_buffer *
mark_queue_get_empty(void) {
  lock_acquire(&queue_lock);
  struct mark_buffer *buffer = empty;
  if (buffer)
    empty = buffer->next;
  lock_release(&queue_lock);
  if (!buffer)
    buffer = meta_alloc(sizeof *buffer);
  if (buffer)
    buffer->count = 0;
  return buffer;
}

void
mark_queue_put_empty(struct mark_buffer *buffer) {
  lock_acquire(&queue_lock);
  buffer->next = empty;
  empty = buffer;
  lock_release(&queue_lock);
}

void
mark_queue_share(struct mark_buffer *buffer) {
  lock_acquire(&queue_lock);
  buffer->next = (struct mark_buffer *)atom_load_rlx(&shared);
  atom_store_rel(&shared, (uintptr_t)buffer);
  lock_release(&queue_lock);
}

bool
mark_queue_has_work(void) {
  return atom_load_acq(&shared) != 0;
}

struct mark_buffer *
mark_queue_steal(void) {
  if (!mark_queue_has_work())
    return NULL;
  lock_acquire(&queue_lock);
  struct mark_buffer *buffer = (struct mark_buffer *)atom_load_rlx(&shared);
  if (buffer)
    atom_store_rlx(&shared, (uintptr_t)buffer->next);
  lock_release(&queue_lock);
  return buffer;
}

void
mark_queue_note_drop(void) {
  atom_int_store_rel(&was_dropped, 1);
}

bool
mark_queue_take_drop(void) {
  return atom_int_swap_full(&was_dropped, 0) != 0;
}

void
mark_queue_adopt_fork(void) {
  lock_reset(&queue_lock);
  atom_store_rlx(&shared, 0);
  empty = NULL;
  atom_int_store_rlx(&was_dropped, 0);
}
