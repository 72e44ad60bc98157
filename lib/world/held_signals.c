/* SPDX-License-Identifier: MIT */
#include "world/held_signals.h"

#include "base/atom.h"
#include "base/hull.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/platform.h"
#include "world/tasks.h"

#include <errno.h>

enum {
  SIGNALS = 64,
  FIRST_ORDERED_SIGNAL = 32,                              /* the kernel's SIGRTMIN */
  UNORDERED_VALUES_MAX = CGC_CONFIG_HOSTILE ? 16 : 4096,  /* of one queue */
  PRUNE_VALUES_MIN = CGC_CONFIG_HOSTILE ? 4 : 1024,
  PRUNE_QUEUES_MIN = CGC_CONFIG_HOSTILE ? 2 : 64,
};

struct held_queue {
  struct held_queue *next;
  int signal;              /* 0: unused */
  uintptr_t destination;
  int user_id;             /* of the process when it sent the first of them */
  size_t prune_count;      /* so many values are worth a look at what is pending */
  struct array values;     /* uintptr_t, in the order of sending */
};

struct held_notification {
  int message_queue;       /* -1: unused */
  uintptr_t value;
};

/* Taken with all signals blocked, so that no thread is stopped inside. */
static struct lock held_lock = LOCK_INITIALIZER(LOCK_RANK_HELD);

/* Lock: held_lock. */
static struct held_queue *queues;
static size_t queue_count, prune_queue_count = PRUNE_QUEUES_MIN;
static struct array notifications;   /* struct held_notification */

/* Atomic mask of signals with values that are not known. */
static atom_word lost_signals;

static uint64_t
bit_of(int signal) {
  return (uint64_t)1 << (signal - 1);
}

/* ---- what is pending ---- */

struct pending {
  uint64_t signals;
  uint64_t count_max;   /* of each signal and destination */
  int user_id;
};

static bool
add_pending(int tid, void *arg) {
  struct pending *pending = arg;
  struct task_signals signals;
  if (!tasks_read_signals(tid, &signals))
    signals = (struct task_signals){UINT64_MAX, UINT64_MAX, UINT64_MAX};
  pending->signals |= signals.pending | signals.shared_pending;
  if (pending->count_max < signals.queued)
    pending->count_max = signals.queued;
  return true;
}

static struct pending
read_pending(void) {
  struct pending pending = {.user_id = platform_user_id()};
  if (tasks_visit(add_pending, &pending))
    pending.signals = pending.count_max = UINT64_MAX;
  return pending;
}

static void
keep_last(struct array *values, uint64_t count) {
  uintptr_t *items = values->items;
  if (values->count <= count)
    return;
  for (size_t i = 0; i < count; i++)
    items[i] = items[values->count - count + i];
  values->count = (size_t)count;
}

/* Signals count for the user that the process had when they were sent. */
static void
prune_queue_locked(struct held_queue *queue, const struct pending *pending) {
  if (!(pending->signals & bit_of(queue->signal)))
    queue->values.count = 0;
  else if (queue->signal >= FIRST_ORDERED_SIGNAL && queue->user_id == pending->user_id)
    keep_last(&queue->values, pending->count_max);
  if (!queue->values.count)
    queue->signal = 0;
  queue->prune_count = queue->values.count < PRUNE_VALUES_MIN / 2 ? PRUNE_VALUES_MIN : queue->values.count * 2;
}

/* Returns what is pending. */
static uint64_t
prune_locked(void) {
  struct pending pending = read_pending();
  size_t used = 0;
  for (struct held_queue *queue = queues; queue; queue = queue->next) {
    if (queue->signal)
      prune_queue_locked(queue, &pending);
    used += queue->signal != 0;
  }
  prune_queue_count = used < PRUNE_QUEUES_MIN / 2 ? PRUNE_QUEUES_MIN : used * 2;
  return pending.signals;
}

/* ---- noting ---- */

/* For a signal of 0 an unused one, which sits in no particular place. */
static struct held_queue *
find_locked(int signal, uintptr_t destination) {
  struct held_queue *queue = queues;
  while (queue && (queue->signal != signal || (signal && queue->destination != destination)))
    queue = queue->next;
  return queue;
}

static struct held_queue *
new_queue_locked(void) {
  struct held_queue *queue = meta_alloc(sizeof *queue);
  if (!queue)
    return NULL;
  queue->next = queues;
  queues = queue;
  queue_count++;
  return queue;
}

