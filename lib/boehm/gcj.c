/* SPDX-License-Identifier: MIT */
/* Blocks of a Java runtime: the first word leads to a table whose second word is the descriptor. */
#include "boehm/alloc.h"
#include "boehm/alloc_lock.h"
#include "boehm/descriptor.h"
#include "boehm/kinds.h"
#include "boehm/messages.h"

#include <gc/gc.h>
#include <gc/gc_gcj.h>

enum { DESCRIPTOR_OFFSET = sizeof(GC_word) };

void
GC_init_gcj_malloc(int number, void *procedure) {
  const GC_word behind_first_word = (GC_word)-(DESCRIPTOR_OFFSET + GC_INDIR_PER_OBJ_BIAS) | GC_DS_PER_OBJECT;
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  if (!GC_gcj_kind) {
    descriptor_set_procedure_locked((unsigned)number, (GC_mark_proc)procedure);
    GC_gcj_kind = (int)kinds_make_locked(behind_first_word, false, true);
    GC_gcj_debug_kind = GC_gcj_kind;
  }
  alloc_lock_release(cache);
}

static void *
alloc_gcj(void *block, size_t bytes, void *table) {
  block = alloc_or_oom(block, bytes);
  if (block)
    *(void **)block = table;
  return block;
}

void *
GC_gcj_malloc(size_t bytes, void *table) {
  return alloc_gcj(kinds_alloc((unsigned)GC_gcj_kind, bytes), bytes, table);
}

void *
GC_gcj_malloc_ignore_off_page(size_t bytes, void *table) {
  return alloc_gcj(kinds_alloc_by_start((unsigned)GC_gcj_kind, bytes), bytes, table);
}

/* Without a header, which the program's own procedure would have to skip. */
void *
GC_debug_gcj_malloc(size_t bytes, void *table, GC_EXTRA_PARAMS) {
  (void)s, (void)i;
  return GC_gcj_malloc(bytes, table);
}
