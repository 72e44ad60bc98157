/* SPDX-License-Identifier: MIT */
#include "world/pages.h"

#include "base/arch_x86_64.h"
#include "base/fallback.h"
#include "base/hull.h"
#include "base/meta.h"
#include "base/platform.h"
#include "base/proc.h"
#include "heap/heap_map.h"
#include "heap/span_table.h"

#include <errno.h>
#include <string.h>

/* Owned by whoever holds the cycle lock. */
static struct page_range *list;
static size_t list_capacity;
static size_t list_count;

enum { LIST_CAPACITY_MIN = CGC_CONFIG_HOSTILE ? 8 : 2048, SCAN_RANGES = 256 };

static bool
list_grow(void) {
  size_t capacity = list_capacity ? list_capacity * 2 : LIST_CAPACITY_MIN;
  struct page_range *bigger = meta_alloc(capacity * sizeof *bigger);   /* the old one is left behind */
  if (!bigger)
    return false;
  if (list_count)
    memcpy(bigger, list, list_count * sizeof *bigger);
  list = bigger;
  list_capacity = capacity;
  return true;
}

static bool
list_add(uintptr_t start_addr, uintptr_t end_addr) {
  if (list_count && list[list_count - 1].end_addr == start_addr) {
    list[list_count - 1].end_addr = end_addr;
    return true;
  }
  if (list_count == list_capacity && !list_grow())
    return false;
  list[list_count++] = (struct page_range){start_addr, end_addr};
  return true;
}

/* ---- what is ours ---- */

/* Owned by whoever holds the cycle lock.  Ascending. */
static struct page_range *own;
static size_t own_capacity, own_count;

static bool
reserve_own(size_t wanted) {
  if (wanted <= own_capacity)
    return true;
  struct page_range *bigger = meta_alloc(wanted * 2 * sizeof *bigger);
  if (!bigger)
    return false;
  own = bigger;
  own_capacity = wanted * 2;
  return true;
}

static void
add_own(uintptr_t start_addr, uintptr_t end_addr) {
  if (end_addr > start_addr)
    own[own_count++] = (struct page_range){start_addr, end_addr};
}

/* The system's maps join neighbours, and mappings of the program's may lie within the hull: what is ours is
 * told by our own records. */
static bool
list_own(void) {
  enum { TABLES = 2 + META_PIECES_MAX };
  uintptr_t start_addr, end_addr;
  size_t arenas = atom_load_rlx(&heap_map.extent_bytes) >> ARENA_BYTES_LOG2;
  own_count = 0;
  if (!reserve_own(arenas + TABLES))
    return false;
  add_own(hull.base_addr, heap_map_pages_end_addr());
  add_own(hull.span_table_addr, span_table_end_addr());
  for (unsigned i = 0; meta_piece(i, &start_addr, &end_addr); i++)
    add_own(start_addr, end_addr);
  for (size_t i = 0; i < arenas; i++) {
    uintptr_t addr = heap_map.base_addr + (i << ARENA_BYTES_LOG2);
    add_own(addr, addr + heap_map_arena(addr)->mapped_bytes);
  }
  return true;
}

/* Calls list_part for what of [start, end) is not ours, in order, until it returns an error. */
static int
list_foreign(int (*list_part)(int fd, uintptr_t start_addr, uintptr_t end_addr), int fd,
             uintptr_t start_addr, uintptr_t end_addr) {
  int err = 0;
  for (size_t i = 0; i < own_count && !err; i++) {
    if (own[i].end_addr <= start_addr)
      continue;
    if (own[i].start_addr >= end_addr)
      break;
    if (own[i].start_addr > start_addr)
      err = list_part(fd, start_addr, own[i].start_addr);
    start_addr = own[i].end_addr;
  }
  return err || start_addr >= end_addr ? err : list_part(fd, start_addr, end_addr);
}

/* ---- PAGEMAP_SCAN ---- */

static int
scan_part(int pagemap_fd, uintptr_t start_addr, uintptr_t end_addr) {
  struct platform_page_range found[SCAN_RANGES];
  uint64_t at = start_addr;
  while (at < end_addr) {
    ssize_t count = platform_scan_private_pages(pagemap_fd, &at, end_addr, found, SCAN_RANGES);
    if (count < 0)
      return (int)-count;
    for (ssize_t i = 0; i < count; i++)
      if (!list_add(found[i].start_addr, found[i].end_addr))
        return ENOMEM;
  }
  return 0;
}

