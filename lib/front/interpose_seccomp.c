/* SPDX-License-Identifier: MIT */
/* Filters that the program puts on itself are noted (base/syscall_filter.h), through whichever of the two calls. */
#include "front/interpose_seccomp.h"

#include "base/syscall_filter.h"
#include "front/interpose_park.h"
#include "front/next.h"
#include "world/signal_action.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { STRICT_MODE = -3 };   /* beside syscall_filter_add's */

/* Before it is in force: other threads may be collecting, and strict mode punishes every question.  A vfork child's is
 * not its parent's. */
static int
note(long mode, uintptr_t program_addr) {
  if (signal_action_is_vfork_child())
    return SYSCALL_FILTER_NONE;
  if (mode == SECCOMP_MODE_STRICT)
    return STRICT_MODE;
  if (next_is_prepared_sig())
    return syscall_filter_add(program_addr);
  syscall_filter_forbid_all();
  return SYSCALL_FILTER_FULL;
}

static void
settle(int noted, bool is_in_force) {
  if (!is_in_force)
    syscall_filter_forget(noted);
  else if (noted == STRICT_MODE)
    syscall_filter_forbid_all();
}

/* A result above 0 is a listener of the filter, or a thread that could not be taken along: it may be in force. */
long
interpose_seccomp(long operation, long flags, long program) {
  int noted = SYSCALL_FILTER_NONE;
  if (operation == SECCOMP_SET_MODE_FILTER || operation == SECCOMP_SET_MODE_STRICT)
    noted = note(operation == SECCOMP_SET_MODE_FILTER ? SECCOMP_MODE_FILTER : SECCOMP_MODE_STRICT, (uintptr_t)program);
  long result = interpose_next_syscall(SYS_seccomp, operation, flags, program, 0, 0, 0);
  settle(noted, result >= 0);
  return result;
}

typedef int prctl_function(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

/* <sys/prctl.h> declares it as variadic. */
CGC_EXPORT prctl_function interpose_prctl __asm__("prctl");

int
interpose_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  static atom_word found;
  prctl_function *next = (prctl_function *)next_function(&found, "prctl");
  int noted = option == PR_SET_SECCOMP ? note((long)a, b) : SYSCALL_FILTER_NONE;
  int result = next(option, a, b, c, d);
  settle(noted, result >= 0);
  return result;
}
