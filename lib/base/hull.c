/* SPDX-License-Identifier: MIT */
#include "base/hull.h"

#include "base/arch_x86_64.h"
#include "base/platform.h"

struct hull hull;

/* High, but below where executables (0x55...), libraries and stacks (0x7f...) go, so
 * that neither integers nor foreign pointers look like ours. */
#define HULL_LOWEST_ADDR  (32 * 1024 * GIB)
#define HULL_HIGHEST_ADDR (80 * 1024 * GIB)
#define HULL_ALIGN_BYTES  (64 * MIB)

enum { HULL_ATTEMPTS = 64 };

static uint64_t
hull_next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void
hull_place(uintptr_t base_addr) {
  hull.base_addr = base_addr;
  hull.span_table_addr = base_addr + HULL_PAGE_MAP_BYTES;
  hull.meta_addr = hull.span_table_addr + HULL_SPAN_TABLE_BYTES;
  hull.heap_addr = hull.meta_addr + HULL_META_BYTES;
  hull.end_addr = hull.heap_addr + HULL_HEAP_BYTES;
}

bool
hull_init(void) {
  uint64_t random = platform_random_seed() | 1;
  uint64_t choices = (HULL_HIGHEST_ADDR - HULL_LOWEST_ADDR - HULL_BYTES) / HULL_ALIGN_BYTES;
  for (int i = 0; i < HULL_ATTEMPTS; i++) {
    hull_place(HULL_LOWEST_ADDR + hull_next_random(&random) % choices * HULL_ALIGN_BYTES);
    /* The first page of metadata proves that the range can be used; meta takes it over. */
    if (platform_map(hull.meta_addr, ARCH_PAGE_BYTES) == 0)
      return true;
  }
  return false;
}
