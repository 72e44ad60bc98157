/* SPDX-License-Identifier: MIT */
#include "gc/collector.h"

#include "base/arch_x86_64.h"
#include "base/fallback.h"
#include "base/meta.h"
#include "base/platform.h"
#include "heap/thread_cache.h"

enum { STACK_BYTES = 128 * 1024, BLOCK_BYTES = 4096, VARIABLES_BYTES_MAX = 1024 * 1024 };

/* Owned by whoever holds the cycle lock. */
static char *stack;
static char *block;
static atom_int tid;   /* not 0 while it exists; the kernel clears it */

/* The block of the calling thread tells where the variable lies below it: the same distance for all threads. */
static bool
make_block(void) {
  size_t below = arch_thread_block() - (uintptr_t)&thread_cache_self;
  if (below > VARIABLES_BYTES_MAX)
    return false;
  char *memory = meta_alloc(round_up(below, 64) + BLOCK_BYTES);
  if (!memory)
    return false;
  block = memory + round_up(below, 64);
  arch_fill_thread_block(block);
  *(struct thread_cache **)(block - below) = &thread_cache_none;
  return true;
}

/* The one before has released the lock, and may be on its last instructions. */
void
collector_await_end(void) {
  unsigned seen;
  while ((seen = atom_int_load_acq(&tid)) != 0)
    platform_futex_wait(&tid, seen, UINT64_MAX);
}

bool
collector_start(void (*work)(void *arg), void *arg) {
  if (!stack)
    stack = meta_alloc(STACK_BYTES);
  if (!stack || (!block && !make_block()))
    return false;
  collector_await_end();
  atom_int_store_rlx(&tid, 1);
  if (platform_start_helper(work, arg, stack + STACK_BYTES, block, &tid) == 0)
    return true;
  atom_int_store_rlx(&tid, 0);
  fallback_note(FALLBACK_WATCH);
  return false;
}

void
collector_adopt_fork(void) {
  atom_int_store_rlx(&tid, 0);
}
