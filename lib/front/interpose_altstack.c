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

/* Async-signal-safe, like the call itself.  Both stacks are known until the new one is noted: the old one by the
 * record, the new one by the caller.  What the call has set is asked of the kernel, which alone may read its
 * argument. */
CGC_EXPORT int
sigaltstack(const stack_t *restrict stack, stack_t *restrict old) {
  static atom_word next;
  int result = ((altstack_function *)next_function(&next, "sigaltstack"))(stack, old);
  if (!stack || result)
    return result;
  next_is_prepared_sig();
  struct cgc_thread *thread = thread_self();
  if (!thread)
    return result;
  uintptr_t addr = platform_alternate_stack();
  atom_store_rlx(&thread->alternate_stack_addr, addr);
  if (lies_among_frames(thread, addr))
    signal_action_stay_on_stack();
  return result;
}
