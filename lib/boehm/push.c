/* SPDX-License-Identifier: MIT */
/*
 * bdwgc's mark stack does not exist here.  What the program pushes is marked, and queued with its span, at once; the
 * stack pointers that procedures take and return pass through unchanged.
 */
#include "boehm/push.h"

#include "boehm/disclaim.h"
#include "gc/mark_block.h"

#include <gc/gc.h>

/* Of the stop that goes on; NULL: none. */
static struct marker *stop_marker;

void
push_with(struct marker *marker) {
  stop_marker = marker;
}

/* Room that no procedure uses, as GC_mark_and_push uses none; but it may compare the two ends. */
void
push_by_procedure(struct marker *marker, GC_mark_proc procedure, GC_word *block, GC_word environment) {
  enum { ENTRIES = 256 };
  static struct GC_ms_entry *ends[ENTRIES];
  struct marker *before = stop_marker;
  push_with(marker);
  procedure(block, (struct GC_ms_entry *)ends, (struct GC_ms_entry *)(ends + ENTRIES), environment);
  push_with(before);
}

struct GC_ms_entry *
GC_mark_and_push(void *addr, struct GC_ms_entry *stack_pointer, struct GC_ms_entry *limit, void **source) {
  (void)limit, (void)source;
  if (stop_marker)
    mark_address(stop_marker, (uintptr_t)addr);
  return stack_pointer;
}

void
GC_push_all(void *start, void *end) {
  if (stop_marker)
    mark_memory(stop_marker, (uintptr_t)start, (uintptr_t)end);
}

/* As a stack: pointers to anywhere in a block count. */
void
GC_push_all_eager(void *start, void *end) {
  if (!stop_marker)
    return;
  bool takes_interior = stop_marker->takes_interior;
  mark_settle(stop_marker);
  stop_marker->takes_interior = true;
  mark_memory(stop_marker, (uintptr_t)start, (uintptr_t)end);
  mark_settle(stop_marker);
  stop_marker->takes_interior = takes_interior;
}

/* Which pages are written to is not asked: all may be. */
void
GC_push_conditional(void *start, void *end, int pushes_all) {
  (void)pushes_all;
  GC_push_all(start, end);
}

/* They are roots anyway. */
void
GC_push_finalizer_structures(void) {
}

/* ---- single marks: outside of stops there are none ---- */

int
GC_is_marked(const void *block) {
  return stop_marker ? mark_has((uintptr_t)block) : disclaim_is_kept_locked(block);
}

void
GC_set_mark_bit(const void *block) {
  if (stop_marker)
    mark_set_stw((uintptr_t)block);
  else
    disclaim_keep_locked(block);
}

void
GC_clear_mark_bit(const void *block) {
  if (stop_marker)
    mark_clear_stw((uintptr_t)block);
}

/* ---- other roots ---- */

static void
default_push_other_roots(void) {
}

/* Programs built for 8.2 read and write the variable itself. */
GC_API GC_push_other_roots_proc GC_push_other_roots;
GC_push_other_roots_proc GC_push_other_roots = default_push_other_roots;

bool
push_has_other_roots(void) {
  return GC_push_other_roots && GC_push_other_roots != default_push_other_roots;
}

void
push_other_roots(void) {
  if (push_has_other_roots())
    GC_push_other_roots();
}

void
GC_set_push_other_roots(GC_push_other_roots_proc function) {
  GC_push_other_roots = function;
}

GC_push_other_roots_proc
GC_get_push_other_roots(void) {
  return GC_push_other_roots;
}
