/* SPDX-License-Identifier: MIT */
/* The interface's functions about roots, and addresses that count. */
#include "base/hull.h"
#include "boehm/alloc_lock.h"
#include "boehm/messages.h"
#include "boehm/settings.h"
#include "gc/mark_block.h"
#include "world/named_roots.h"
#include "world/roots.h"

#include <gc/gc.h>
#include <gc/gc_mark.h>

#include <errno.h>

/* Runs a change of the roots where no stop comes in between. */
static void
change(int (*how)(uintptr_t start_addr, uintptr_t end_addr), const void *start, const void *end) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  int err = how((uintptr_t)start, (uintptr_t)end);
  alloc_lock_release(cache);
  if (err == ENOMEM)
    messages_abort("Too many root sets");
}

void
GC_add_roots(void *start, void *end) {
  if (start < end) {
    change(roots_remove, start, end);   /* or it would be scanned as often as it was added */
    change(roots_add, start, end);
  }
}

void
GC_remove_roots(void *start, void *end) {
  if (start < end)
    change(roots_remove, start, end);
}

/* Stacks, static data and what this library has registered of its own stay. */
void
GC_clear_roots(void) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return;
  roots_remove(0, hull.base_addr);
  roots_remove(hull.base_addr + HULL_BYTES, UINTPTR_MAX);
  alloc_lock_release(cache);
}

void
GC_exclude_static_roots(void *start, void *end) {
  if (start < end)
    change(named_roots_exclude, start, end);
}

void
GC_clear_exclusion_table(void) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return;
  named_roots_exclude_nothing();
  alloc_lock_release(cache);
}

/* ---- whose static data ---- */

static GC_has_static_roots_func has_static_roots;

static bool
filter(const char *name, uintptr_t start_addr, size_t bytes) {
  return has_static_roots(name, (void *)start_addr, bytes);
}

void
GC_register_has_static_roots_callback(GC_has_static_roots_func function) {
  has_static_roots = function;
  roots_policy.filter = function ? filter : NULL;
}

int
GC_is_tmp_root(void *addr) {
  (void)addr;
  return 0;   /* the list is made anew in each cycle */
}

/* ---- addresses that count ---- */

void
GC_register_displacement(size_t offset) {
  if (offset >= MARK_OFFSETS)
    messages_abort("Bad argument to GC_register_displacement");
  mark_offsets.is_valid[offset] = 1;
}

void
GC_debug_register_displacement(size_t offset) {
  GC_register_displacement(offset);
  GC_register_displacement(offset + GC_get_debug_header_size());
}
