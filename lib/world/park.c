/* SPDX-License-Identifier: MIT */
#include "world/park.h"

#include "base/fallback.h"
#include "base/platform.h"

#include <errno.h>

atom_int park_needs_fence;

static void
put_up_fences(void) {
  atom_int_store_rlx(&park_needs_fence, 1);
  fallback_note(FALLBACK_FENCES);
}

static bool is_barrier_untried;

/* Under a filter of system calls it is not tried before the filter has been (base/syscall_probe.h). */
void
park_init(void) {
  is_barrier_untried = platform_has_filter();
  if (is_barrier_untried)
    atom_int_store_rlx(&park_needs_fence, 1);
  else if (platform_barrier_all_threads())
    put_up_fences();
}

/* Who sees that no fence is needed any more runs after the stopper's barrier works. */
void
park_init_filtered(void) {
  if (!is_barrier_untried)
    return;
  is_barrier_untried = false;
  if (platform_barrier_all_threads())
    put_up_fences();
  else
    atom_int_store_rel(&park_needs_fence, 0);
}

/* Refused for the first time, by a filter of system calls: from now on the threads have fences, but some
 * may be on their way into a call without. */
int
park_synchronize(void) {
  if (atom_int_load_rlx(&park_needs_fence) || platform_barrier_all_threads() == 0)
    return 0;
  put_up_fences();
  return EAGAIN;
}

static void
await_resume(void) {
  unsigned generation = atom_int_load_acq(&stop_world_generation);
  if (generation & 1)
    stop_world_await_resume(generation);
}

/* A stop signal sent before the thread parked would end its call: it is taken before the call.  It has been sent
 * when the flag is seen, unless it was lost. */
static void
take_late_signal(struct cgc_thread *thread) {
  for (int i = 0; i < 8 && atom_int_load_acq(&thread->pending_signal); i++)
    platform_yield();
}

void
park_begin_slow(struct cgc_thread *thread) {
  while (stop_world_is_on())
    await_resume();
  take_late_signal(thread);
}

/* While it waits it is parked again, so that a stop that has not seen it yet need not send a signal. */
void
park_end_slow(struct cgc_thread *thread) {
  if (!meta_is_native())
    return;   /* a child forked meanwhile: the stop was its parent's */
  do {
    atom_int_store_rel(&thread->is_parked, 1);
    await_resume();
    atom_int_store_rlx(&thread->is_parked, 0);
    park_fence();
  } while (stop_world_is_on());
}

struct cgc_thread *
park_self(void) {
  return thread_cache_self == &thread_cache_parked ? thread_registered_self() : NULL;
}

struct park_interrupted
park_interrupt(void) {
  struct park_interrupted interrupted = {.thread = park_self()};
  if (interrupted.thread) {
    interrupted.stack_pointer = interrupted.thread->parked_stack_pointer;
    park_end(interrupted.thread);
  }
  return interrupted;
}

void
park_resume(const struct park_interrupted *interrupted) {
  if (interrupted->thread)
    park_begin(interrupted->stack_pointer);
}

void
park_break(void) {
  struct cgc_thread *thread = park_self();
  if (thread)
    park_end(thread);
}
