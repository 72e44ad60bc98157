/* SPDX-License-Identifier: MIT */
/*
 * What only assembly can do on x86-64: raw system calls (which leave errno
 * alone), spilling registers, the mangling of jmp_buf, and threads without libc.
 */
#ifndef CGC_BASE_ARCH_X86_64_H
#define CGC_BASE_ARCH_X86_64_H

#if !defined(__x86_64__) || !defined(__linux__) || !defined(__LP64__)
#error "cgc supports Linux on x86-64 only"
#endif

#include "base/compiler.h"

#define ARCH_RED_ZONE_BYTES   128
#define ARCH_ADDRESS_BITS     47
#define ARCH_PAGE_BYTES       4096

CGC_INLINE long
arch_syscall(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* Pushes the callee-saved registers and calls function(arg, stack pointer below
 * them); from there up the stack holds all that the caller kept. */
void arch_call_spilled(void (*function)(void *arg, uintptr_t stack_pointer), void *arg);

/* The same, with function running on another stack. */
void arch_call_on_stack(void (*function)(void *arg, uintptr_t stack_pointer), void *arg, void *stack_top);

/* This function's stack pointer: all that it and its callers keep lies there or above. */
CGC_INLINE uintptr_t
arch_stack_pointer(void) {
  uintptr_t stack_pointer;
  __asm__ volatile("mov %%rsp, %0" : "=r"(stack_pointer));
  return stack_pointer;
}

/* Zeroes the stack below the caller, from start_addr on: what returned functions left there. */
CGC_INLINE void
arch_clear_stack_below(uintptr_t start_addr) {
  uintptr_t end_addr = arch_stack_pointer() - ARCH_RED_ZONE_BYTES, words = (end_addr - start_addr) / sizeof(uintptr_t);
  if (start_addr < end_addr)
    __asm__ volatile("rep stosq" : "+D"(start_addr), "+c"(words) : "a"(0) : "memory");
}

/* The secret with which glibc mangles rbp, rsp and pc in a jmp_buf. */
CGC_INLINE uintptr_t
arch_pointer_guard(void) {
  uintptr_t guard;
  __asm__("mov %%fs:0x30, %0" : "=r"(guard));
  return guard;
}

/* glibc stores rotate_left(pointer ^ guard, 17). */
CGC_INLINE uintptr_t
arch_demangle(uintptr_t mangled, uintptr_t guard) {
  return (mangled >> 17 | mangled << 47) ^ guard;
}

/* Of the integer vectors that the processor and the system know: 64 (AVX-512F), 32 (AVX2), or 0. */
unsigned arch_vector_bytes(void);

/* What arch_clone_thread passes to clone(2). */
#define ARCH_THREAD_FLAGS                                                               \
  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* clone(2) of a thread that shares everything, knows no libc and runs
 * function(arg) on the given stack, and with that thread control block (NULL: the caller's), then exits.
 * *tid_cleared is set to 0 and woken when it is gone.  Returns its id or a negative errno code. */
long arch_clone_thread(void (*function)(void *arg), void *arg, void *stack_top, void *block, int *tid_cleared);

/* The calling thread's control block, below which thread-local variables lie. */
CGC_INLINE uintptr_t
arch_thread_block(void) {
  uintptr_t block;
  __asm__("mov %%fs:0, %0" : "=r"(block));
  return block;
}

/* Makes memory a control block like the calling thread's. */
void arch_fill_thread_block(void *block);

/* The function that the kernel returns to after a signal handler. */
void arch_signal_restorer(void);

#endif
