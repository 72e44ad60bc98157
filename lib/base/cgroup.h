/* SPDX-License-Identifier: MIT */
/* What the control group of this process allows it: cgroups(7), version 2 and 1. */
#ifndef CGC_BASE_CGROUP_H
#define CGC_BASE_CGROUP_H

#include <stdint.h>

/* The least limit of its group and those around it; UINT64_MAX if there is none, or none that can be read. */
uint64_t cgroup_memory_limit_bytes(void);

#endif
