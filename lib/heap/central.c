/* SPDX-License-Identifier: MIT */
#include "heap/central.h"

#include "base/fatal.h"
#include "base/lock.h"
#include "heap/page_heap.h"
#include "heap/span_sweep.h"

#include <string.h>

struct central {
  /* Atomic. */
  struct span_owner owner;

  /* Lock: lock. */
  struct cgc_span *partial;
  struct cgc_span *full;
  struct cgc_span *pending;   /* taken off the remote spans, and not looked at yet; linked by remote_next */

  struct lock lock;
} CGC_ALIGNED(64);

enum { REMOTE_SPANS_STEP = CGC_CONFIG_HOSTILE ? 1 : 32 };

static struct central centrals[SPAN_CLASS_COUNT];

static struct cgc_span **
list_of(struct central *central, const struct cgc_span *span) {
  return span->state == SPAN_PARTIAL ? &central->partial : &central->full;
}

static void
link_locked(struct central *central, struct cgc_span *span) {
  span_ensure_swept(span);
  span_collect_remote(span);
  span->state = span_free_slots(span) ? SPAN_PARTIAL : SPAN_FULL;
  span_list_push(list_of(central, span), span);
}

/* Moves a listed span to where its free slots say, or to the page heap. */
static void
relink_locked(struct central *central, struct cgc_span *span) {
  span_list_remove(list_of(central, span), span);
  span_ensure_swept(span);
  span_collect_remote(span);
  if (span_free_slots(span) == span->slot_count)
    page_heap_free(span);
  else
    link_locked(central, span);
}

/* Some of the spans in which others freed slots: a sweep may have left very many.  False if there are none. */
static bool
collect_locked(struct central *central) {
  for (unsigned i = 0; i < REMOTE_SPANS_STEP; i++) {
    if (!central->pending)
      central->pending = span_owner_take_remote(&central->owner);
    struct cgc_span *span = central->pending;
    if (!span)
      return false;
    central->pending = span->remote_next;
    atom_int_store_rel(&span->is_remote_listed, 0);
    if (atom_load_rlx(&span->owner) == (uintptr_t)&central->owner)
      relink_locked(central, span);
    else
      span_list_remote(span);
  }
  return true;
}

static bool
has_remote(const struct central *central) {
  return central->pending || atom_load_rlx(&central->owner.remote_spans);
}

/* In between others get the lock. */
void
central_collect(unsigned span_class) {
  struct central *central = &centrals[span_class];
  for (bool has_more = has_remote(central); has_more;) {
    lock_acquire(&central->lock);
    has_more = collect_locked(central);
    lock_release(&central->lock);
  }
}

void
central_adopt(struct cgc_span *span) {
  struct central *central = &centrals[span->span_class];
  span_ensure_swept(span);
  span_collect_remote(span);
  if (span_free_slots(span) == span->slot_count) {
    page_heap_free(span);
    return;
  }
  lock_acquire(&central->lock);
  /* rel: the lists of the owner before no longer hold it; pairs with span_list_remote */
  atom_store_rel(&span->owner, (uintptr_t)&central->owner);
  link_locked(central, span);
  lock_release(&central->lock);
}

struct cgc_span *
central_take(unsigned span_class, struct span_owner *owner) {
  struct central *central = &centrals[span_class];
  if (!central->partial && !has_remote(central))
    return NULL;   /* usual, and a stale answer only costs a fresh span */
  lock_acquire(&central->lock);
  while (collect_locked(central) && !central->partial)
    ;
  struct cgc_span *span = central->partial;
  if (span) {
    span_list_remove(&central->partial, span);
    atom_store_rel(&span->owner, (uintptr_t)owner);
  }
  lock_release(&central->lock);
  return span;
}

void
central_reset(void) {
  for (unsigned i = 0; i < SPAN_CLASS_COUNT; i++) {
    struct central *central = &centrals[i];
    lock_reset(&central->lock);
    central->partial = central->full = central->pending = NULL;
    atom_store_rlx(&central->owner.remote_spans, 0);
  }
}
