/* SPDX-License-Identifier: MIT */
/* Checked arithmetic with addresses: what is wrong is told to a function of the program's. */
#include "boehm/alloc.h"
#include "boehm/messages.h"
#include "boehm/start.h"
#include "gc/mark_block.h"

#include <gc/gc.h>

static void
report_other_block(void *one, void *other) {
  GC_err_printf("GC_same_obj test failed: %p and %p are not in the same object\n", one, other);
  messages_abort("GC_same_obj test failed");
}

static void
report_displacement(void *addr) {
  GC_err_printf("GC_is_valid_displacement test failed: %p\n", addr);
  messages_abort("GC_is_valid_displacement test failed");
}

static void
report_invisible(void *addr) {
  GC_err_printf("GC_is_visible test failed: %p\n", addr);
  messages_abort("GC_is_visible test failed");
}

CGC_EXPORT void (*GC_same_obj_print_proc)(void *, void *) = report_other_block;
CGC_EXPORT void (*GC_is_valid_displacement_print_proc)(void *) = report_displacement;
CGC_EXPORT void (*GC_is_visible_print_proc)(void *) = report_invisible;

void *
GC_same_obj(void *one, void *other) {
  start_once();
  const void *base = GC_base(one);
  if (base != GC_base(other))
    GC_same_obj_print_proc(one, other);
  return one;
}

void *
GC_is_valid_displacement(void *addr) {
  start_once();
  const char *base = GC_base(addr);
  if (!base || GC_all_interior_pointers)
    return addr;
  size_t offset = (size_t)((char *)addr - base);
  if (offset >= MARK_OFFSETS || !mark_offsets.is_valid[offset])
    GC_is_valid_displacement_print_proc(addr);
  return addr;
}

/* The result must count as a pointer, too. */
static void *
advanced(char *from, ptrdiff_t bytes) {
  return GC_is_valid_displacement(GC_same_obj(from + bytes, from));
}

void *
GC_pre_incr(void **at, ptrdiff_t bytes) {
  return *at = advanced(*at, bytes);
}

void *
GC_post_incr(void **at, ptrdiff_t bytes) {
  void *before = *at;
  *at = advanced(before, bytes);
  return before;
}

/* Where roots lie is found in a stop only; what is no heap of ours is taken for one. */
void *
GC_is_visible(void *at) {
  start_once();
  if ((uintptr_t)at % sizeof(void *) || (GC_is_heap_ptr(at) && !GC_base(at)))
    GC_is_visible_print_proc(at);
  return at;
}
