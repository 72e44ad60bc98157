/* SPDX-License-Identifier: MIT */
/* Filters that the program puts on itself are noted (base/syscall_filter.h), through whichever of the two calls. */
#include "front/interpose_seccomp.h"

#include "base/syscall_filter.h"
#include "front/interpose_park.h"
#include "front/next.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Before it is in force, as other threads may be collecting. */
static int
note_filter(uintptr_t program_addr) {
  if (next_is_prepared_sig())
    return syscall_filter_add(program_addr);
  syscall_filter_forbid_all();
  return SYSCALL_FILTER_FULL;
}

long
interpose_seccomp(long operation, long flags, long program) {
  int noted = operation == SECCOMP_SET_MODE_FILTER ? note_filter((uintptr_t)program) : SYSCALL_FILTER_NONE;
  long result = interpose_next_syscall(SYS_seccomp, operation, flags, program, 0, 0, 0);
  if (result)
    syscall_filter_forget(noted);
  else if (operation == SECCOMP_SET_MODE_STRICT)
    syscall_filter_forbid_all();
  return result;
}

typedef int prctl_function(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

/* <sys/prctl.h> declares it as variadic. */
CGC_EXPORT prctl_function interpose_prctl __asm__("prctl");

int
interpose_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  static atom_word found;
  prctl_function *next = (prctl_function *)next_function(&found, "prctl");
  bool is_seccomp = option == PR_SET_SECCOMP;
  int noted = is_seccomp && a == SECCOMP_MODE_FILTER ? note_filter(b) : SYSCALL_FILTER_NONE;
  int result = next(option, a, b, c, d);
  if (result)
    syscall_filter_forget(noted);
  else if (is_seccomp && a == SECCOMP_MODE_STRICT)
    syscall_filter_forbid_all();
  return result;
}
