/* SPDX-License-Identifier: MIT */
#include "base/hull.h"

#include "base/arch_x86_64.h"
#include "base/platform.h"

struct hull hull;

#define HULL_BLOCK_BYTES (1024 * GIB)
#define HULL_ALIGN_BYTES (64 * MIB)

/* Which block of 1 TiB: below where executables (0x55...), libraries and stacks (0x7f...) go, above the 46 bits in
 * which V8 chooses addresses at random, and a byte that is not too frequent in machine code. */
static const uint8_t hull_blocks[] = {
  0x42, 0x43, 0x46, 0x47, 0x4a, 0x4b, 0x4e, 0x4f, 0x52, 0x53,
};

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
  hull.sixth_byte = (uint8_t)(base_addr >> 40);
}

bool
hull_init(void) {
  uint64_t random = platform_random_seed() | 1;
  uint64_t offsets = (HULL_BLOCK_BYTES - HULL_BYTES) / HULL_ALIGN_BYTES;
  for (int i = 0; i < HULL_ATTEMPTS; i++) {
    uint64_t block = hull_blocks[hull_next_random(&random) % CGC_COUNT(hull_blocks)];
    hull_place(block * HULL_BLOCK_BYTES + hull_next_random(&random) % offsets * HULL_ALIGN_BYTES);
    /* The first page of metadata proves that the range can be used; meta takes it over. */
    if (platform_map(hull.meta_addr, ARCH_PAGE_BYTES) == 0)
      return true;
  }
  return false;
}
