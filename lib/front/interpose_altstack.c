/* SPDX-License-Identifier: MIT */
/* sigaltstack: the stack may be a block whose address the kernel alone knows. */
#include "base/arch_x86_64.h"
#include "base/platform.h"
#include "front/next.h"
#include "world/signal_action.h"
#include "world/thread.h"

#include <signal.h>

typedef int altstack_function(const stack_t *, stack_t *);

/* Whether it is an array in a frame of this very stack.  When that function returns, the frames of others come to lie
 * there; they must not be overwritten by a signal that the program knows nothing of. */
static bool
lies_among_frames(const struct cgc_thread *thread, uintptr_t addr) {
  uintptr_t stack_pointer = arch_stack_pointer(), end_addr = platform_main_stack_end();
  if (thread->stack_low_addr <= stack_pointer && stack_pointer < thread->stack_end_addr)
    end_addr = thread->stack_end_addr;
  return stack_pointer <= addr && addr < end_addr && end_addr - stack_pointer <= MAIN_STACK_BYTES_MAX;
}

/* Some programs give all threads the same one, for a signal that ends them all.  Two that are stopped at a time would
 * overwrite each other's frames there. */
static bool
is_of_another(const struct cgc_thread *self, uintptr_t addr) {
  for (const struct cgc_thread *thread = thread_first(); thread; thread = thread->next) {
    int tid = (int)atom_int_load_rlx(&thread->tid);
    if (thread != self && atom_load_rlx(&thread->alternate_stack_addr) == addr && tid && platform_thread_exists(tid))
      return true;
  }
  return false;
}

/* What its size was enough for may have been a smaller processor's signals, or none. */
static bool
is_small(size_t bytes) {
  enum { HANDLER_BYTES = 4096 };
  return bytes < platform_signal_frame_bytes() + HANDLER_BYTES;
}

/* full: of two threads that note the same one at a time one sees the other. */
static void
note(struct cgc_thread *thread, struct platform_signal_stack stack) {
  atom_swap_full(&thread->alternate_stack_addr, stack.addr);
  if (!stack.addr)
    return;
  if (lies_among_frames(thread, stack.addr) || is_of_another(thread, stack.addr) || is_small(stack.bytes))
    signal_action_stay_on_stack();
}

/* What the call has set is asked of the kernel, which alone may read its argument. */
static int
set_and_note(altstack_function *next, const stack_t *stack, stack_t *old) {
  int result = next(stack, old);
  if (result)
    return result;
  next_is_prepared_sig();
  struct cgc_thread *thread = thread_self();
  if (thread)
    note(thread, platform_alternate_stack());
  return result;
}

/* Async-signal-safe, like the call itself.  Both stacks are known until the new one is noted: the old one by the
 * record, the new one by the caller.  No signal uses the new one before it is known to be this thread's alone. */
CGC_EXPORT int
sigaltstack(const stack_t *restrict stack, stack_t *restrict old) {
  static atom_word found;
  altstack_function *next = (altstack_function *)next_function(&found, "sigaltstack");
  if (!stack)
    return next(stack, old);
  uint64_t mask = platform_block_signals();
  int result = set_and_note(next, stack, old);
  platform_restore_signals(mask);
  return result;
}
