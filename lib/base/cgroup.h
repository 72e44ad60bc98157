/* SPDX-License-Identifier: MIT */
/* What the control groups of this process allow it: cgroups(7), version 2 and 1. */
#ifndef CGC_BASE_CGROUP_H
#define CGC_BASE_CGROUP_H

#include <stdint.h>

/* The least of its group and those around it.  All bits set: none, or none that can be read. */
struct cgroup_limits {
  uint64_t memory_bytes;
  uint64_t cpu_ms_per_s;   /* of processor time: 1000 for each processor */
};

/* list_path is /proc/self/cgroup, or looks like it; the controllers are mounted below mounts_path. */
void cgroup_read(const char *list_path, const char *mounts_path, struct cgroup_limits *limits);

/* Of this process, as they were when it first asked.  Callers are not to overlap. */
const struct cgroup_limits *cgroup_limits(void);

#endif
