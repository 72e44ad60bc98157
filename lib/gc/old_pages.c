/* SPDX-License-Identifier: MIT */
#include "gc/old_pages.h"

#include "base/arch_x86_64.h"
#include "gc/sweep.h"
#include "heap/heap_map.h"
#include "heap/page_heap.h"

#include <errno.h>
#include <string.h>

enum {
  WATCHED_FRACTION_MIN = 2,   /* of a span, that is old */
  NEW_FRACTION_MIN = CGC_CONFIG_HOSTILE ? 8 : 2,   /* of what is watched: less is not worth another watch */
};

/* Owned by whoever holds the cycle lock. */
static bool has_marks;
static bool is_refused;                         /* by the system, for good */
static size_t watched_bytes[ARENA_COUNT_MAX];   /* from the start of each arena */
static struct array written;                    /* struct dirty_range: of an arena, whatever lies there */
static struct array found;                      /* likewise: with old blocks */
static struct array ignored;

/* ---- watching ---- */

/* Where arenas of blocks that may hold pointers end, or 0 for the others. */
static size_t
watchable_bytes(size_t index) {
  const struct cgc_arena *arena = heap_map_arena(heap_map_arena_addr(index));
  return arena->kind & SPAN_KIND_NOSCAN ? 0 : arena->mapped_bytes;
}

static bool
has_much_new(void) {
  size_t new_bytes = 0, old_bytes = 0;
  for (size_t i = 0; i < heap_map_arena_count(); i++) {
    old_bytes += watched_bytes[i];
    new_bytes += watchable_bytes(i) - min_u64(watched_bytes[i], watchable_bytes(i));
  }
  return new_bytes > old_bytes / NEW_FRACTION_MIN;
}

/* What has been watched of it is so until the descriptor is closed, if it cannot be kept. */
static int
watch_new_stw(void) {
  int err = 0;
  for (size_t i = 0; !err && i < heap_map_arena_count(); i++) {
    uintptr_t addr = heap_map_arena_addr(i);
    if (watchable_bytes(i) > watched_bytes[i])
      err = dirty_watch(addr + watched_bytes[i], addr + watchable_bytes(i));
  }
  if (!err)
    err = dirty_keep_stw();
  for (size_t i = 0; !err && i < heap_map_arena_count(); i++)
    watched_bytes[i] = watchable_bytes(i);
  return err;
}

/* ---- looking ---- */

/* Whether it has old blocks; *is_watchable: so many that its pages are to be watched. */
static bool
has_old(struct cgc_span *span, bool *is_watchable) {
  unsigned old = 0;
  for (unsigned i = 0; i < span_word_count(span); i++)
    old += count_bits(atom_load_rlx(&span->words[i].mark));
  *is_watchable = old && old >= span->slot_count / WATCHED_FRACTION_MIN;
  return old > 0;
}

static int
add_found(uintptr_t start_addr, uintptr_t end_addr) {
  struct dirty_range *last = found.count ? (struct dirty_range *)found.items + found.count - 1 : NULL;
  if (last && last->end_addr == start_addr) {
    last->end_addr = end_addr;
    return 0;
  }
  struct dirty_range *added = array_add(&found, sizeof *added);
  if (added)
    *added = (struct dirty_range){start_addr, end_addr};
  return added ? 0 : ENOMEM;
}

/* It is told as written already; from now on it is seen when it is again. */
static int
watch_again(uintptr_t start_addr, uintptr_t end_addr) {
  size_t all_pages = SIZE_MAX;
  ignored.count = 0;
  return dirty_collect(start_addr, end_addr, &all_pages, &ignored);
}

/* What of a written range lies in spans with old blocks is found; those of them side by side that are to be watched are
 * armed together, up to the end of what can be. */
static int
look_at(uintptr_t start_addr, uintptr_t end_addr, uintptr_t watched_end_addr) {
  uintptr_t run_addr = start_addr;   /* to be armed, up to where it is at */
  int err = 0;
  for (uintptr_t at = start_addr; !err && at < end_addr;) {
    struct cgc_span *span = heap_map_span(at);
    bool is_used = span && span_is_used(span), is_watchable = false;
    uintptr_t next = is_used ? span->base_addr + span_bytes(span) : round_down(at, SPAN_PAGE_BYTES) + SPAN_PAGE_BYTES;
    next = min_u64(next, end_addr);
    if (is_used && has_old(span, &is_watchable))
      err = add_found(at, next);
    bool is_to_arm = is_watchable && next <= watched_end_addr;
    if (!err && !is_to_arm && run_addr < at)
      err = watch_again(run_addr, at);
    at = next;
    if (!is_to_arm)
      run_addr = at;
  }
  return err || run_addr >= end_addr ? err : watch_again(run_addr, end_addr);
}

static int
list_touched(uintptr_t start_addr, uintptr_t end_addr) {
  uintptr_t run_end_addr;
  int err = 0;
  for (; !err && heap_map_next_touched(&start_addr, &run_end_addr, end_addr); start_addr = run_end_addr)
    err = dirty_list(start_addr, run_end_addr, &written);
  return err;
}

static int
look_at_arena(size_t index) {
  uintptr_t addr = heap_map_arena_addr(index), watched_end_addr = addr + watched_bytes[index];
  written.count = 0;
  int err = list_touched(addr, watched_end_addr);
  const struct dirty_range *range = written.items;
  for (size_t i = 0; !err && i < written.count; i++)
    err = look_at(range[i].start_addr, range[i].end_addr, watched_end_addr);
  if (!err && watchable_bytes(index) > watched_bytes[index])
    err = look_at(watched_end_addr, addr + watchable_bytes(index), watched_end_addr);
  return err;
}

static int
collect(bool watches_more) {
  int err = watches_more ? watch_new_stw() : 0;
  found.count = 0;
  for (size_t i = 0; !err && i < heap_map_arena_count(); i++)
    err = look_at_arena(i);
  return err;
}

static size_t
count_pages(void) {
  const struct dirty_range *range = found.items;
  size_t bytes = 0;
  for (size_t i = 0; i < found.count; i++)
    bytes += range[i].end_addr - range[i].start_addr;
  return bytes / ARCH_PAGE_BYTES;
}

int
old_pages_collect_stw(struct dirty_pages *result) {
  bool watches_more = has_much_new() && dirty_may_keep();
  int err = is_refused ? ENOSYS : dirty_begin_kept_stw(watches_more);
  if (err)
    return err;
  err = collect(watches_more);
  dirty_end();
  if (err) {
    is_refused = true;
    return err;
  }
  *result = (struct dirty_pages){.parts[0] = {found.items, found.count}, .part_count = 1, .is_complete = true};
  result->page_count = count_pages();
  return 0;
}

/* ---- marks ---- */

bool
old_pages_has_marks(void) {
  return has_marks;
}

void
old_pages_note_kept(void) {
  has_marks = true;
}

void
old_pages_clear_marks(void) {
  if (has_marks)
    sweep_clear_marks();
  has_marks = false;
}

void
old_pages_forget(void) {
  old_pages_clear_marks();
  dirty_let_go();
  memset(watched_bytes, 0, heap_map_arena_count() * sizeof *watched_bytes);
}

void
old_pages_adopt_fork(void) {
  has_marks = false;
  dirty_adopt_fork();
  memset(watched_bytes, 0, heap_map_arena_count() * sizeof *watched_bytes);
}
