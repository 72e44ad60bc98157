/* SPDX-License-Identifier: MIT */
#include "world/shared_memory.h"

#include "base/fallback.h"
#include "base/platform.h"
#include "base/proc.h"
#include "world/pages.h"

#include <errno.h>
#include <string.h>

/* The system gives such memory the name of a file, or the one that the program has given it (PR_SET_VMA_ANON_NAME). */
static bool
tells_of_shared_memory(const char *text) {
  return strstr(text, "/dev/zero (deleted)") || strstr(text, "[anon_shmem:");
}

static bool
add_mapping(struct array *ranges, uintptr_t start_addr, uintptr_t end_addr) {
  if (end_addr - start_addr > SHARED_MEMORY_BYTES_MAX)
    return true;
  struct page_range *range = array_add(ranges, sizeof *range);
  if (range)
    *range = (struct page_range){start_addr, end_addr};
  return range != NULL;
}

static int
query_mappings(int maps_fd, struct array *ranges) {
  struct platform_shared_mapping mapping = {0};
  int err;
  while ((err = platform_find_shared_mapping(maps_fd, mapping.end_addr, &mapping)) == 0)
    if (tells_of_shared_memory(mapping.name) && !add_mapping(ranges, mapping.start_addr, mapping.end_addr))
      return ENOMEM;
  return err == ENOENT ? 0 : err;
}

static int
visit_mapping(const struct mapping *mapping, const char *line, void *arg) {
  bool is_wanted = !mapping->is_private && tells_of_shared_memory(line);
  return !is_wanted || add_mapping(arg, mapping->start_addr, mapping->end_addr) ? 0 : ENOMEM;
}

int
shared_memory_list_stw(struct array *ranges) {
  static bool has_no_query;   /* learnt once; lock: the cycle's */
  size_t count = ranges->count;
  int fd = has_no_query ? -1 : platform_open_read("/proc/thread-self/maps");
  int err = fd < 0 ? ENOTTY : query_mappings(fd, ranges);
  if (fd >= 0)
    platform_close(fd);
  if (!err || err == ENOMEM)
    return err;
  has_no_query = true;
  fallback_note(FALLBACK_MAPS);
  ranges->count = count;
  return proc_visit_mappings(visit_mapping, ranges);
}
