/* SPDX-License-Identifier: MIT */
/*
 * Threads of the program that mark for a while, instead of standing still, when they allocate faster than is marked.
 *
 * They join the markers of the collector where these share their work, and are counted: a mark ends only when nobody
 * assists.  An assistant holds nothing between two calls.
 */
#ifndef CGC_GC_ASSIST_H
#define CGC_GC_ASSIST_H

#include "gc/crew.h"
#include "heap/thread_cache.h"

#include <stdbool.h>
#include <stdint.h>

enum { ASSIST_MAX = 4 };

/* The markers of a mark may have these indices: those of the crew, and behind them the assistants'. */
enum { MARKERS_MAX = CREW_MAX + ASSIST_MAX };

/* ---- the collector's thread ---- */

/* From now on, until the end returns, threads may assist.  notes_seen as of a marker. */
void assist_begin(bool notes_seen);
void assist_end(void);

/* Nobody begins to assist from now on until assist_go_on.  True if nobody does any more.  Asked before the shared queue
 * is: who goes has shared what he had. */
bool assist_hold(void);
void assist_go_on(void);

/* Bytes that assistants have scanned since the last call. */
uint64_t assist_take_scanned_bytes(void);

/* ---- a thread of the program, in a slow path ---- */

/* Marks for about ns, as long as there is something to mark and no signal waits for the end of the slow path.  Returns
 * how long it did. */
uint64_t assist_for(struct thread_cache *cache, uint64_t ns);

/* In a forked child. */
void assist_adopt_fork(void);

#endif
