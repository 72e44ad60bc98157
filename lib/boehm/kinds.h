/* SPDX-License-Identifier: MIT */
/*
 * Kinds of blocks.  The first two are the heap's own.  Those that the program makes have spans of their own, which a
 * cache for each kind hands out, under a lock; how their blocks are scanned is told by a descriptor (boehm/descriptor.h).
 */
#ifndef CGC_LIB_BOEHM_KINDS_H
#define CGC_LIB_BOEHM_KINDS_H

#include "boehm/alloc_lock.h"
#include "gc/client.h"

#include <gc/gc.h>
#include <gc/gc_disclaim.h>
#include <gc/gc_mark.h>

/* The numbers are part of the interface. */
enum block_kind {
  KIND_POINTER_FREE,
  KIND_NORMAL,
  KIND_UNCOLLECTABLE,
  KIND_POINTER_FREE_UNCOLLECTABLE,
  KIND_FIRST_MADE,
  KIND_MAX = 24,
};

/* A zeroed block of a kind (but for those without pointers), or NULL; the second in a slot of at least so many bytes
 * with none to spare, cleared by the kind's own rule. */
void *kinds_alloc(unsigned kind, size_t bytes);
void *kinds_alloc_slot(unsigned kind, size_t slot_bytes);
void *kinds_alloc_by_start(unsigned kind, size_t bytes);

/* A new kind, under the lock; KIND_MAX if there are too many, or no memory. */
unsigned kinds_make_locked(GC_word descriptor, bool adds_size, bool clears);

/* Calls a program's function for blocks of the kind that are about to be reclaimed (boehm/disclaim.h). */
void kinds_set_disclaim(unsigned kind, GC_disclaim_proc disclaim, bool keeps_referents);

struct kind_disclaim {
  GC_disclaim_proc call;   /* or NULL */
  bool keeps_referents;    /* what the block refers to must be there when it is called */
};

struct kind_disclaim kinds_disclaim(unsigned kind);

/* The kind of a block in that span. */
unsigned kinds_of_block(const struct cgc_span *span, const void *block);

/* The hooks of gc/client.h. */
void kinds_scan_block(struct marker *marker, const struct cgc_span *span, uintptr_t addr);
bool kinds_want_program(const struct cgc_span *span);
void kinds_adopt_span(struct cgc_span *span);
void kinds_adopt_fork(void);

/* Before a sweep: it judges no slot that a window holds. */
void kinds_close_windows_stw(void);

/* Calls visit for each allocated block of the kind in a stop. */
void kinds_visit_stw(unsigned kind, void (*visit)(void *block, bool is_marked));

#endif
