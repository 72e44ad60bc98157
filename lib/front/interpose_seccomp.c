/* SPDX-License-Identifier: MIT */
/* Filters that the program puts on itself are noted (base/syscall_filter.h), through whichever of the two calls. */
#include "front/interpose_seccomp.h"

#include "base/syscall_filter.h"
#include "front/interpose_park.h"
#include "front/next.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

typedef long call_function(long number, long a, long b, long c, long d, long e);

/* Noted before it is in force, as other threads may be collecting. */
static long
install_filter(call_function *call, long number, long a, long b, long c, long d, long e, uintptr_t program_addr) {
  int noted = next_is_prepared_sig() ? syscall_filter_add(program_addr, false) : SYSCALL_FILTER_NONE;
  long result = call(number, a, b, c, d, e);
  if (result)
    syscall_filter_forget(noted);
  else if (noted == SYSCALL_FILTER_NONE)
    syscall_filter_add(program_addr, true);   /* the kernel has read it */
  return result;
}

static long
install_strict(call_function *call, long number, long a, long b, long c, long d, long e) {
  long result = call(number, a, b, c, d, e);
  if (result == 0)
    syscall_filter_forbid_all();
  return result;
}

/* ---- seccomp(2), by number ---- */

static long
call_seccomp(long number, long operation, long flags, long program, long d, long e) {
  (void)d, (void)e;
  return interpose_next_syscall(number, operation, flags, program, 0, 0, 0);
}

long
interpose_seccomp(long operation, long flags, long program) {
  if (operation == SECCOMP_SET_MODE_FILTER)
    return install_filter(call_seccomp, SYS_seccomp, operation, flags, program, 0, 0, (uintptr_t)program);
  if (operation == SECCOMP_SET_MODE_STRICT)
    return install_strict(call_seccomp, SYS_seccomp, operation, flags, program, 0, 0);
  return call_seccomp(SYS_seccomp, operation, flags, program, 0, 0);
}

/* ---- prctl(2) ---- */

typedef int prctl_function(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

static long
call_prctl(long option, long a, long b, long c, long d, long e) {
  static atom_word found;
  (void)e;
  prctl_function *next = (prctl_function *)next_function(&found, "prctl");
  return next((int)option, (unsigned long)a, (unsigned long)b, (unsigned long)c, (unsigned long)d);
}

/* <sys/prctl.h> declares it as variadic. */
CGC_EXPORT prctl_function interpose_prctl __asm__("prctl");

int
interpose_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  long second = (long)a, third = (long)b, fourth = (long)c, fifth = (long)d;
  if (option == PR_SET_SECCOMP && a == SECCOMP_MODE_FILTER)
    return (int)install_filter(call_prctl, option, second, third, fourth, fifth, 0, b);
  if (option == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT)
    return (int)install_strict(call_prctl, option, second, third, fourth, fifth, 0);
  return (int)call_prctl(option, second, third, fourth, fifth, 0);
}
