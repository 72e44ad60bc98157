/* SPDX-License-Identifier: MIT */
/*
 * The variables that bdwgc 8.2 exports.  Programs built for it read and write them, some before GC_init: what counts is
 * what they hold when it is needed.
 */
#include "base/compiler.h"
#include "base/hull.h"
#include "boehm/messages.h"

#include <gc/gc.h>
#include <gc/gc_gcj.h>
#include <gc/gc_mark.h>

GC_word GC_gc_no;
int GC_parallel;
GC_oom_func GC_oom_fn = messages_no_memory;
GC_on_heap_resize_proc GC_on_heap_resize;
int GC_find_leak;
int GC_all_interior_pointers = 1;
int GC_finalize_on_demand;
int GC_java_finalization;
GC_finalizer_notifier_proc GC_finalizer_notifier;
int GC_dont_gc;
int GC_dont_expand;
int GC_use_entire_heap;
int GC_full_freq = 19;
GC_word GC_non_gc_bytes;
int GC_no_dls;
GC_word GC_free_space_divisor = 3;
GC_word GC_max_retries;
char *GC_stackbottom;
int GC_dont_precollect;
unsigned long GC_time_limit = GC_TIME_UNLIMITED;
int GC_gcj_kind;
int GC_gcj_debug_kind;

/* What the macro that marks compares with: all that the heap can ever be. */
void *GC_least_plausible_heap_addr = (void *)UINTPTR_MAX;
void *GC_greatest_plausible_heap_addr;

/* ---- internal to bdwgc, and of no effect here ---- */

enum { ARRAYS_BYTES = 0x2c9f0, FREE_LISTS = 129 };

CGC_EXPORT char GC_arrays[ARRAYS_BYTES] CGC_ALIGNED(32);

static void *no_free_lists[FREE_LISTS];
CGC_EXPORT void **GC_objfreelist_ptr = no_free_lists;
CGC_EXPORT void **GC_aobjfreelist_ptr = no_free_lists;
CGC_EXPORT void **GC_uobjfreelist_ptr = no_free_lists;
CGC_EXPORT void **GC_auobjfreelist_ptr = no_free_lists;
