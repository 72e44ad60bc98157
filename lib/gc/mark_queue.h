/* SPDX-License-Identifier: MIT */
/*
 * Spans that hold grey blocks: marked, but not scanned.  A span is queued once however many of its blocks are
 * grey, and waits, so that more of them turn grey meanwhile and are then scanned together (Go 1.26's collector marks
 * this way).  The spans are linked through themselves: the queue needs no memory.
 *
 * Each marker has lists of its own; what it can spare it shares when others wait.  Spans whose blocks only marker 0 may
 * scan (gc/client.h) are left to it in a list of their own.
 */
#ifndef CGC_GC_MARK_QUEUE_H
#define CGC_GC_MARK_QUEUE_H

#include "heap/span.h"

/* A thief takes at most so many spans. */
enum { MARK_STEAL_SPANS = CGC_CONFIG_HOSTILE ? 1 : 16 };

struct mark_list {
  struct cgc_span *first;
  struct cgc_span *last;    /* undefined if the list is empty */
  size_t count;
};

CGC_INLINE void
mark_list_append(struct mark_list *list, struct cgc_span *span) {
  span->mark_next = NULL;
  if (list->count++)
    list->last->mark_next = span;
  else
    list->first = span;
  list->last = span;
}

/* The first span, or NULL. */
CGC_INLINE struct cgc_span *
mark_list_take(struct mark_list *list) {
  struct cgc_span *span = list->first;
  if (span) {
    list->first = span->mark_next;
    list->count--;
  }
  return span;
}

/* Moves all spans of more to the front of list. */
CGC_INLINE void
mark_list_prepend(struct mark_list *list, struct mark_list *more) {
  if (!more->count)
    return;
  more->last->mark_next = list->count ? list->first : NULL;
  if (!list->count)
    list->last = more->last;
  list->first = more->first;
  list->count += more->count;
  *more = (struct mark_list){0};
}

/* Shares all spans of a list, and empties it. */
void mark_queue_share(struct mark_list *list);

/* Markers that have nothing to do, more or fewer by so many; those that have give some away. */
void mark_queue_want(int markers);
bool mark_queue_is_wanted(void);

/* Leaves a span to marker 0. */
void mark_queue_leave(struct cgc_span *span);

/* Moves shared spans to an empty list of that marker's; false if there are none for it. */
bool mark_queue_steal(unsigned marker_index, struct mark_list *list);
bool mark_queue_has_work_for(unsigned marker_index);

/* For any of them. */
bool mark_queue_has_work(void);

/* A mark was given up: what is shared is not grey any more. */
void mark_queue_forget(void);

/* In a forked child. */
void mark_queue_adopt_fork(void);

#endif
