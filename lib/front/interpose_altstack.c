/* SPDX-License-Identifier: MIT */
/* sigaltstack: the stack may be a block whose address the kernel alone knows. */
#include "base/platform.h"
#include "front/next.h"
#include "world/thread.h"

#include <signal.h>

typedef int altstack_function(const stack_t *, stack_t *);

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
  if (thread)
    atom_store_rlx(&thread->alternate_stack_addr, platform_alternate_stack());
  return result;
}
