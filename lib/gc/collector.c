/* SPDX-License-Identifier: MIT */
#include "gc/collector.h"

#include "base/arch_x86_64.h"
#include "base/fallback.h"
#include "base/meta.h"
#include "base/platform.h"
#include "heap/thread_cache.h"
#include "world/dirty.h"

#include <errno.h>

enum { STACK_BYTES = 128 * 1024, BLOCK_BYTES = 4096, VARIABLES_BYTES_MAX = 1024 * 1024 };

/* Owned by whoever holds the cycle lock. */
static char *stack;
static char *block;
static atom_int tid;   /* not 0 while it exists; the kernel clears it */

enum collector_phase { COLLECTOR_STARTS, COLLECTOR_IS_READY, COLLECTOR_HAS_FAILED, COLLECTOR_MAY_RUN };

/* Futex of both sides.  A phase publishes what was written before it. */
static atom_int phase;
static int failed_err;                   /* of the new thread */
static void (*collector_work)(void *arg);   /* for it */
static void *collector_arg;

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

static void
enter_phase(enum collector_phase next) {
  atom_int_store_rel(&phase, next);   /* pairs with await_end_of_phase */
  platform_futex_wake(&phase, 1);
}

static enum collector_phase
await_end_of_phase(enum collector_phase now) {
  unsigned seen;
  while ((seen = atom_int_load_acq(&phase)) == now)
    platform_futex_wait(&phase, now, UINT64_MAX);
  return (enum collector_phase)seen;
}

static void
collector_main(void *unused) {
  (void)unused;
  failed_err = dirty_take_descriptors_stw();
  enter_phase(failed_err ? COLLECTOR_HAS_FAILED : COLLECTOR_IS_READY);
  if (failed_err)
    return;
  await_end_of_phase(COLLECTOR_IS_READY);
  collector_work(collector_arg);
}

/* The one before has released the lock, and may be on its last instructions. */
void
collector_await_end(void) {
  unsigned seen;
  while ((seen = atom_int_load_acq(&tid)) != 0)
    platform_futex_wait(&tid, seen, UINT64_MAX);
}

int
collector_start_stw(void) {
  if (!stack)
    stack = meta_alloc(STACK_BYTES);
  if (!stack || (!block && !make_block()))
    return ENOMEM;
  atom_int_store_rlx(&tid, 1);
  atom_int_store_rlx(&phase, COLLECTOR_STARTS);
  int err = platform_start_helper(collector_main, NULL, stack + STACK_BYTES, block, &tid);
  if (err) {
    atom_int_store_rlx(&tid, 0);
    fallback_note(FALLBACK_WATCH);
    return err;
  }
  return await_end_of_phase(COLLECTOR_STARTS) == COLLECTOR_HAS_FAILED ? failed_err : 0;
}

void
collector_run(void (*work)(void *arg), void *arg) {
  collector_work = work;
  collector_arg = arg;
  enter_phase(COLLECTOR_MAY_RUN);
}

void
collector_adopt_fork(void) {
  atom_int_store_rlx(&tid, 0);
}
