/* SPDX-License-Identifier: MIT */
/**
 * The interface of the Boehm-Demers-Weiser collector, bdwgc 8.2: programs written for it compile with these headers and
 * run with cgc's libgc.so.1, as do those compiled with bdwgc's own.
 *
 * Most programs need GC_INIT, GC_MALLOC and GC_MALLOC_ATOMIC only.
 *
 * Contracts common to all functions, unless said otherwise:
 *   errno       Undefined afterwards.
 *   Threads     Any registered thread, at any time (see parts/threads.h).
 *   The lock    Is that of the allocator and the collector; most calls take it for a while.  A callback that is called
 *               with the lock held must not allocate, nor call what takes it.
 *   Signals     Not in handlers.
 *   Fork        In the child of a program of several threads as GC_set_handle_fork says.
 *   Variables   Deprecated but for the print procedures; each has functions that set and get it.
 *   Source      bdwgc 8.2.2.
 *
 * Parameters have no names, but in comments, because programs define macros of every name before they include this.
 */
#ifndef GC_H
#define GC_H

#include "gc_version.h"
#include "gc_config_macros.h"

#include "parts/base.h"
#include "parts/init.h"
#include "parts/allocate.h"
#include "parts/debug_allocate.h"
#include "parts/collect.h"
#include "parts/heap_size.h"
#include "parts/incremental.h"
#include "parts/events.h"
#include "parts/stats.h"
#include "parts/roots.h"
#include "parts/finalize.h"
#include "parts/links.h"
#include "parts/threads.h"
#include "parts/messages.h"
#include "parts/check.h"

#ifdef GC_PTHREADS
#include "gc_pthread_redirects.h"
#endif

#endif
