/* SPDX-License-Identifier: MIT */
#include "gc/dirty_roots.h"

#include "base/hull.h"
#include "base/proc.h"
#include "world/dirty.h"
#include "world/named_roots.h"

#include <errno.h>
#include <string.h>

/* Less than that is looked at in the time that it takes to watch it. */
#define ALL_BYTES_MIN     (CGC_CONFIG_HOSTILE ? 1 : 256 * KIB)
#define MAPPING_BYTES_MIN (CGC_CONFIG_HOSTILE ? 1 : 32 * KIB)

struct watched_mapping {
  uintptr_t start_addr, end_addr;
  size_t    root_bytes;
};

static struct array watched;   /* struct watched_mapping, ascending */

/* ---- which ---- */

static bool
overlap(uintptr_t start_addr, uintptr_t end_addr, const struct root *root) {
  return root->start_addr < end_addr && start_addr < root->end_addr;
}

/* Of roots in ascending order, from *index on, which is moved to the first that does not lie before the mapping. */
static size_t
count_root_bytes(const struct mapping *mapping, const struct root_list *roots, size_t *index) {
  size_t bytes = 0;
  while (*index < roots->count && roots->roots[*index].end_addr <= mapping->start_addr)
    ++*index;
  for (size_t i = *index; i < roots->count && overlap(mapping->start_addr, mapping->end_addr, &roots->roots[i]); i++)
    bytes += roots->roots[i].end_addr - roots->roots[i].start_addr;
  return bytes;
}

/* Of a file's mapping all pages that were read are looked at, too, the first time. */
static bool
is_worth_it(const char *line, const struct mapping *mapping, size_t bytes) {
  bool is_file = strchr(line, '/') != NULL;
  return bytes >= MAPPING_BYTES_MIN && (!is_file || bytes >= (mapping->end_addr - mapping->start_addr) / 2);
}

static bool
is_ours(const struct mapping *mapping) {
  return mapping->start_addr < hull.end_addr && hull.base_addr < mapping->end_addr;
}

/* ---- watching ---- */

/* Mappings side by side that the kernel may join, or has joined. */
struct mapping_run {
  uintptr_t start_addr, end_addr;
  bool      is_writable;
  size_t    first_index;   /* of its first watched mapping */
};

static void
add_mapping(const struct mapping *mapping, size_t root_bytes) {
  struct watched_mapping *added = array_add(&watched, sizeof *added);
  if (added)
    *added = (struct watched_mapping){mapping->start_addr, mapping->end_addr, root_bytes};
}

static void
watch_run(const struct mapping_run *run) {
  if (watched.count > run->first_index && dirty_watch(run->start_addr, run->end_addr))
    watched.count = run->first_index;
}

static void
extend_run(struct mapping_run *run, const struct mapping *mapping) {
  if (mapping->start_addr != run->end_addr || mapping->is_writable != run->is_writable) {
    watch_run(run);
    *run = (struct mapping_run){mapping->start_addr, mapping->end_addr, mapping->is_writable, watched.count};
  }
  run->end_addr = mapping->end_addr;
}

struct watch_visit {
  const struct root_list *roots;
  size_t index;               /* of the first root that lies in no mapping so far */
  struct mapping_run run;
};

static int
visit_mapping(const struct mapping *mapping, const char *line, void *arg) {
  struct watch_visit *visit = arg;
  if (!mapping->is_private || is_ours(mapping))
    return 0;
  extend_run(&visit->run, mapping);
  size_t bytes = count_root_bytes(mapping, visit->roots, &visit->index);
  if (is_worth_it(line, mapping, bytes))
    add_mapping(mapping, bytes);
  return 0;
}

/* Named roots may be parts of mappings whose other pages are none. */
void
dirty_roots_watch_stw(const struct root_list *roots) {
  struct watch_visit visit = {.roots = roots, .index = roots->data_index};
  watched.count = 0;
  if (roots_policy.are_named || roots->bytes < ALL_BYTES_MIN)
    return;
  proc_visit_mappings(visit_mapping, &visit);   /* what it cannot tell of is looked at as a whole */
  watch_run(&visit.run);
}

void
dirty_roots_forget(void) {
  watched.count = 0;
}

size_t
dirty_roots_bytes(void) {
  const struct watched_mapping *mapping = watched.items;
  size_t bytes = 0;
  for (size_t i = 0; i < watched.count; i++)
    bytes += mapping[i].root_bytes;
  return bytes;
}

/* ---- what was written ---- */

static void
lose(size_t index) {
  struct watched_mapping *mapping = watched.items;
  watched.count--;
  for (size_t i = index; i < watched.count; i++)
    mapping[i] = mapping[i + 1];
}

int
dirty_roots_collect(size_t *pages_max, struct array *ranges) {
  for (size_t i = 0; i < watched.count && *pages_max;) {
    const struct watched_mapping *mapping = (struct watched_mapping *)watched.items + i;
    int err = dirty_collect(mapping->start_addr, mapping->end_addr, pages_max, ranges);
    if (err == ENOMEM)
      return err;
    if (err)
      lose(i);
    else
      i++;
  }
  return 0;
}

/* Collecting them once arms them: all that is there counts as written. */
void
dirty_roots_arm(struct array *ranges) {
  size_t all_pages = SIZE_MAX;
  if (dirty_roots_collect(&all_pages, ranges))
    dirty_roots_forget();
}

bool
dirty_roots_has(const struct root *root) {
  const struct watched_mapping *mapping = watched.items;
  size_t low = 0, high = watched.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (mapping[middle].end_addr <= root->start_addr)
      low = middle + 1;
    else
      high = middle;
  }
  return low < watched.count && mapping[low].start_addr <= root->start_addr && root->end_addr <= mapping[low].end_addr;
}
