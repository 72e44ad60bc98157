/* SPDX-License-Identifier: MIT */
#include "world/stop.h"

#include "base/arch_x86_64.h"
#include "base/hull.h"
#include "base/options.h"
#include "base/platform.h"
#include "world/park.h"
#include "world/stop_signal.h"
#include "world/tasks.h"

#include <errno.h>
#include <ucontext.h>

enum {
  ANSWER_WAIT_NS = 200 * 1000,           /* between two looks at who is missing */
  ASLEEP_AFTER_NS = 2 * 1000 * 1000,     /* then the kernel is asked about silent threads */
};

/* Futex of the stopped threads. */
atom_int stop_world_generation;

/* Counts answers.  Futex of the stopper. */
static atom_int stop_answers;

static int stopper_tid;

/* ---- the stopped side ---- */

static void
answer(struct cgc_thread *thread, unsigned generation) {
  /* rel: publishes what it says about the thread; pairs with has_answered */
  atom_int_store_rel(&thread->stopped_in, generation);
  atom_int_add_full(&stop_answers, 1);
  platform_futex_wake(&stop_answers, 1);
}

void
stop_world_await_resume(unsigned generation) {
  while (atom_int_load_acq(&stop_world_generation) == generation)
    platform_futex_wait(&stop_world_generation, generation, UINT64_MAX);
}

static struct cgc_thread *
record_in_signal(const siginfo_t *info) {
  uintptr_t addr = (uintptr_t)info->si_value.sival_ptr;
  if (info->si_code != SI_QUEUE || addr - hull.meta_addr >= HULL_META_BYTES)
    return NULL;   /* not ours: the program's own use of the signal */
  return (struct cgc_thread *)addr;
}

/* All signals are blocked until the handler returns: it may be that of another signal, with the program's
 * mask. */
static void
stop_sig(struct cgc_thread *thread, unsigned generation, const void *context) {
  const ucontext_t *frame = context;
  platform_block_signals();
  thread->context = context;
  thread->stack_pointer = (uintptr_t)frame->uc_mcontext.gregs[REG_RSP] - ARCH_RED_ZONE_BYTES;
  answer(thread, generation);
  stop_world_await_resume(generation);
}

bool
stop_world_take_sig(const siginfo_t *info, void *context) {
  struct cgc_thread *thread = record_in_signal(info);
  if (!thread)
    return false;
  atom_int_store_rlx(&thread->pending_signal, 0);
  stop_signal_follow_sig(thread, context);
  unsigned generation = atom_int_load_acq(&stop_world_generation);
  if (!(generation & 1))
    return true;   /* given up or over */
  if (atom_int_load_rlx(&thread->cache.is_inside))
    atom_int_store_rlx(&thread->cache.is_stop_wanted, 1);   /* stop_world_yield does it */
  else
    stop_sig(thread, generation, context);
  return true;
}

static void
yield_spilled(void *arg, uintptr_t stack_pointer) {
  struct cgc_thread *thread = arg;
  unsigned generation = atom_int_load_acq(&stop_world_generation);
  if (!(generation & 1))
    return;
  if (atom_int_load_rlx(&thread->stopped_in) != generation) {   /* else taken as stopped while it slept */
    thread->context = NULL;
    thread->stack_pointer = stack_pointer;
    answer(thread, generation);
  }
  stop_world_await_resume(generation);
}

/* Signals that were put off blocked all others; restoring the mask lets the kernel deliver them. */
static uint64_t
mask_after_slow_path(struct thread_cache *cache, uint64_t mask) {
  struct cgc_thread *thread = (struct cgc_thread *)cache;
  bool has_put_off = thread->has_put_off;
  thread->has_put_off = false;
  return has_put_off ? thread->put_off_mask : mask;
}

