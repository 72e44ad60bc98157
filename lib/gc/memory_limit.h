/* SPDX-License-Identifier: MIT */
/*
 * The soft limit of memory: of the heap with its metadata.  Cycles come earlier to stay within it, and free memory goes
 * back to the system; but it is exceeded rather than that the program starves (gc/pacer.h).
 *
 * Option memory-limit gives bytes, or has it follow the control group's limit, less what else the process holds in
 * memory.
 */
#ifndef CGC_GC_MEMORY_LIMIT_H
#define CGC_GC_MEMORY_LIMIT_H

#include <stdint.h>

/* By the option; UINT64_MAX: none. */
void memory_limit_init(void);

/* Any thread. */
void     memory_limit_set(uint64_t bytes);
uint64_t memory_limit_setting(void);

/* What the heap and its metadata may take, of which they take that much now.  With the cycle lock. */
uint64_t memory_limit_for(uint64_t own_bytes);

#endif
