/* SPDX-License-Identifier: MIT */
/* Typed allocation: the descriptor of such a block is its slot's last word. */
#include "boehm/alloc.h"
#include "boehm/alloc_lock.h"
#include "boehm/descriptor.h"
#include "boehm/kinds.h"
#include "boehm/start.h"

#include <gc/gc.h>
#include <gc/gc_typed.h>

static unsigned typed_kind;   /* 0: not made yet; guarded by the allocation lock */

static unsigned
make_typed_kind(void) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return KIND_MAX;
  if (!typed_kind)   /* "minus a word", to which the size is added */
    typed_kind = kinds_make_locked((GC_word)-sizeof(GC_word) | GC_DS_PER_OBJECT, true, true);
  alloc_lock_release(cache);
  return typed_kind;
}

GC_descr
GC_make_descriptor(const GC_word *bits, size_t word_count) {
  start_once();
  GC_word descriptor = descriptor_of_bitmap(bits, word_count);
  bool has_failed = !descriptor && word_count > sizeof(GC_word) * 8;
  return has_failed ? word_count * sizeof(GC_word) : descriptor;   /* any word may be a pointer */
}

static void *
alloc_typed(size_t bytes, GC_descr descriptor) {
  unsigned kind = typed_kind ? typed_kind : make_typed_kind();
  if (kind == KIND_MAX || bytes > PTRDIFF_MAX)
    return NULL;
  char *block = kinds_alloc(kind, bytes + sizeof descriptor);
  if (block)
    *(GC_descr *)(block + GC_size(block) - sizeof descriptor) = descriptor;
  return block;
}

void *
GC_malloc_explicitly_typed(size_t bytes, GC_descr descriptor) {
  return alloc_or_oom(alloc_typed(bytes, descriptor), bytes);
}

void *
GC_malloc_explicitly_typed_ignore_off_page(size_t bytes, GC_descr descriptor) {
  return GC_malloc_explicitly_typed(bytes, descriptor);
}

/* Of an array: elements without pointers, or full of them, need no layout. */
static GC_descr
descriptor_of_elements(size_t count, size_t element_bytes, GC_descr element) {
  if (count == 1 || element == GC_DS_LENGTH)
    return element;
  bool is_full = (element & GC_DS_TAGS) == GC_DS_LENGTH && element >= element_bytes;
  GC_descr array = is_full ? 0 : descriptor_of_array(element, element_bytes);
  return array ? array : count * element_bytes;
}

void *
GC_calloc_explicitly_typed(size_t count, size_t element_bytes, GC_descr element) {
  size_t bytes;
  if (__builtin_mul_overflow(count, element_bytes, &bytes))
    return GC_oom_fn(SIZE_MAX);
  start_once();
  return GC_malloc_explicitly_typed(bytes, descriptor_of_elements(count, element_bytes, element));
}