/* With signals blocked, for the handler publishes to the same fields. */
void
stop_world_yield(struct thread_cache *cache) {
  uint64_t mask = platform_block_signals();
  atom_int_store_rlx(&cache->is_stop_wanted, 0);
  arch_call_spilled(yield_spilled, cache);
  platform_restore_signals(mask_after_slow_path(cache, mask));
}

bool
stop_world_is_on_by_other(void) {
  return stop_world_is_on() && platform_thread_id() != stopper_tid;
}

/* ---- the stopper's side ---- */

struct stop_round {
  struct stop_result *result;
  unsigned generation;
  unsigned missing;
  bool has_handler;        /* the stop signal is ours, as far as that is needed */
  bool has_synchronized;   /* it can be told who is parked */
  bool may_be_asleep;      /* long enough has been waited to ask the kernel */
  int  err;
};

static bool
has_answered(const struct cgc_thread *thread, unsigned generation) {
  return atom_int_load_acq(&thread->stopped_in) == generation;
}

static int
signal_for(const struct cgc_thread *thread) {
  return (int)atom_int_load_rlx(&thread->stop_signal);
}

static void
ask_to_stop(struct cgc_thread *thread, int tid) {
  int signal = signal_for(thread);
  if ((int)atom_int_load_rlx(&thread->pending_signal) == signal || stop_signal_ensure_for(thread))
    return;   /* it has not taken the last one, or must not get any */
  atom_int_store_rlx(&thread->pending_signal, (unsigned)signal);
  if (platform_send_signal(tid, signal, thread))
    atom_int_store_rlx(&thread->pending_signal, 0);   /* queue full: again in the next round */
}

/* Whether the thread is parked; if so it is stopped now.  acq: pairs with park_begin.  A signal on its way to it
 * from before must be answered. */
static bool
take_parked(struct cgc_thread *thread, unsigned generation) {
  if (!atom_int_load_acq(&thread->is_parked) || atom_int_load_rlx(&thread->pending_signal))
    return false;
  thread->is_kernel_parked = false;
  thread->context = NULL;
  thread->stack_pointer = thread->parked_stack_pointer;
  atom_int_store_rel(&thread->stopped_in, generation);
  return true;
}

/* What comes before a first look at another thread: these steps cost a process of one thread nothing. */
static int
prepare_round(struct stop_round *round) {
  if (!round->has_synchronized)
    round->err = park_synchronize();
  round->has_synchronized = !round->err;
  if (!round->err && !round->has_handler)
    round->err = stop_signal_ensure();
  round->has_handler = !round->err;
  return round->err;
}

/* Whether the thread sleeps with all signals blocked; it is believed after some waiting, or at once if it
 * has not run since the last cycle. */
static bool
try_park(struct cgc_thread *thread, int tid, bool has_waited) {
  struct task_sleep sleep;
  bool was_parked = thread->is_kernel_parked;
  thread->is_kernel_parked = false;
  if (atom_int_load_rlx(&thread->cache.is_inside))
    return false;   /* it waits for a lock, and will go on */
  if ((!has_waited && !was_parked) || !tasks_is_asleep(tid, signal_for(thread), &sleep) ||
      (!has_waited && sleep.fingerprint != thread->parked_fingerprint))
    return false;
  if (has_answered(thread, atom_int_load_rlx(&stop_world_generation)))
    return true;   /* it sleeps in our handler */
  thread->is_kernel_parked = true;
  thread->parked_fingerprint = sleep.fingerprint;
  thread->context = NULL;
  thread->stack_pointer = sleep.stack_pointer - ARCH_RED_ZONE_BYTES;
  atom_int_store_rel(&thread->stopped_in, atom_int_load_rlx(&stop_world_generation));
  return true;
}

