/* SPDX-License-Identifier: MIT */
/*
 * Which pages of the process hold data of its own: anonymous memory, and file pages that were
 * copied when the program wrote to them, whatever their protection is now.  All static data, thread
 * descriptors, stacks, foreign heaps and mappings lie there, and nothing else can hold a pointer
 * that the program stored in private memory.
 *
 * By PAGEMAP_SCAN (Linux 6.7), else from maps and pagemap, else from smaps: then whole mappings are listed in which
 * there are such pages.
 */
#ifndef CGC_WORLD_PAGES_H
#define CGC_WORLD_PAGES_H

#include "base/arch_x86_64.h"

#include <stddef.h>
#include <stdint.h>

/* Behind the last page that a program can have. */
#define PAGES_END_ADDR (((uintptr_t)1 << ARCH_ADDRESS_BITS) - ARCH_PAGE_BYTES)

struct page_range {
  uintptr_t start_addr;
  uintptr_t end_addr;
};

struct page_ranges {
  struct page_range *ranges;   /* ascending, disjoint, none of ours */
  size_t count;
};

/* Lists them into memory of its own, valid until the next call: all, or at least those in the wanted ranges, which are
 * ascending and disjoint.  0, ENOMEM, or the errno code of the system call that failed.  With the world stopped the list
 * is complete.  To look at all takes the kernel some 80 ns for each page of a file in memory. */
int pages_list(struct page_ranges *result);
int pages_list_wanted(const struct page_ranges *wanted, struct page_ranges *result);

#endif
