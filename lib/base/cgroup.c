/* SPDX-License-Identifier: MIT */
#include "base/cgroup.h"

#include "base/compiler.h"
#include "base/proc.h"
#include "base/text.h"

#include <string.h>

/* Version 1 tells "no limit" by a number near 2^63. */
#define LIMIT_BYTES_MAX ((uint64_t)1 << 60)

/* A number at the start of the file; UINT64_MAX for other text ("max") or none. */
static uint64_t
read_limit(const char *path) {
  struct line_reader reader;
  uint64_t bytes = UINT64_MAX;
  if (line_reader_open(&reader, path))
    return bytes;
  const char *line = line_reader_next(&reader);
  if (line && *line >= '0' && *line <= '9')
    bytes = proc_parse_number(line, 10);
  line_reader_close(&reader);
  return bytes < LIMIT_BYTES_MAX ? bytes : UINT64_MAX;
}

/* Of the group and of all around it, up to the root, which is all that a container may see. */
static uint64_t
least_limit(const char *mount, const char *group, const char *file) {
  char path_buffer[512];
  uint64_t least = UINT64_MAX;
  for (size_t length = strlen(group);; length--) {
    struct text path = text_in(path_buffer, sizeof path_buffer - 1);
    text_add(&path, mount);
    text_add_chars(&path, group, length);
    text_add(&path, file);
    path_buffer[path.length_bytes] = 0;
    least = min_u64(least, read_limit(path_buffer));
    while (length > 0 && group[length - 1] != '/')
      length--;
    if (length == 0)
      return least;
  }
}

/* Whether a list of controllers has this one. */
static bool
has_controller(const char *list, size_t length, const char *name) {
  for (const char *end = list + length; list < end; list += strcspn(list, ",:") + 1)
    if (strcspn(list, ",:") == strlen(name) && memcmp(list, name, strlen(name)) == 0)
      return true;
  return false;
}

/* "4:memory:/group" of version 1, "0::/group" of version 2. */
static uint64_t
limit_of_line(const char *line) {
  const char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
  if (!group)
    return UINT64_MAX;
  size_t length = (size_t)(group - ++list);
  group++;
  if (length == 0)
    return min_u64(least_limit("/sys/fs/cgroup", group, "/memory.max"),
                   least_limit("/sys/fs/cgroup/unified", group, "/memory.max"));
  return has_controller(list, length, "memory") ? least_limit("/sys/fs/cgroup/memory", group, "/memory.limit_in_bytes")
                                                : UINT64_MAX;
}

uint64_t
cgroup_memory_limit_bytes(void) {
  struct line_reader reader;
  uint64_t least = UINT64_MAX;
  if (line_reader_open(&reader, "/proc/thread-self/cgroup"))
    return least;
  for (const char *line; (line = line_reader_next(&reader));)
    least = min_u64(least, limit_of_line(line));
  line_reader_close(&reader);
  return least;
}
