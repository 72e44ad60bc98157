/* SPDX-License-Identifier: MIT */
/* What the system refuses, and what is done instead: for the trace.  Any thread. */
#ifndef CGC_BASE_FALLBACK_H
#define CGC_BASE_FALLBACK_H

#define FALLBACK_LIST(X)                                                          \
  X(PAGEMAP, "pagemap")   /* no PAGEMAP_SCAN: pages by maps and pagemap */        \
  X(SMAPS, "smaps")       /* no pagemap: whole mappings by smaps */               \
  X(MAPS, "maps")         /* no PROCMAP_QUERY: shared mappings by maps */         \
  X(MEM, "mem")           /* no process_vm_readv: memory by /proc/self/mem */     \
  X(FENCES, "fences")     /* no membarrier: parking threads have fences */        \
  X(ALONE, "one-marker")  /* no clone: one thread marks */                        \
  X(WATCH, "stop")        /* no userfaultfd: all is marked with the world stopped */

enum fallback {
#define FALLBACK_ENUM(id, name) FALLBACK_##id,
  FALLBACK_LIST(FALLBACK_ENUM)
#undef FALLBACK_ENUM
  FALLBACK_COUNT
};

void fallback_note(enum fallback fallback);

/* The noted ones, 1 << enum fallback. */
unsigned fallback_noted(void);

const char *fallback_name(enum fallback fallback);

#endif
