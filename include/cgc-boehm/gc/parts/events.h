/* SPDX-License-Identifier: MIT */
/**
 * Functions of the program's that are told of collections and of the heap's size.
 */
#ifndef CGC_BOEHM_EVENTS_H
#define CGC_BOEHM_EVENTS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  GC_EVENT_START,   /* of a collection */
  GC_EVENT_MARK_START,
  GC_EVENT_MARK_END,
  GC_EVENT_RECLAIM_START,
  GC_EVENT_RECLAIM_END,
  GC_EVENT_END,     /* of a collection */
  GC_EVENT_PRE_STOP_WORLD,
  GC_EVENT_POST_STOP_WORLD,
  GC_EVENT_PRE_START_WORLD,
  GC_EVENT_POST_START_WORLD,
  GC_EVENT_THREAD_SUSPENDED,
  GC_EVENT_THREAD_UNSUSPENDED
} GC_EventType;

/**
 * Called at each step of a collection, with the lock held and perhaps the world stopped.  NULL is none.  The setter and
 * the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_on_collection_event_proc)(GC_EventType);
GC_API void GC_CALL GC_set_on_collection_event(GC_on_collection_event_proc);
GC_API GC_on_collection_event_proc GC_CALL GC_get_on_collection_event(void);

#ifdef GC_THREADS
/**
 * Called for each thread (a pthread_t) that is stopped or goes on, with the lock held.  NULL is none.  The setter and
 * the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_on_thread_event_proc)(GC_EventType, void * /* thread */);
GC_API void GC_CALL GC_set_on_thread_event(GC_on_thread_event_proc);
GC_API GC_on_thread_event_proc GC_CALL GC_get_on_thread_event(void);
#endif

/**
 * Called when the heap has become larger or smaller, with the lock held and the world stopped.  NULL is none.  The
 * setter and the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_on_heap_resize_proc)(GC_word /* bytes */);
GC_API GC_ATTR_DEPRECATED GC_on_heap_resize_proc GC_on_heap_resize;
GC_API void GC_CALL GC_set_on_heap_resize(GC_on_heap_resize_proc);
GC_API GC_on_heap_resize_proc GC_CALL GC_get_on_heap_resize(void);

#ifdef __cplusplus
}
#endif

#endif
