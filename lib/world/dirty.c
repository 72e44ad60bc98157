/* SPDX-License-Identifier: MIT */
#include "world/dirty.h"

#include "base/fallback.h"
#include "base/options.h"
#include "base/platform.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* Above what programs use: they may rely on getting the lowest numbers. */
enum { HIGH_FD = 1000, LIMIT_MARGIN = 16, LIMIT_MIN = 256 };

static int  watch_fd = -1, pagemap_fd = -1;
static bool is_refused;   /* by the system, for good */

/* ---- descriptors ---- */

static int
high_fd(void) {
  size_t limit = platform_descriptor_limit();
  return limit < LIMIT_MIN ? -1 : limit > HIGH_FD + LIMIT_MARGIN ? HIGH_FD : (int)limit - LIMIT_MARGIN;
}

/* Where no number is to be had there, it is not opened at all. */
static int
moved_up(int fd) {
  int min_fd = high_fd(), moved = fd < 0 || min_fd < 0 ? -EMFILE : platform_move_descriptor(fd, min_fd);
  if (fd >= 0 && moved < 0)
    platform_close(fd);
  return fd < 0 ? fd : moved;
}

bool
dirty_is_available(void) {
  if (option(OPTION_DIRTY) == OPTION_DIRTY_STOP || is_refused)
    return false;
  if (watch_fd >= 0)
    return true;
  watch_fd = moved_up(platform_open_watch());
  if (watch_fd >= 0)
    pagemap_fd = moved_up(platform_open_read("/proc/thread-self/pagemap"));
  if (watch_fd >= 0 && pagemap_fd >= 0)
    return true;
  if (watch_fd >= 0)
    platform_close(watch_fd);
  is_refused = watch_fd != -EMFILE && watch_fd != -ENFILE && pagemap_fd != -EMFILE && pagemap_fd != -ENFILE;
  watch_fd = pagemap_fd = -1;
  fallback_note(FALLBACK_WATCH);
  return false;
}

static bool
is_named(int fd, const char *start) {
  char path_buffer[64], name[64];
  struct text path = text_in(path_buffer, sizeof path_buffer - 1);
  text_add(&path, "/proc/thread-self/fd/");
  text_add_u64(&path, (uint64_t)fd);
  path_buffer[path.length_bytes] = 0;
  ssize_t bytes = platform_read_link(path_buffer, name, sizeof name);
  return bytes >= (ssize_t)strlen(start) && memcmp(name, start, strlen(start)) == 0;
}

/* The program may have closed our descriptors, and the numbers may be of others by now. */
static void
close_own(void) {
  if (watch_fd >= 0 && is_named(watch_fd, "anon_inode:[userfaultfd]"))
    platform_close(watch_fd);
  if (pagemap_fd >= 0 && is_named(pagemap_fd, "/proc/"))
    platform_close(pagemap_fd);
  watch_fd = pagemap_fd = -1;
}

/* ---- pages ---- */

static int
add_range(struct array *ranges, uintptr_t start_addr, uintptr_t end_addr) {
  struct dirty_range *last = (struct dirty_range *)ranges->items + ranges->count - 1;
  if (ranges->count && last->end_addr == start_addr) {
    last->end_addr = end_addr;
    return 0;
  }
  struct dirty_range *added = array_add(ranges, sizeof *added);
  if (added)
    *added = (struct dirty_range){start_addr, end_addr};
  return added ? 0 : ENOMEM;
}

/* What it finds are addresses of the heap: on the collector's stack they keep no blocks, as in static data they would. */
static int
collect_watched(uintptr_t start_addr, uintptr_t end_addr, struct array *ranges) {
  enum { RANGES = 1024 };
  struct platform_page_range found[RANGES];
  uint64_t at = start_addr;
  while (at < end_addr) {
    ssize_t count = platform_collect_written(pagemap_fd, &at, end_addr, found, RANGES);
    int err = count < 0 ? (int)-count : 0;
    for (ssize_t i = 0; i < count && !err; i++)
      err = add_range(ranges, found[i].start_addr, found[i].end_addr);
    if (err)
      return err;
  }
  return 0;
}

/* It was not watched, or some of it is not any more. */
static int
watch_anew(uintptr_t start_addr, uintptr_t end_addr, struct array *ranges) {
  size_t count = ranges->count;
  int err = platform_watch(watch_fd, start_addr, end_addr);
  if (!err)
    err = collect_watched(start_addr, end_addr, ranges);
  ranges->count = count;
  return err ? err : add_range(ranges, start_addr, end_addr);
}

int
dirty_collect(uintptr_t start_addr, uintptr_t end_addr, struct array *ranges) {
  if (watch_fd < 0)
    return EBADF;
  size_t count = ranges->count;
  int err = collect_watched(start_addr, end_addr, ranges);
  if (err == EPERM) {
    ranges->count = count;
    err = watch_anew(start_addr, end_addr, ranges);
  }
  if (err && err != ENOMEM) {
    close_own();
    is_refused = err != EBADF && err != ENOTTY;   /* those come of closed descriptors */
  }
  return err;
}

void
dirty_adopt_fork(void) {
  close_own();
}
