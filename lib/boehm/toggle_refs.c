/* SPDX-License-Identifier: MIT */
#include "boehm/toggle_refs.h"

#include "base/array.h"
#include "boehm/alloc_lock.h"
#include "boehm/key_table.h"
#include "boehm/settings.h"
#include "gc/mark_block.h"

struct toggle_ref {
  uintptr_t hidden;
  bool is_strong;
};

static struct array refs;   /* struct toggle_ref; guarded by the allocation lock */

bool
toggle_refs_exist(void) {
  return refs.count != 0 && settings.toggleref;
}

int
GC_toggleref_add(void *block, int is_strong) {
  struct thread_cache *cache = alloc_lock_acquire();
  if (!cache)
    return GC_NO_MEMORY;
  struct toggle_ref *ref = settings.toggleref ? array_add(&refs, sizeof *ref) : NULL;
  bool has_memory = ref || !settings.toggleref;
  if (ref)
    *ref = (struct toggle_ref){hide_addr(block), is_strong};
  alloc_lock_release(cache);
  return has_memory ? GC_SUCCESS : GC_NO_MEMORY;
}

static void
ask_about_all(void) {
  struct toggle_ref *items = refs.items;
  size_t kept = 0;
  for (size_t i = 0; i < refs.count; i++) {
    GC_ToggleRefStatus status = settings.toggleref(reveal_addr(items[i].hidden));
    if (status != GC_TOGGLE_REF_DROP)
      items[kept++] = (struct toggle_ref){items[i].hidden, status == GC_TOGGLE_REF_STRONG};
  }
  refs.count = kept;
}

void
toggle_refs_push_stw(struct marker *marker) {
  if (!toggle_refs_exist())
    return;
  ask_about_all();
  const struct toggle_ref *items = refs.items;
  for (size_t i = 0; i < refs.count; i++)
    if (items[i].is_strong)
      mark_address(marker, ~items[i].hidden);
}

void
toggle_refs_clear_stw(void) {
  struct toggle_ref *items = refs.items;
  size_t kept = 0;
  for (size_t i = 0; i < refs.count; i++)
    if (mark_has(~items[i].hidden))
      items[kept++] = items[i];
  refs.count = kept;
}
