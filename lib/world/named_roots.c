/* SPDX-License-Identifier: MIT */
#include "world/named_roots.h"

#include "base/arch_x86_64.h"
#include "base/lock.h"
#include "world/stop.h"

#include <errno.h>

struct roots_policy roots_policy = {.have_static_data = true};

/* Owned by whoever holds the cycle lock: struct page_range. */
static struct array named;
static struct array both;   /* named, and among the pages */

/* ---- excluded ranges ---- */

static struct lock excluded_lock = LOCK_INITIALIZER(LOCK_RANK_ROOTS);
static struct array excluded;   /* struct page_range; lock: excluded_lock */

int
named_roots_exclude(uintptr_t start_addr, uintptr_t end_addr) {
  if (start_addr >= end_addr)
    return EINVAL;
  lock_acquire(&excluded_lock);
  struct page_range *range = array_add(&excluded, sizeof *range);
  if (range)
    *range = (struct page_range){start_addr, end_addr};
  lock_release(&excluded_lock);
  return range ? 0 : ENOMEM;
}

void
named_roots_exclude_nothing(void) {
  lock_acquire(&excluded_lock);
  excluded.count = 0;
  lock_release(&excluded_lock);
}

void
named_roots_adopt_fork(void) {
  lock_reset(&excluded_lock);
}

/* ---- ranges ---- */

static void
sort_ranges(struct page_range *ranges, size_t count) {
  for (size_t gap = count / 2; gap > 0; gap /= 2)
    for (size_t i = gap; i < count; i++) {
      struct page_range moving = ranges[i];
      size_t at = i;
      for (; at >= gap && ranges[at - gap].start_addr > moving.start_addr; at -= gap)
        ranges[at] = ranges[at - gap];
      ranges[at] = moving;
    }
}

/* To whole pages, by which what the program writes is seen. */
static void
widen_ranges(struct page_range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    ranges[i] = (struct page_range){round_down(ranges[i].start_addr, ARCH_PAGE_BYTES),
                                    round_up(ranges[i].end_addr, ARCH_PAGE_BYTES)};
}

/* Of sorted ranges: those that overlap or touch become one.  Returns how many remain. */
static size_t
join_ranges(struct page_range *ranges, size_t count) {
  size_t joined = 0;
  for (size_t i = 0; i < count; i++)
    if (joined && ranges[i].start_addr <= ranges[joined - 1].end_addr)
      ranges[joined - 1].end_addr = max_u64(ranges[joined - 1].end_addr, ranges[i].end_addr);
    else
      ranges[joined++] = ranges[i];
  return joined;
}

/* Cuts [start, end) out of all; what lies behind it becomes a range of its own. */
static bool
cut_named(struct page_range cut) {
  for (size_t i = 0, count = named.count; i < count; i++) {
    struct page_range *range = (struct page_range *)named.items + i, old = *range;
    if (old.end_addr <= cut.start_addr || old.start_addr >= cut.end_addr)
      continue;
    range->end_addr = max_u64(old.start_addr, cut.start_addr);
    if (old.end_addr <= cut.end_addr)
      continue;
    struct page_range *rest = array_add(&named, sizeof *rest);
    if (!rest)
      return false;
    *rest = (struct page_range){cut.end_addr, old.end_addr};
  }
  return true;
}

static bool
list_static_data_stw(void) {
  if (!static_data_note_stw(roots_policy.filter))
    return false;
  return !roots_policy.have_static_data || static_data_list_stw(&named);
}

/* In whole pages but for what is cut out. */
static bool
settle_named(void) {
  widen_ranges(named.items, named.count);
  sort_ranges(named.items, named.count);
  named.count = join_ranges(named.items, named.count);
  const struct page_range *ranges = excluded.items;
  for (size_t i = 0; i < excluded.count; i++)
    if (!cut_named(ranges[i]))
      return false;
  sort_ranges(named.items, named.count);
  return true;
}

static bool
list_thread_data_stw(void) {
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next) {
    bool exists = atom_int_load_rlx(&thread->tid) && (thread == thread_self() || stop_world_has(thread));
    if (exists && thread->block_addr && !static_data_list_thread_stw(thread->block_addr, &named))
      return false;
  }
  return true;
}

/* Of two ascending lists. */
static bool
add_common(const struct page_ranges *pages, const struct page_range *names, size_t name_count) {
  size_t at = 0;
  for (const struct page_range *name = names; name < names + name_count; name++) {
    while (at < pages->count && pages->ranges[at].end_addr <= name->start_addr)
      at++;
    bool is_empty = name->start_addr == name->end_addr;   /* all of it was cut out */
    for (size_t i = at; !is_empty && i < pages->count && pages->ranges[i].start_addr < name->end_addr; i++) {
      struct page_range *range = array_add(&both, sizeof *range);
      if (!range)
        return false;
      *range = (struct page_range){max_u64(name->start_addr, pages->ranges[i].start_addr),
                                   min_u64(name->end_addr, pages->ranges[i].end_addr)};
    }
  }
  return true;
}

bool
named_roots_list_stw(struct page_ranges *result) {
  named.count = 0;
  if (!list_static_data_stw() || !list_thread_data_stw() || !settle_named())
    return false;
  *result = (struct page_ranges){named.items, named.count};
  return true;
}

bool
named_roots_select_stw(const struct page_ranges *pages, struct page_ranges *result) {
  both.count = 0;
  if (!add_common(pages, named.items, named.count))
    return false;
  *result = (struct page_ranges){both.items, both.count};
  return true;
}
