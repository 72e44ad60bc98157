/* SPDX-License-Identifier: MIT */
/*
 * The crew: threads that mark and sweep together with the collecting one.  They exist for the length of
 * one job only and are unknown to libc, so that no program ever sees them: setuid need not reach
 * them, main may leave them behind, and a fork finds none.
 */
#ifndef CGC_GC_CREW_H
#define CGC_GC_CREW_H

#include "base/atom.h"

enum { CREW_MAX = 8 };

/* How many threads a job of that size deserves, at least 1. */
unsigned crew_size_for(size_t bytes);

/* Runs work(i, arg) for i from 0 to count - 1, each on a thread of its own, 0 on the calling one; returns
 * when all have ended.  Runs fewer if threads cannot be made: returns how many ran.  `count` is
 * final before any work starts: crew_count(). */
unsigned crew_run(unsigned count, void (*work)(unsigned index, void *arg), void *arg);

/* Within work: how many threads do it. */
unsigned crew_count(void);

/* Processor time of all but the calling threads since the last call.  With the cycle lock, outside of a job. */
uint64_t crew_take_cpu_ns(void);

/* In a forked child. */
void crew_adopt_fork(void);

#endif
