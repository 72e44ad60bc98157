/* SPDX-License-Identifier: MIT */
#include "world/dirty.h"

#include "base/arch_x86_64.h"
#include "base/fallback.h"
#include "base/options.h"
#include "base/platform.h"

#include <errno.h>

/* Of who watches, the collector's thread as a rule. */
static int watch_fd = -1, pagemap_fd = -1;

/* Owned by whoever holds the cycle lock: what is kept, or 0. */
static uint64_t holder;
static unsigned kept_count;
static uintptr_t watched_last_addr, kept_addr;   /* some page of what is watched, and of what is kept */

/* Atomic: by the system, for good. */
static atom_int is_refused;

bool
dirty_is_available(void) {
  return option(OPTION_DIRTY) != OPTION_DIRTY_STOP && !atom_int_load_rlx(&is_refused);
}

static int
refuse(int err) {
  atom_int_store_rlx(&is_refused, 1);
  fallback_note(FALLBACK_WATCH);
  return err;
}

void
dirty_leave_to_program(void) {
  dirty_let_go();
  refuse(EBUSY);
}

/* A program may close a number and rely on getting it with the next call, which one of ours beside it would take. */
int
dirty_take_descriptors_stw(void) {
  int err = platform_forget_descriptors();
  return err ? refuse(err) : 0;
}

static void
close_watch(void) {
  if (watch_fd >= 0)
    platform_close(watch_fd);
  watch_fd = -1;
}

static int
begin(bool watches) {
  watch_fd = watches ? platform_open_watch() : -1;
  if (watches && watch_fd < 0)
    return -watch_fd;
  pagemap_fd = platform_open_read("/proc/thread-self/pagemap");
  if (pagemap_fd >= 0)
    return 0;
  close_watch();
  return -pagemap_fd;
}

int
dirty_begin(void) {
  int err = begin(true);
  return err ? refuse(err) : 0;
}

void
dirty_end(void) {
  platform_close(pagemap_fd);
  close_watch();
}

int
dirty_begin_kept_stw(bool watches_more) {
  return begin(watches_more);
}

int
dirty_keep_stw(void) {
  kept_addr = watched_last_addr;
  kept_count++;
  return platform_hold_file(watch_fd, &holder);
}

bool
dirty_may_keep(void) {
  return kept_count < PLATFORM_HELD_FILES_MAX;
}

static bool
is_kept(int fd) {
  struct platform_page_range found;
  uint64_t at = kept_addr;
  return platform_list_written(fd, &at, at + ARCH_PAGE_BYTES, &found, 1) >= 0;
}

/* The kernel closes what nobody refers to any more a little later. */
static void
await_release(void) {
  enum { STEP_NS = 1000 * 1000, STEPS_MAX = 200 };
  int fd = platform_open_read("/proc/thread-self/pagemap");
  for (unsigned i = 0; fd >= 0 && i < STEPS_MAX && is_kept(fd); i++)
    platform_sleep(STEP_NS);
  if (fd >= 0)
    platform_close(fd);
}

void
dirty_adopt_fork(void) {
  holder = 0;
  kept_count = 0;
}

void
dirty_let_go(void) {
  if (!holder)
    return;
  platform_let_go_of_files(holder);
  dirty_adopt_fork();
  await_release();
}


int
dirty_watch(uintptr_t start_addr, uintptr_t end_addr) {
  watched_last_addr = start_addr;
  return platform_watch(watch_fd, start_addr, end_addr);
}

void
dirty_unwatch(uintptr_t start_addr, uintptr_t end_addr) {
  platform_unwatch(watch_fd, start_addr, end_addr);
}

static int
add_range(struct array *ranges, uintptr_t start_addr, uintptr_t end_addr) {
  struct dirty_range *last = ranges->count ? (struct dirty_range *)ranges->items + ranges->count - 1 : NULL;
  if (last && last->end_addr == start_addr) {
    last->end_addr = end_addr;
    return 0;
  }
  struct dirty_range *added = array_add(ranges, sizeof *added);
  if (added)
    *added = (struct dirty_range){start_addr, end_addr};
  return added ? 0 : ENOMEM;
}

enum { RANGES = CGC_CONFIG_HOSTILE ? 2 : 1024 };   /* for one call */

/* What it finds are addresses of the heap: on the collector's stack they keep no blocks, as in static data they
 * would. */
int
dirty_collect(uintptr_t start_addr, uintptr_t end_addr, size_t *pages_max, struct array *ranges) {
  struct platform_page_range found[RANGES];
  uint64_t at = start_addr;
  while (at < end_addr && *pages_max) {
    ssize_t count = platform_collect_written(pagemap_fd, &at, end_addr, *pages_max, found, RANGES);
    int err = count < 0 ? (int)-count : 0;
    for (ssize_t i = 0; i < count && !err; i++) {
      err = add_range(ranges, found[i].start_addr, found[i].end_addr);
      *pages_max -= min_u64((found[i].end_addr - found[i].start_addr) / ARCH_PAGE_BYTES, *pages_max);
    }
    if (err)
      return err;
  }
  return 0;
}

int
dirty_list(uintptr_t start_addr, uintptr_t end_addr, struct array *ranges) {
  struct platform_page_range found[RANGES];
  uint64_t at = start_addr;
  while (at < end_addr) {
    ssize_t count = platform_list_written(pagemap_fd, &at, end_addr, found, RANGES);
    int err = count < 0 ? (int)-count : 0;
    for (ssize_t i = 0; i < count && !err; i++)
      err = add_range(ranges, found[i].start_addr, found[i].end_addr);
    if (err)
      return err;
  }
  return 0;
}
