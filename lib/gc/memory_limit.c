/* SPDX-License-Identifier: MIT */
#include "gc/memory_limit.h"

#include "base/atom.h"
#include "base/cgroup.h"
#include "base/options.h"
#include "base/proc.h"

/* A group's limit is a hard one, and holds for the page cache and other processes as well: a part is left free. */
enum { GROUP_FREE_FRACTION = 16 };

static atom_word setting = UINT64_MAX;

void
memory_limit_init(void) {
  uint64_t limit = option(OPTION_MEMORY_LIMIT);
  atom_store_rlx(&setting, limit == OPTION_LIMIT_OFF ? UINT64_MAX : limit);
}

void
memory_limit_set(uint64_t bytes) {
  atom_store_rlx(&setting, bytes);
}

uint64_t
memory_limit_setting(void) {
  return atom_load_rlx(&setting);
}

static uint64_t
limit_by_group(uint64_t own_bytes) {
  uint64_t group_bytes = cgroup_limits()->memory_bytes;
  if (group_bytes == UINT64_MAX)
    return UINT64_MAX;
  uint64_t resident_bytes = proc_resident_bytes(), limit_bytes = group_bytes - group_bytes / GROUP_FREE_FRACTION;
  uint64_t other_bytes = resident_bytes > own_bytes ? resident_bytes - own_bytes : 0;
  return limit_bytes > other_bytes ? limit_bytes - other_bytes : 1;
}

uint64_t
memory_limit_for(uint64_t own_bytes) {
  uint64_t limit = atom_load_rlx(&setting);
  return limit == OPTION_LIMIT_AUTO ? limit_by_group(own_bytes) : limit;
}
