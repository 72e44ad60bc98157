/* SPDX-License-Identifier: MIT */
#include "boehm/leaks.h"

#include "base/array.h"
#include "boehm/alloc.h"
#include "boehm/alloc_lock.h"
#include "boehm/debug_header.h"
#include "boehm/messages.h"
#include "boehm/uncollectable.h"
#include "gc/mark_block.h"
#include "heap/span_table.h"

#include <gc/gc.h>

#include <stdlib.h>

static struct array found;   /* of words; guarded by the allocation lock */

static void
find_in(struct cgc_span *span) {
  for (size_t slot = 0; slot < span->slot_count; slot++) {
    unsigned word = (unsigned)(slot / 64);
    uint64_t live = span_word_free(span, word) | atom_load_rlx(&span->words[word].mark);
    uintptr_t addr = span_slot_addr(span, slot);
    if (!(live >> slot % 64 & 1) && array_add_word(&found, addr))
      mark_set_stw(addr);
  }
}

void
leaks_find_stw(void) {
  if (!GC_find_leak)
    return;
  for (size_t i = 0; i < span_table_count(); i++)
    if (span_is_used(span_table_at(i)))
      find_in(span_table_at(i));
}

static void *
take_found(void) {
  struct thread_cache *cache = found.count ? alloc_lock_acquire() : NULL;
  if (!cache)
    return NULL;
  void *block = found.count ? (void *)((uintptr_t *)found.items)[--found.count] : NULL;
  alloc_lock_release(cache);
  return block;
}

static void
tell(void *block) {
  const struct cgc_span *span = alloc_span_of(block);
  if (!span)
    return;   /* the program has freed it after all */
  bool is_pointer_free = span_kind(span) & SPAN_KIND_NOSCAN;
  if (debug_header_is_valid(block))
    debug_header_tell("Leaked", block);
  else
    GC_err_printf("Leaked %s object at %p (size %lu)\n", is_pointer_free ? "atomic" : "composite", block,
                  (unsigned long)GC_size(block));
  GC_free(block);
}

void
leaks_tell(void) {
  bool has_leaks = false;
  for (void *block; (block = take_found()); has_leaks = true)
    tell(block);
  if (has_leaks && getenv("GC_ABORT_ON_LEAK"))
    messages_abort("Leaked objects");
}

void
leaks_end(void) {
  if (GC_find_leak)
    GC_gcollect();
}
