/* SPDX-License-Identifier: MIT */
/*
 * A vfork child runs on its parent's record: a call that may block parks the parent.  That is right, as the
 * parent waits for the child.  But a child that is killed in such a call leaves the parent parked when it runs again.
 *
 * The function returns twice from one frame, so the return address waits in a register, which is not shared.
 */
#include "world/park.h"

#include <errno.h>
#include <sys/types.h>

__attribute__((visibility("hidden"), used)) pid_t interpose_vfork_in_parent(long result);

pid_t
interpose_vfork_in_parent(long result) {
  park_break();
  if (result >= 0)
    return (pid_t)result;
  errno = (int)-result;
  return -1;
}

__asm__(
  ".text\n"
  ".p2align 4\n"
  ".globl vfork\n"
  ".type vfork, @function\n"
  ".globl __vfork\n"
  ".type __vfork, @function\n"
  "vfork:\n"
  "__vfork:\n"
  "  .cfi_startproc\n"
  "  pop %rdi\n  .cfi_adjust_cfa_offset -8\n  .cfi_register %rip, %rdi\n"
  "  mov $58, %eax\n"   /* SYS_vfork */
  "  syscall\n"
  "  push %rdi\n  .cfi_adjust_cfa_offset 8\n  .cfi_offset %rip, -8\n"
  "  mov %rax, %rdi\n"
  "  test %rax, %rax\n"
  "  jnz interpose_vfork_in_parent\n"
  "  ret\n"
  "  .cfi_endproc\n"
  ".size vfork, . - vfork\n"
  ".size __vfork, . - __vfork\n");
