/* SPDX-License-Identifier: MIT */
#include "base/meta.h"

#include "base/arch_x86_64.h"
#include "base/hull.h"
#include "base/lock.h"
#include "base/platform.h"

#include <errno.h>
#include <string.h>

enum {
  META_ALIGN_BYTES = 64,
  META_CHUNK_BYTES = CGC_CONFIG_HOSTILE ? 16 * 1024 : 256 * 1024,
  META_ATTEMPTS = 64,
  META_HOLE_BYTES_MIN = 4096,   /* less is not worth looking for */
};

/* From so much on metadata grows by huge pages: markers look at it in no order, and a tenth of their time went into
 * finding its pages. */
#define META_HUGE_FROM_BYTES (CGC_CONFIG_HOSTILE ? 2 * MIB : 8 * MIB)
#define META_HUGE_BYTES      (2 * MIB)

/* What was given back: zero behind this. */
struct meta_hole {
  struct meta_hole *next;
  size_t bytes;
};

/* Lock: meta_lock. */
static struct meta_hole *meta_holes;
static uintptr_t meta_next_addr;
static uintptr_t meta_mapped_end;
static atom_word meta_mapped_bytes;
static uintptr_t meta_piece_starts[META_PIECES_MAX], meta_piece_ends[META_PIECES_MAX];
static unsigned  meta_piece_count;

static struct lock meta_lock = LOCK_INITIALIZER(LOCK_RANK_META);

static const atom_int meta_not_started;
const atom_int *meta_sentinel = &meta_not_started;
static bool meta_was_forked;

bool
meta_init(void) {
  if (platform_wipe_on_fork(hull.meta_addr, ARCH_PAGE_BYTES))
    return false;
  atom_int_store_rlx((atom_int *)hull.meta_addr, 1);
  meta_sentinel = (const atom_int *)hull.meta_addr;
  meta_next_addr = hull.meta_addr + ARCH_PAGE_BYTES;
  meta_mapped_end = meta_next_addr;
  meta_piece_starts[0] = hull.meta_addr;
  meta_piece_count = 1;
  atom_store_rlx(&meta_mapped_bytes, ARCH_PAGE_BYTES);
  return true;
}

void
meta_adopt_fork(void) {
  lock_reset(&meta_lock);
  meta_was_forked = true;
  atom_int_store_rlx((atom_int *)hull.meta_addr, 1);
}

static int
meta_map_locked(size_t bytes) {
  if (meta_mapped_end + bytes > hull.heap_addr)
    return ENOMEM;
  int err = platform_map(meta_mapped_end, bytes);
  if (err)
    return err;
  meta_mapped_end += bytes;
  atom_add_full(&meta_mapped_bytes, bytes);
  return 0;
}

/* To the end of a chunk. */
static int
meta_map_chunks_locked(size_t bytes) {
  uintptr_t addr = meta_mapped_end;
  bool is_huge = addr - hull.meta_addr >= META_HUGE_FROM_BYTES;
  int err = meta_map_locked(round_up(addr + bytes, is_huge ? META_HUGE_BYTES : META_CHUNK_BYTES) - addr);
  if (!err && is_huge)
    platform_prefer_huge_pages(addr, meta_mapped_end - addr);
  return err;
}

/* Something is mapped where metadata would grow: another thread was growing it when this process was
 * forked, or the program took the address.  Go on behind it, in a new piece. */
static bool
meta_skip_locked(size_t bytes) {
  if (meta_piece_count == META_PIECES_MAX)
    return false;
  meta_piece_ends[meta_piece_count - 1] = meta_mapped_end;
  meta_mapped_end += bytes;
  meta_next_addr = meta_mapped_end;
  meta_piece_starts[meta_piece_count++] = meta_next_addr;
  return true;
}

/* Makes room for `bytes` at meta_next_addr. */
static bool
meta_grow_locked(size_t bytes) {
  for (int attempt = 0; attempt < META_ATTEMPTS; attempt++) {
    size_t missing = bytes - (meta_mapped_end - meta_next_addr);
    int err = meta_map_chunks_locked(missing);
    if (err == ENOMEM)
      err = meta_map_locked(round_up(missing, ARCH_PAGE_BYTES));   /* no more than needed */
    if (err != EEXIST)
      return err == 0;
    if (!meta_skip_locked(META_CHUNK_BYTES))
      return false;
  }
  return false;
}

/* The end of the first hole that is large enough, or all of it; or NULL. */
static void *
meta_take_hole_locked(size_t bytes) {
  for (struct meta_hole **at = &meta_holes; bytes >= META_HOLE_BYTES_MIN && *at; at = &(*at)->next) {
    struct meta_hole *hole = *at;
    if (hole->bytes < bytes)
      continue;
    hole->bytes -= bytes;
    if (hole->bytes >= META_HOLE_BYTES_MIN)
      return (char *)hole + hole->bytes;
    *at = hole->next;
    *hole = (struct meta_hole){0};
    return hole;
  }
  return NULL;
}

static void *
meta_take_fresh_locked(size_t bytes) {
  size_t room_bytes = meta_mapped_end - meta_next_addr;
  if (bytes > room_bytes && !meta_grow_locked(bytes))
    return NULL;
  void *fresh = (void *)meta_next_addr;
  meta_next_addr += bytes;
  return fresh;
}

void *
meta_alloc(size_t bytes) {
  bytes = round_up(bytes, META_ALIGN_BYTES);
  lock_acquire(&meta_lock);
  void *result = meta_take_hole_locked(bytes);
  if (!result)
    result = meta_take_fresh_locked(bytes);
  lock_release(&meta_lock);
  return result;
}

/* Whole pages by giving them back to the system. */
static void
meta_clear(uintptr_t addr, size_t bytes) {
  uintptr_t end_addr = addr + bytes;
  uintptr_t pages_addr = round_up(addr, ARCH_PAGE_BYTES), pages_end_addr = round_down(end_addr, ARCH_PAGE_BYTES);
  if (pages_addr >= pages_end_addr || platform_discard(pages_addr, pages_end_addr - pages_addr)) {
    memset((void *)addr, 0, bytes);
    return;
  }
  memset((void *)addr, 0, pages_addr - addr);
  memset((void *)pages_end_addr, 0, end_addr - pages_end_addr);
}

/* In a forked child the list is whole whenever another thread was about to change it. */
void
meta_free(void *memory, size_t bytes) {
  struct meta_hole *hole = memory;
  bytes = round_up(bytes, META_ALIGN_BYTES);
  if (bytes < META_HOLE_BYTES_MIN)
    return;
  meta_clear((uintptr_t)memory, bytes);
  lock_acquire(&meta_lock);
  *hole = (struct meta_hole){meta_holes, bytes};
  atom_barrier_compiler();
  meta_holes = hole;
  lock_release(&meta_lock);
}

int
meta_map_table(uintptr_t addr, size_t bytes) {
  int err = platform_map(addr, bytes);
  if (err == EEXIST && meta_was_forked)
    return 0;   /* another thread of the parent had just mapped it */
  if (!err)
    atom_add_full(&meta_mapped_bytes, bytes);
  return err;
}

bool
meta_piece(unsigned index, uintptr_t *start_addr, uintptr_t *end_addr) {
  if (index >= meta_piece_count)
    return false;
  *start_addr = meta_piece_starts[index];
  *end_addr = index + 1 < meta_piece_count ? meta_piece_ends[index] : meta_mapped_end;
  return true;
}

size_t
meta_bytes(void) {
  return atom_load_rlx(&meta_mapped_bytes);
}