/* One look at one thread. */
static bool
visit_thread(int tid, void *arg) {
  struct stop_round *round = arg;
  if (tid == stopper_tid)
    return true;
  struct cgc_thread *thread = thread_find_or_add(tid);
  if (!thread) {
    round->err = ENOMEM;
    return false;
  }
  if (prepare_round(round))
    return false;
  if (thread->is_dead)
    return true;
  bool is_stopped = has_answered(thread, round->generation) || take_parked(thread, round->generation);
  /* A put-off stop has consumed its signal: no other is needed. */
  if (!is_stopped && !atom_int_load_rlx(&thread->cache.is_stop_wanted))
    ask_to_stop(thread, tid);
  if (is_stopped || try_park(thread, tid, round->may_be_asleep)) {
    round->result->threads++;
    round->result->kernel_parked += thread->is_kernel_parked;
    return true;
  }
  if (round->may_be_asleep && tasks_is_dead(tid)) {
    thread->is_dead = true;
    return true;
  }
  if (round->may_be_asleep)
    stop_signal_repair(thread, tasks_blocked_signals(tid));
  round->missing++;
  round->result->silent_tid = tid;
  return true;
}

static int
stop_round(struct stop_round *round) {
  *round->result = (struct stop_result){0};
  round->missing = 0;
  round->err = 0;
  int err = tasks_visit(visit_thread, round);
  return err ? err : round->err;
}

/* Rounds until everybody was stopped before a listing began.  A thread that answered during the listing may have
 * made another after its entry was read. */
static int
stop_all(struct stop_round *round) {
  uint64_t start_ns = platform_now_ns(), limit_ns = option(OPTION_STOP_TIMEOUT) * 1000000;
  for (;;) {
    unsigned answers = atom_int_load_acq(&stop_answers);
    int err = stop_round(round);
    if (err || (!round->missing && atom_int_load_acq(&stop_answers) == answers))
      return err;
    if (!round->missing)
      continue;
    uint64_t waited_ns = platform_now_ns() - start_ns;
    if (waited_ns > limit_ns)
      return ETIMEDOUT;
    round->may_be_asleep = waited_ns > ASLEEP_AFTER_NS;
    platform_futex_wait(&stop_answers, answers, ANSWER_WAIT_NS);
  }
}

/* A signal that did not arrive is sent again next time, unless it waits because the thread blocks it. */
static void
forget_lost_signals(void) {
  for (struct cgc_thread *thread = thread_first(); thread; thread = thread->next) {
    int tid = (int)atom_int_load_rlx(&thread->tid);
    int signal = (int)atom_int_load_rlx(&thread->pending_signal);
    if (tid && signal && !(tasks_blocked_signals(tid) & platform_signal_bit(signal)))
      atom_int_store_rlx(&thread->pending_signal, 0);
  }
}

int
stop_world_begin(struct stop_result *result) {
  *result = (struct stop_result){0};
  stopper_tid = platform_thread_id();
  unsigned generation = atom_int_add_full(&stop_world_generation, 1) + 1;
  struct stop_round round = {.result = result, .generation = generation};
  int err = stop_all(&round);
  if (err) {
    forget_lost_signals();
    stop_world_end();
  }
  return err;
}

void
stop_world_end(void) {
  stopper_tid = 0;
  atom_int_add_full(&stop_world_generation, 1);
  platform_futex_wake(&stop_world_generation, INT32_MAX);
}

bool
stop_world_has(const struct cgc_thread *thread) {
  return atom_int_load_rlx(&thread->stopped_in) == atom_int_load_rlx(&stop_world_generation);
}

bool
stop_world_is_still_parked(void) {
  for (struct cgc_thread *thread = thread_first(); thread; thread = thread->next) {
    struct task_sleep sleep;
    int tid = (int)atom_int_load_rlx(&thread->tid);
    if (tid && stop_world_has(thread) && thread->is_kernel_parked &&
        (!tasks_is_asleep(tid, signal_for(thread), &sleep) || sleep.fingerprint != thread->parked_fingerprint))
      return false;
  }
  return true;
}

void
stop_world_adopt_fork(void) {
  stopper_tid = 0;
  atom_int_store_rel(&stop_world_generation, (atom_int_load_rlx(&stop_world_generation) + 2) & ~1u);
}
