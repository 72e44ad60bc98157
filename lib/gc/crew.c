/* SPDX-License-Identifier: MIT */
#include "gc/crew.h"

#include "base/cgroup.h"
#include "base/fallback.h"
#include "base/hull.h"
#include "base/meta.h"
#include "base/options.h"
#include "base/platform.h"

enum { CREW_STACK_BYTES = 64 * 1024, TID_UNKNOWN = 1 };

/* Less than this is done before another thread has started. */
#define CREW_BYTES_MIN (CGC_CONFIG_HOSTILE ? 64 * KIB : 8 * MIB)

struct crew_member {
  char *stack;
  atom_int tid;          /* not 0 while it exists, TID_UNKNOWN until it does; the kernel sets and clears it */
  unsigned index;
};

/* Owned by whoever holds the cycle lock. */
static struct crew_member members[CREW_MAX];
static void (*crew_work)(unsigned index, void *arg);
static void *crew_arg;

static atom_word crew_cpu_ns;

static atom_int crew_threads;   /* 0 until the crew is complete: members wait for it */

unsigned
crew_count(void) {
  return atom_int_load_acq(&crew_threads);   /* pairs with crew_run */
}

/* Who takes more than its group's share has to stand still until the next period, stopped world and all. */
static unsigned
processors(void) {
  uint64_t whole = cgroup_limits()->cpu_ms_per_s / 1000;
  return (unsigned)max_u64(min_u64(platform_cpu_count(), whole), 1);
}

unsigned
crew_size_for(size_t bytes) {
  if (bytes < CREW_BYTES_MIN)
    return 1;
  unsigned wanted = (unsigned)option(OPTION_MARKERS);
  if (!wanted)
    wanted = processors();
  return wanted < CREW_MAX ? wanted : CREW_MAX;
}

static void
member_main(void *arg) {
  const struct crew_member *member = arg;
  while (!crew_count())
    platform_futex_wait(&crew_threads, 0, UINT64_MAX);
  crew_work(member->index, crew_arg);
  if (option(OPTION_TRACE))
    atom_add_full(&crew_cpu_ns, platform_thread_cpu_ns());
}

static bool
start_member(struct crew_member *member) {
  if (!member->stack)
    member->stack = meta_alloc(CREW_STACK_BYTES);
  if (!member->stack)
    return false;
  atom_int_store_rlx(&member->tid, TID_UNKNOWN);
  if (platform_start_helper(member_main, member, member->stack + CREW_STACK_BYTES, NULL, &member->tid) == 0)
    return true;
  atom_int_store_rlx(&member->tid, 0);
  return false;
}

static void
await_member(struct crew_member *member) {
  unsigned tid;
  while ((tid = atom_int_load_acq(&member->tid)) != 0)
    platform_futex_wait(&member->tid, tid, UINT64_MAX);
}

/* The kernel may leave a new thread where it was made, behind the thread that has made it, for some milliseconds: the
 * longer, the busier the other processors have been until the world was stopped.  A virtual machine's that sleep look
 * busy, too. */
static void
spread_members(unsigned count) {
  for (unsigned i = 1; i < count; i++) {
    unsigned tid = atom_int_load_rlx(&members[i].tid);
    if (tid > TID_UNKNOWN)
      platform_leave_this_cpu_to_caller((int)tid);
  }
}

unsigned
crew_run(unsigned count, void (*work)(unsigned index, void *arg), void *arg) {
  unsigned running = 1;
  crew_work = work;
  crew_arg = arg;
  for (; running < count; running++) {
    members[running].index = running;
    if (!start_member(&members[running])) {
      fallback_note(FALLBACK_ALONE);
      break;
    }
  }
  atom_int_store_rel(&crew_threads, running);   /* publishes all of the above */
  platform_futex_wake(&crew_threads, CREW_MAX);
  spread_members(running);
  work(0, arg);
  for (unsigned i = 1; i < running; i++)
    await_member(&members[i]);
  atom_int_store_rlx(&crew_threads, 0);
  return running;
}

uint64_t
crew_take_cpu_ns(void) {
  return atom_swap_full(&crew_cpu_ns, 0);
}

void
crew_adopt_fork(void) {
  for (unsigned i = 0; i < CREW_MAX; i++)
    atom_int_store_rlx(&members[i].tid, 0);
  atom_int_store_rlx(&crew_threads, 0);
}