/* Ranges may have a page in common. */
static int
scan_wanted(int pagemap_fd, const struct page_ranges *wanted) {
  uintptr_t done_addr = 0;
  int err = 0;
  for (size_t i = 0; i < wanted->count && !err; i++) {
    uintptr_t start_addr = max_u64(round_down(wanted->ranges[i].start_addr, ARCH_PAGE_BYTES), done_addr);
    uintptr_t end_addr = round_up(wanted->ranges[i].end_addr, ARCH_PAGE_BYTES);
    if (start_addr >= end_addr)
      continue;
    err = list_foreign(scan_part, pagemap_fd, start_addr, end_addr);
    done_addr = end_addr;
  }
  return err;
}

/* ---- maps and pagemap; of this thread, for the first one of the process may have ended ---- */

/* Bits of a pagemap entry: Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)
#define ENTRY_FILE    ((uint64_t)1 << 61)

static int
read_entries(int pagemap_fd, uintptr_t start_addr, uintptr_t end_addr) {
  uint64_t entries[512];
  while (start_addr < end_addr) {
    size_t wanted = min_u64((end_addr - start_addr) / ARCH_PAGE_BYTES, CGC_COUNT(entries));
    uint64_t at = start_addr / ARCH_PAGE_BYTES * sizeof *entries;
    ssize_t bytes = platform_read_at(pagemap_fd, entries, wanted * sizeof *entries, at);
    if (bytes <= 0)
      return bytes ? (int)-bytes : EIO;
    for (size_t i = 0; i < (size_t)bytes / sizeof *entries; i++, start_addr += ARCH_PAGE_BYTES)
      if (entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED) && !(entries[i] & ENTRY_FILE) &&
          !list_add(start_addr, start_addr + ARCH_PAGE_BYTES))
        return ENOMEM;
  }
  return 0;
}

static int
visit_mapping(const struct mapping *mapping, const char *line, void *arg) {
  const int *pagemap_fd = arg;
  (void)line;
  return mapping->is_private ? list_foreign(read_entries, *pagemap_fd, mapping->start_addr, mapping->end_addr) : 0;
}

/* ---- smaps: readable by a process that may not read its pagemap, since it has changed its user id ---- */

static int
add_part(int fd, uintptr_t start_addr, uintptr_t end_addr) {
  (void)fd;
  return list_add(start_addr, end_addr) ? 0 : ENOMEM;
}

/* "Anonymous:  4 kB", or the same of swapped pages. */
static bool
tells_of_data(const char *line) {
  static const char *const names[] = {"Anonymous:", "Swap:"};
  for (size_t i = 0; i < CGC_COUNT(names); i++)
    if (strncmp(line, names[i], strlen(names[i])) == 0) {
      line += strlen(names[i]);
      return line[strspn(line, " ")] != '0';
    }
  return false;
}

/* Whole mappings, if there is data of the process's own in them. */
static int
read_smaps(void) {
  struct line_reader reader;
  struct mapping mapping = {0};
  int err = line_reader_open(&reader, "/proc/thread-self/smaps");
  if (err)
    return err;
  fallback_note(FALLBACK_SMAPS);
  for (char *line; !err && (line = line_reader_next(&reader));)
    if (!proc_parse_mapping(line, &mapping) && mapping.is_private && tells_of_data(line)) {
      err = list_foreign(add_part, -1, mapping.start_addr, mapping.end_addr);
      mapping.is_private = false;   /* listed */
    }
  line_reader_close(&reader);
  return err ? err : reader.err;
}

/* ---- what the system offers ---- */

static int
list_by_pagemap(int fd, const struct page_ranges *wanted) {
  static bool has_no_scan;   /* learnt once; same owner as the list */
  int err = has_no_scan ? ENOTTY : scan_wanted(fd, wanted);
  if (!err || err == ENOMEM)
    return err;
  has_no_scan = true;
  fallback_note(FALLBACK_PAGEMAP);
  list_count = 0;
  return proc_visit_mappings(visit_mapping, &fd);
}

int
pages_list_wanted(const struct page_ranges *wanted, struct page_ranges *result) {
  int fd = platform_open_read("/proc/thread-self/pagemap");
  list_count = 0;
  int err = !list_own() ? ENOMEM : fd >= 0 ? list_by_pagemap(fd, wanted) : read_smaps();
  if (fd >= 0)
    platform_close(fd);
  *result = (struct page_ranges){list, list_count};
  return err;
}

int
pages_list(struct page_ranges *result) {
  struct page_range all = {0, PAGES_END_ADDR};
  return pages_list_wanted(&(struct page_ranges){&all, 1}, result);
}
