/* SPDX-License-Identifier: MIT */
#include "base/arch_x86_64.h"

#include <sched.h>
#include <sys/syscall.h>

__asm__(
  ".text\n"
  ".p2align 4\n"
  ".globl arch_call_spilled\n"
  ".hidden arch_call_spilled\n"
  ".type arch_call_spilled, @function\n"
  "arch_call_spilled:\n"
  "  .cfi_startproc\n"
  "  push %rbp\n  .cfi_adjust_cfa_offset 8\n"
  "  push %rbx\n  .cfi_adjust_cfa_offset 8\n"
  "  push %r12\n  .cfi_adjust_cfa_offset 8\n"
  "  push %r13\n  .cfi_adjust_cfa_offset 8\n"
  "  push %r14\n  .cfi_adjust_cfa_offset 8\n"
  "  push %r15\n  .cfi_adjust_cfa_offset 8\n"
  "  sub $8, %rsp\n  .cfi_adjust_cfa_offset 8\n"
  "  mov %rdi, %rax\n"
  "  mov %rsi, %rdi\n"
  "  mov %rsp, %rsi\n"
  "  call *%rax\n"
  "  add $56, %rsp\n  .cfi_adjust_cfa_offset -56\n"   /* nobody changed the registers */
  "  ret\n"
  "  .cfi_endproc\n"
  ".size arch_call_spilled, . - arch_call_spilled\n"

  ".p2align 4\n"
  ".globl arch_call_on_stack\n"
  ".hidden arch_call_on_stack\n"
  ".type arch_call_on_stack, @function\n"
  "arch_call_on_stack:\n"
  "  .cfi_startproc\n"
  "  push %rbp\n  .cfi_adjust_cfa_offset 8\n  .cfi_offset %rbp, -16\n"
  "  mov %rsp, %rbp\n  .cfi_def_cfa_register %rbp\n"
  "  push %rbx\n"
  "  push %r12\n"
  "  push %r13\n"
  "  push %r14\n"
  "  push %r15\n"
  "  mov %rdi, %rax\n"
  "  mov %rsi, %rdi\n"
  "  mov %rsp, %rsi\n"
  "  mov %rdx, %rsp\n"
  "  call *%rax\n"
  "  lea -40(%rbp), %rsp\n"
  "  pop %r15\n"
  "  pop %r14\n"
  "  pop %r13\n"
  "  pop %r12\n"
  "  pop %rbx\n"
  "  pop %rbp\n  .cfi_def_cfa %rsp, 8\n"
  "  ret\n"
  "  .cfi_endproc\n"
  ".size arch_call_on_stack, . - arch_call_on_stack\n"

  ".p2align 4\n"
  ".globl arch_clone_raw\n"
  ".hidden arch_clone_raw\n"
  ".type arch_clone_raw, @function\n"
  /* flags, stack with the function and its argument on top, parent_tid, child_tid, thread block */
  "arch_clone_raw:\n"
  "  .cfi_startproc\n"
  "  mov %rcx, %r10\n"
  "  mov $" CGC_STRING(__NR_clone) ", %eax\n"
  "  syscall\n"
  "  test %rax, %rax\n"
  "  jz 1f\n"
  "  ret\n"
  "1:\n"
  "  .cfi_undefined %rip\n"
  "  xor %ebp, %ebp\n"
  "  pop %rax\n"
  "  pop %rdi\n"
  "  call *%rax\n"
  "  xor %edi, %edi\n"
  "  mov $" CGC_STRING(__NR_exit) ", %eax\n"
  "  syscall\n"
  "  hlt\n"
  "  .cfi_endproc\n"
  ".size arch_clone_raw, . - arch_clone_raw\n"

  /* Debuggers and unwinders know a signal frame by these very bytes. */
  ".p2align 4\n"
  "  nop\n"
  ".globl arch_signal_restorer\n"
  ".hidden arch_signal_restorer\n"
  ".type arch_signal_restorer, @function\n"
  "arch_signal_restorer:\n"
  "  mov $" CGC_STRING(__NR_rt_sigreturn) ", %rax\n"
  "  syscall\n"
  ".size arch_signal_restorer, . - arch_signal_restorer\n");

extern long arch_clone_raw(unsigned long flags, void *stack, int *parent_tid, int *child_tid, void *block);

long
arch_clone_thread(void (*function)(void *arg), void *arg, void *stack_top, void *block, int *tid_cleared) {
  uintptr_t *stack = (uintptr_t *)stack_top - 2;
  stack[0] = (uintptr_t)function;
  stack[1] = (uintptr_t)arg;
  unsigned long flags = block ? ARCH_THREAD_FLAGS | CLONE_SETTLS : ARCH_THREAD_FLAGS;
  return arch_clone_raw(flags, stack, tid_cleared, tid_cleared, block);
}

/* The start of the thread control block, as libc lays it out: itself at 0 and 16, the stack guard at 40, the pointer
 * guard at 48. */
void
arch_fill_thread_block(void *block) {
  enum { SELF = 0, SELF_AGAIN = 2, WORDS = 8 };
  uintptr_t *to = block;
  const uintptr_t *from = (const uintptr_t *)arch_thread_block();
  for (unsigned i = 0; i < WORDS; i++)
    to[i] = from[i];
  to[SELF] = to[SELF_AGAIN] = (uintptr_t)block;
}

unsigned
arch_vector_bytes(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    return 64;
  return __builtin_cpu_supports("avx2") ? 32 : 0;
}