static struct held_queue *
unused_queue_locked(void) {
  struct held_queue *queue = find_locked(0, 0);
  if (!queue && queue_count >= prune_queue_count) {
    prune_locked();
    queue = find_locked(0, 0);
  }
  return queue ? queue : new_queue_locked();
}

static struct held_queue *
take_queue_locked(int signal, uintptr_t destination) {
  struct held_queue *queue = find_locked(signal, destination);
  if (queue)
    return queue;
  queue = unused_queue_locked();
  if (queue) {
    queue->signal = signal;
    queue->destination = destination;
    queue->user_id = platform_user_id();
    queue->values.count = 0;
    queue->prune_count = PRUNE_VALUES_MIN;
  }
  return queue;
}

static bool
note_locked(int signal, uintptr_t destination, uintptr_t value) {
  struct held_queue *queue = take_queue_locked(signal, destination);
  if (queue && queue->values.count >= queue->prune_count) {
    prune_locked();
    queue = take_queue_locked(signal, destination);
  }
  if (!queue || (signal < FIRST_ORDERED_SIGNAL && queue->values.count == UNORDERED_VALUES_MAX))
    return false;
  return array_add_word(&queue->values, value);
}

uint64_t
held_signals_begin(void) {
  return lock_acquire_blocked(&held_lock);
}

void
held_signals_end(uint64_t mask, int signal, uintptr_t destination, uintptr_t value) {
  if (value && signal >= 1 && signal <= SIGNALS && !note_locked(signal, destination, value))
    held_signals_lose(signal);
  lock_release_blocked(&held_lock, mask);
}

void
held_signals_lose(int signal) {
  if (signal >= 1 && signal <= SIGNALS)
    atom_or_full(&lost_signals, bit_of(signal));
}

/* ---- message queues ---- */

static struct held_notification *
find_notification_locked(int message_queue) {
  struct held_notification *items = notifications.items;
  for (size_t i = 0; i < notifications.count; i++)
    if (items[i].message_queue == message_queue)
      return &items[i];
  return NULL;
}

static bool
reserve_locked(int message_queue) {
  if (find_notification_locked(message_queue))
    return true;
  struct held_notification *notification = find_notification_locked(-1);
  if (!notification)
    notification = array_add(&notifications, sizeof *notification);
  if (notification)
    *notification = (struct held_notification){message_queue, 0};
  return notification != NULL;
}

bool
held_signals_reserve(int message_queue) {
  uint64_t mask = lock_acquire_blocked(&held_lock);
  bool has_room = reserve_locked(message_queue);
  lock_release_blocked(&held_lock, mask);
  return has_room;
}

void
held_signals_set(int message_queue, uintptr_t value) {
  uint64_t mask = lock_acquire_blocked(&held_lock);
  struct held_notification *notification = find_notification_locked(message_queue);
  if (notification)
    *notification = (struct held_notification){value ? message_queue : -1, value};
  lock_release_blocked(&held_lock, mask);
}

/* ---- in a collection ---- */

static bool
add_queue_locked(struct array *words, const struct held_queue *queue) {
  const uintptr_t *values = queue->values.items;
  for (size_t i = 0; i < queue->values.count; i++)
    if (!array_add_word(words, values[i]))
      return false;
  return true;
}

static bool
add_all_locked(struct array *words) {
  const struct held_notification *items = notifications.items;
  for (const struct held_queue *queue = queues; queue; queue = queue->next)
    if (queue->signal && !add_queue_locked(words, queue))
      return false;
  for (size_t i = 0; i < notifications.count; i++)
    if (!array_add_word(words, items[i].value))
      return false;
  return true;
}

static bool
has_values_locked(void) {
  const struct held_queue *queue = queues;
  while (queue && !queue->signal)
    queue = queue->next;
  return queue || atom_load_rlx(&lost_signals);
}

static int
list_locked(struct array *words) {
  if (has_values_locked())
    atom_store_rlx(&lost_signals, atom_load_rlx(&lost_signals) & prune_locked());
  return atom_load_rlx(&lost_signals) || !add_all_locked(words) ? ENOMEM : 0;
}

/* The lock is free unless the call between begin and end has been replaced by one that allocates. */
int
held_signals_list_stw(struct array *words) {
  if (!lock_try_acquire(&held_lock))
    return EAGAIN;
  int err = list_locked(words);
  lock_release(&held_lock);
  return err;
}

void
held_signals_adopt_fork(void) {
  lock_reset(&held_lock);
  for (struct held_queue *queue = queues; queue; queue = queue->next)
    queue->signal = 0;
  notifications.count = 0;
  atom_store_rlx(&lost_signals, 0);
}
