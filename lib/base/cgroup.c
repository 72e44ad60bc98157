/* SPDX-License-Identifier: MIT */
#include "base/cgroup.h"

#include "base/compiler.h"
#include "base/proc.h"
#include "base/text.h"

#include <string.h>

/* Version 1 tells "no limit" of memory by a number near 2^63. */
#define LIMIT_BYTES_MAX ((uint64_t)1 << 60)

enum { GROUP_BYTES_MAX = 256, PATH_BYTES_MAX = 512 };

/* ---- files ---- */

/* The numbers that the first line begins with, one behind the other; all bits set for other text ("max", "-1") or
 * none. */
static void
read_numbers(const char *directory, const char *name, uint64_t *numbers, unsigned count) {
  char path_buffer[PATH_BYTES_MAX];
  struct line_reader reader;
  struct text path = text_in(path_buffer, sizeof path_buffer - 1);
  text_add(&path, directory);
  text_add(&path, name);
  path_buffer[path.length_bytes] = 0;
  memset(numbers, 0xff, count * sizeof *numbers);
  if (line_reader_open(&reader, path_buffer))
    return;
  const char *line = line_reader_next(&reader);
  for (unsigned i = 0; line && i < count; i++) {
    if (*line >= '0' && *line <= '9')
      numbers[i] = proc_parse_number(line, 10);
    line += strcspn(line, " ");
    line += strspn(line, " ");
  }
  line_reader_close(&reader);
}

static void
take_memory(const char *directory, const char *name, struct cgroup_limits *limits) {
  uint64_t bytes;
  read_numbers(directory, name, &bytes, 1);
  if (bytes < LIMIT_BYTES_MAX)
    limits->memory_bytes = min_u64(limits->memory_bytes, bytes);
}

/* In microseconds: so much time in each period. */
static void
take_cpu(uint64_t quota_us, uint64_t period_us, struct cgroup_limits *limits) {
  if (quota_us != UINT64_MAX && period_us != UINT64_MAX && period_us > 0)
    limits->cpu_ms_per_s = min_u64(limits->cpu_ms_per_s, quota_us * 1000 / period_us);
}

/* ---- one group ---- */

static void
take_version_2(const char *directory, struct cgroup_limits *limits) {
  uint64_t quota_and_period[2];
  take_memory(directory, "/memory.max", limits);
  read_numbers(directory, "/cpu.max", quota_and_period, 2);
  take_cpu(quota_and_period[0], quota_and_period[1], limits);
}

static void
take_memory_1(const char *directory, struct cgroup_limits *limits) {
  take_memory(directory, "/memory.limit_in_bytes", limits);
}

static void
take_cpu_1(const char *directory, struct cgroup_limits *limits) {
  uint64_t quota_us, period_us;
  read_numbers(directory, "/cpu.cfs_quota_us", &quota_us, 1);
  read_numbers(directory, "/cpu.cfs_period_us", &period_us, 1);
  take_cpu(quota_us, period_us, limits);
}

/* The group and all around it, up to the root, which is all that a container may see. */
static void
visit_groups(const char *mounts_path, const char *mount, const char *group,
             void (*take)(const char *directory, struct cgroup_limits *limits), struct cgroup_limits *limits) {
  char directory[PATH_BYTES_MAX];
  size_t length = strlen(group);
  while (length > 0) {
    while (length > 0 && group[length - 1] == '/')
      length--;
    struct text text = text_in(directory, sizeof directory - 1);
    text_add(&text, mounts_path);
    text_add(&text, mount);
    text_add_chars(&text, group, length);
    directory[text.length_bytes] = 0;
    take(directory, limits);
    while (length > 0 && group[length - 1] != '/')
      length--;
  }
}

/* ---- which groups ---- */

struct groups {
  char unified[GROUP_BYTES_MAX], memory[GROUP_BYTES_MAX], cpu[GROUP_BYTES_MAX];   /* "" if there is none */
};

/* Whether a list of controllers has this one. */
static bool
has_controller(const char *list, size_t length, const char *name) {
  for (const char *end = list + length; list < end; list += strcspn(list, ",:") + 1)
    if (strcspn(list, ",:") == strlen(name) && memcmp(list, name, strlen(name)) == 0)
      return true;
  return false;
}

static void
note_group(char *noted, const char *group) {
  if (strlen(group) < GROUP_BYTES_MAX)
    memcpy(noted, group, strlen(group) + 1);
}

/* "4:memory:/group" of version 1, "0::/group" of version 2. */
static void
note_groups_of_line(const char *line, struct groups *groups) {
  const char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
  if (!group)
    return;
  size_t length = (size_t)(group - ++list);
  group++;
  if (length == 0)
    note_group(groups->unified, group);
  if (has_controller(list, length, "memory"))
    note_group(groups->memory, group);
  if (has_controller(list, length, "cpu"))
    note_group(groups->cpu, group);
}

static void
read_groups(const char *list_path, struct groups *groups) {
  struct line_reader reader;
  *groups = (struct groups){.unified = ""};
  if (line_reader_open(&reader, list_path))
    return;
  for (const char *line; (line = line_reader_next(&reader));)
    note_groups_of_line(line, groups);
  line_reader_close(&reader);
}

void
cgroup_read(const char *list_path, const char *mounts_path, struct cgroup_limits *limits) {
  struct groups groups;
  *limits = (struct cgroup_limits){UINT64_MAX, UINT64_MAX};
  read_groups(list_path, &groups);
  visit_groups(mounts_path, "", groups.unified, take_version_2, limits);
  visit_groups(mounts_path, "/unified", groups.unified, take_version_2, limits);
  visit_groups(mounts_path, "/memory", groups.memory, take_memory_1, limits);
  visit_groups(mounts_path, "/cpu", groups.cpu, take_cpu_1, limits);
}

const struct cgroup_limits *
cgroup_limits(void) {
  static struct cgroup_limits limits;
  static bool is_known;
  if (!is_known)
    cgroup_read("/proc/thread-self/cgroup", "/sys/fs/cgroup", &limits);
  is_known = true;
  return &limits;
}
