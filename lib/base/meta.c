/* SPDX-License-Identifier: MIT */
#include "base/meta.h"

#include "base/arch_x86_64.h"
#include "base/hull.h"
#include "base/lock.h"
#include "base/platform.h"

#include <errno.h>

enum { META_ALIGN_BYTES = 64, META_CHUNK_BYTES = CGC_CONFIG_HOSTILE ? 16 * 1024 : 256 * 1024, META_ATTEMPTS = 64 };

/* Lock: meta_lock. */
static uintptr_t meta_next_addr;
static uintptr_t meta_mapped_end;
static atom_word meta_mapped_bytes;

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

/* Something is mapped where metadata would grow: another thread was growing it when this process was
 * forked, or the program took the address. */
static void
meta_skip_locked(size_t bytes) {
  meta_mapped_end += bytes;
  meta_next_addr = meta_mapped_end;
}

/* Makes room for `bytes` at meta_next_addr. */
static bool
meta_grow_locked(size_t bytes) {
  for (int attempt = 0; attempt < META_ATTEMPTS; attempt++) {
    size_t missing = bytes - (meta_mapped_end - meta_next_addr);
    int err = meta_map_locked(round_up(missing, META_CHUNK_BYTES));
    if (err == ENOMEM)
      err = meta_map_locked(round_up(missing, ARCH_PAGE_BYTES));   /* no more than needed */
    if (err != EEXIST)
      return err == 0;
    meta_skip_locked(META_CHUNK_BYTES);
  }
  return false;
}

void *
meta_alloc(size_t bytes) {
  void *result = NULL;
  bytes = round_up(bytes, META_ALIGN_BYTES);
  lock_acquire(&meta_lock);
  size_t room_bytes = meta_mapped_end - meta_next_addr;
  if (bytes <= room_bytes || meta_grow_locked(bytes)) {
    result = (void *)meta_next_addr;
    meta_next_addr += bytes;
  }
  lock_release(&meta_lock);
  return result;
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

uintptr_t
meta_end_addr(void) {
  return meta_mapped_end;
}

size_t
meta_bytes(void) {
  return atom_load_rlx(&meta_mapped_bytes);
}
