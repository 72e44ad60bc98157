/* SPDX-License-Identifier: MIT */
/*
 * The hull: the range of addresses in which everything of ours lies.
 *
 *   base                                                       end
 *   | page map | span table | metadata | heap, 512 GiB |
 *
 * It is a range by convention, far from where the kernel places mappings: only
 * what is in use is mapped, with MAP_FIXED_NOREPLACE.  So the program's address
 * space limits (RLIMIT_AS, strict overcommit, mlockall) see no more than is used,
 * and "may this be ours?" is one subtraction and one compare.  Mappings of
 * the program's do land inside, where it maps at random addresses as V8 does: they
 * have no entry in the page map, are left alone, and are roots like all others.
 *
 * The hull lies within a block of 1 TiB: the sixth byte of every address in it is the same, and rare in
 * machine code, so that pointers at odd addresses are found by a search for that byte.
 */
#ifndef CGC_BASE_HULL_H
#define CGC_BASE_HULL_H

#include "base/compiler.h"

#include <stdbool.h>

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)
#define KIB ((uint64_t)1 << 10)

#define HULL_PAGE_MAP_BYTES   (512 * MIB)
#define HULL_SPAN_TABLE_BYTES (512 * MIB)
#define HULL_META_BYTES       (31 * GIB)
#define HULL_HEAP_BYTES       (512 * GIB)
#define HULL_BYTES \
  (HULL_PAGE_MAP_BYTES + HULL_SPAN_TABLE_BYTES + HULL_META_BYTES + HULL_HEAP_BYTES)

/* Constant once hull_init has returned true. */
struct hull {
  uintptr_t base_addr;
  uintptr_t span_table_addr;
  uintptr_t meta_addr;
  uintptr_t heap_addr;
  uintptr_t end_addr;
  uint8_t   sixth_byte;   /* of each address */
};

extern struct hull hull;

CGC_INLINE bool
hull_has(uintptr_t addr) {
  return addr - hull.base_addr < HULL_BYTES;
}

/* Without its highest 16 bits, which may hold a tag. */
CGC_INLINE uintptr_t
hull_untagged(uintptr_t word) {
  return word & (((uintptr_t)1 << 48) - 1);
}

CGC_INLINE bool
hull_has_tagged(uintptr_t word) {
  return hull_has(hull_untagged(word));
}

/* Finds a free range.  False if there is none, for example under a limit of
 * the address space that leaves no room at all. */
bool hull_init(void);

#endif
