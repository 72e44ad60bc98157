/* SPDX-License-Identifier: MIT */
#include "boehm/debug_header.h"

#include "base/array.h"
#include "boehm/alloc_lock.h"
#include "boehm/describe.h"
#include "boehm/messages.h"
#include "heap/span_table.h"

#include <gc/gc.h>

#include <string.h>

/* Each differs with the address, so that a copied header is none. */
#define GUARD_BEFORE ((uintptr_t)0xfedcedcbfedcedcb)
#define GUARD_BEHIND ((uintptr_t)0xbcdecdefbcdecdef)

static bool is_used;   /* there may be such blocks */

size_t
debug_header_block_bytes(size_t bytes) {
  size_t wanted;
  bool overflows = __builtin_add_overflow(bytes, sizeof(struct debug_header) + 2 * sizeof(uintptr_t) - 1, &wanted);
  return overflows ? SIZE_MAX : round_down(wanted, sizeof(uintptr_t));
}

static uintptr_t *
guard_behind(const void *block, size_t bytes) {
  return (uintptr_t *)((char *)block + sizeof(struct debug_header) + round_up(bytes, sizeof(uintptr_t)));
}

void *
debug_header_fill(void *block, size_t bytes, const char *file, int line) {
  struct debug_header *header = block;
  is_used = true;
  *guard_behind(block, bytes) = GUARD_BEHIND ^ (uintptr_t)block;
  *header = (struct debug_header){file, (uintptr_t)line, bytes, GUARD_BEFORE ^ (uintptr_t)block};
  return header + 1;
}

static bool
fits(const struct debug_header *header, size_t block_bytes) {
  return debug_header_block_bytes(header->bytes) <= block_bytes;
}

bool
debug_header_is_valid(const void *block) {
  const struct debug_header *header = block;
  size_t block_bytes = GC_size(block);
  return block_bytes >= sizeof *header && header->guard == (GUARD_BEFORE ^ (uintptr_t)block) && fits(header, block_bytes);
}

bool
debug_header_is_whole(const void *block) {
  const struct debug_header *header = block;
  return debug_header_is_valid(block) && *guard_behind(block, header->bytes) == (GUARD_BEHIND ^ (uintptr_t)block);
}

void
debug_header_erase(void *block) {
  memset(block, 0, sizeof(struct debug_header));
}

void
debug_header_tell(const char *what, const void *block) {
  const struct debug_header *header = block;
  char type[GC_TYPE_DESCR_LEN + 1];
  describe_block(block, type);
  GC_err_printf("%s %s object at %p (%s:%lu, size %zu)\n", what, type, (const void *)(header + 1),
                header->file ? header->file : "?", (unsigned long)header->line, header->bytes);
}

/* ---- all of them ---- */

static struct array smashed;   /* of words; guarded by the allocation lock */

static void
check_span(const struct cgc_span *span) {
  for (size_t slot = 0; slot < span->slot_count; slot++) {
    const void *block = (const void *)span_slot_addr(span, slot);
    bool is_free = span_slot_is_free(span, slot);
    if (!is_free && debug_header_is_valid(block) && !debug_header_is_whole(block))
      array_add_word(&smashed, (uintptr_t)block);
  }
}

void
debug_header_check_all_stw(void) {
  if (!is_used)
    return;
  smashed.count = 0;
  for (size_t i = 0; i < span_table_count(); i++)
    if (span_is_used(span_table_at(i)))
      check_span(span_table_at(i));
}

static const void *
take_smashed(void) {
  struct thread_cache *cache = smashed.count ? alloc_lock_acquire() : NULL;
  if (!cache)
    return NULL;
  const void *block = smashed.count ? (const void *)((uintptr_t *)smashed.items)[--smashed.count] : NULL;
  alloc_lock_release(cache);
  return block;
}

/* What was found may have been freed, and allocated anew, meanwhile. */
void
debug_header_tell_smashed(void) {
  for (const void *block; (block = take_smashed());)
    if (debug_header_is_valid(block) && !debug_header_is_whole(block))
      debug_header_tell("GC_check_heap_block: found smashed", block);
}
