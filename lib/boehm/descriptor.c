/* SPDX-License-Identifier: MIT */
#include "boehm/descriptor.h"

#include "base/array.h"
#include "base/meta.h"
#include "boehm/alloc_lock.h"
#include "boehm/messages.h"
#include "boehm/push.h"
#include "gc/mark_block.h"

#include <gc/gc_typed.h>

#include <string.h>

/* Of those reserved; 0 is a Java runtime's. */
enum { LAYOUT_PROCEDURE = GC_RESERVED_MARK_PROCS - 1 };

enum { WORD_BITS = 64, BITMAP_WORDS_MAX = WORD_BITS - GC_DS_TAG_BITS, LAYOUTS_MAX = 1 << 20 };

/* ---- layouts: what a word cannot tell.  Descriptors name them by a procedure of ours and their index ---- */

struct layout {
  const GC_word *bits;     /* or NULL: an array */
  size_t word_count;
  GC_word element;
  size_t element_bytes;
};

/* Guarded by the allocation lock; entries are constant, and never move. */
static struct layout *layouts[LAYOUTS_MAX / 1024];
static size_t layout_count;

static struct layout *
layout_at(size_t index) {
  return &layouts[index / 1024][index % 1024];
}

static bool
is_same_layout(const struct layout *one, const struct layout *other) {
  if (one->bits && other->bits)
    return one->word_count == other->word_count &&
           !memcmp(one->bits, other->bits, round_up(one->word_count, WORD_BITS) / 8);
  return !one->bits && !other->bits && one->element == other->element && one->element_bytes == other->element_bytes;
}

static struct layout *
add_layout_locked(void) {
  if (layout_count == LAYOUTS_MAX)
    return NULL;
  struct layout **block = &layouts[layout_count / 1024];
  if (!*block)
    *block = meta_alloc(1024 * sizeof **block);
  return *block ? layout_at(layout_count++) : NULL;
}

static const GC_word *
copy_bits(const GC_word *bits, size_t word_count) {
  size_t bytes = round_up(word_count, WORD_BITS) / 8;
  GC_word *copy = meta_alloc(bytes);
  if (copy)
    memcpy(copy, bits, bytes);
  return copy;
}

/* Programs make the same descriptor again and again. */
static GC_word
layout_descriptor_locked(const struct layout *wanted) {
  for (size_t i = 0; i < layout_count; i++)
    if (is_same_layout(layout_at(i), wanted))
      return GC_MAKE_PROC(LAYOUT_PROCEDURE, i);
  const GC_word *bits = wanted->bits ? copy_bits(wanted->bits, wanted->word_count) : NULL;
  struct layout *layout = wanted->bits && !bits ? NULL : add_layout_locked();
  if (!layout)
    return 0;
  *layout = *wanted;
  layout->bits = bits;
  return GC_MAKE_PROC(LAYOUT_PROCEDURE, layout_count - 1);
}

static GC_word
layout_descriptor(const struct layout *wanted) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return 0;
  GC_word descriptor = layout_descriptor_locked(wanted);
  alloc_lock_release(cache);
  return descriptor;
}

/* ---- making descriptors ---- */

static bool
has_bit(const GC_word *bits, size_t index) {
  return bits[index / WORD_BITS] >> index % WORD_BITS & 1;
}

GC_word
descriptor_of_bitmap(const GC_word *bits, size_t word_count) {
  size_t end = word_count, ones = 0;
  while (end && !has_bit(bits, end - 1))
    end--;
  while (ones < end && has_bit(bits, ones))
    ones++;
  if (ones == end)
    return (GC_word)end * sizeof(GC_word) | GC_DS_LENGTH;
  if (end > BITMAP_WORDS_MAX)
    return layout_descriptor(&(struct layout){.bits = bits, .word_count = end});
  GC_word descriptor = GC_DS_BITMAP;
  for (size_t i = 0; i < end; i++)
    if (has_bit(bits, i))
      descriptor |= (GC_word)1 << (WORD_BITS - 1 - i);
  return descriptor;
}

GC_word
descriptor_of_array(GC_word element, size_t element_bytes) {
  return layout_descriptor(&(struct layout){.element = element, .element_bytes = element_bytes});
}

/* ---- procedures ---- */

/* Written under the allocation lock, read in stops. */
static GC_mark_proc procedures[GC_MAX_MARK_PROCS];
static unsigned procedure_count = GC_RESERVED_MARK_PROCS;

static bool has_reserved;

bool
descriptor_has_procedures(void) {
  return has_reserved || procedure_count > GC_RESERVED_MARK_PROCS;
}

void
descriptor_set_procedure_locked(unsigned number, GC_mark_proc procedure) {
  if (number >= LAYOUT_PROCEDURE || (procedures[number] && procedures[number] != procedure))
    messages_abort("The number of a mark procedure is taken");
  procedures[number] = procedure;
  has_reserved = has_reserved || procedure;
}

unsigned
GC_new_proc_inner(GC_mark_proc procedure) {
  if (procedure_count == GC_MAX_MARK_PROCS)
    messages_abort("Too many mark procedures");
  procedures[procedure_count] = procedure;
  return procedure_count++;
}

unsigned
GC_new_proc(GC_mark_proc procedure) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    GC_abort_on_oom();
  unsigned number = GC_new_proc_inner(procedure);
  alloc_lock_release(cache);
  return number;
}

/* ---- scanning ---- */

static void
scan_bits(struct marker *marker, uintptr_t addr, size_t bytes, const struct layout *layout) {
  const GC_word *words = (const GC_word *)addr;
  for (size_t i = 0; i < layout->word_count && (i + 1) * sizeof *words <= bytes; i++)
    if (has_bit(layout->bits, i))
      mark_address(marker, words[i]);
}

/* The descriptor's own word is the last one.  What lies behind the last element is zero. */
static void
scan_array(struct marker *marker, uintptr_t addr, size_t bytes, const struct layout *layout) {
  uintptr_t end = addr + bytes - sizeof(GC_word);
  for (uintptr_t at = addr; at + layout->element_bytes <= end; at += layout->element_bytes)
    descriptor_scan(marker, at, layout->element_bytes, layout->element);
}

static void
scan_layout(struct marker *marker, uintptr_t addr, size_t bytes, const struct layout *layout) {
  if (layout->bits)
    scan_bits(marker, addr, bytes, layout);
  else
    scan_array(marker, addr, bytes, layout);
}

static void
scan_bitmap(struct marker *marker, uintptr_t addr, size_t bytes, GC_word bitmap) {
  const GC_word *word = (const GC_word *)addr, *end = (const GC_word *)(addr + bytes);
  for (bitmap &= ~(GC_word)GC_DS_TAGS; bitmap && word < end; bitmap <<= 1, word++)
    if (bitmap >> (WORD_BITS - 1))
      mark_address(marker, *word);
}

static void
scan_by_procedure(struct marker *marker, uintptr_t addr, size_t bytes, GC_word descriptor) {
  unsigned number = descriptor >> GC_DS_TAG_BITS & (GC_MAX_MARK_PROCS - 1);
  GC_word rest = descriptor >> (GC_DS_TAG_BITS + GC_LOG_MAX_MARK_PROCS);
  if (number == LAYOUT_PROCEDURE)
    scan_layout(marker, addr, bytes, layout_at(rest));
  else if (procedures[number])
    push_by_procedure(marker, procedures[number], (GC_word *)addr, rest);
}

/* Negative: behind what the first word points to, a type; a free or fresh block has none. */
static bool
find_own_descriptor(uintptr_t addr, GC_word descriptor, GC_word *own) {
  GC_signed_word at = (GC_signed_word)descriptor;
  if (at >= 0) {
    memcpy(own, (const void *)(addr + (uintptr_t)(at - GC_DS_PER_OBJECT)), sizeof *own);
    return true;
  }
  uintptr_t type_addr = *(const uintptr_t *)addr;
  if (!type_addr)
    return false;
  memcpy(own, (const void *)(type_addr - (uintptr_t)(at + (GC_INDIR_PER_OBJ_BIAS - GC_DS_PER_OBJECT))), sizeof *own);
  return true;
}

void
descriptor_scan(struct marker *marker, uintptr_t addr, size_t bytes, GC_word descriptor) {
  GC_word own;
  switch (descriptor & GC_DS_TAGS) {
    case GC_DS_LENGTH: mark_memory(marker, addr, addr + min_u64(descriptor, bytes)); break;
    case GC_DS_BITMAP: scan_bitmap(marker, addr, bytes, descriptor); break;
    case GC_DS_PROC: scan_by_procedure(marker, addr, bytes, descriptor); break;
    default:
      if (find_own_descriptor(addr, descriptor, &own) && (own & GC_DS_TAGS) != GC_DS_PER_OBJECT)
        descriptor_scan(marker, addr, bytes, own);
  }
}
