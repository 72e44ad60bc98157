/* SPDX-License-Identifier: MIT */
/*
 * dlopen without RTLD_DEEPBIND: a library bound to libc's malloc while libc uses ours would mix blocks of
 * two allocators.  libc finds the caller's search path by the return address, so the call is passed on by
 * a jump.
 *
 * dlclose, so that stacks recorded in a library are told from those in the next one at the same addresses.
 */
#include "front/next.h"
#include "front/recorded.h"

typedef void *dlopen_function(const char *, int);

/* Named by the assembly. */
__attribute__((visibility("hidden"), used)) dlopen_function *interpose_dlopen_next(void);

dlopen_function *
interpose_dlopen_next(void) {
  return (dlopen_function *)dlsym(RTLD_NEXT, "dlopen");
}

__asm__(
  ".text\n"
  ".p2align 4\n"
  ".globl dlopen\n"
  ".type dlopen, @function\n"
  "dlopen:\n"
  "  .cfi_startproc\n"
  "  push %rdi\n  .cfi_adjust_cfa_offset 8\n"
  "  push %rsi\n  .cfi_adjust_cfa_offset 8\n"
  "  sub $8, %rsp\n  .cfi_adjust_cfa_offset 8\n"
  "  call interpose_dlopen_next\n"
  "  add $8, %rsp\n  .cfi_adjust_cfa_offset -8\n"
  "  pop %rsi\n  .cfi_adjust_cfa_offset -8\n"
  "  pop %rdi\n  .cfi_adjust_cfa_offset -8\n"
  "  and $~" CGC_STRING(RTLD_DEEPBIND) ", %esi\n"
  "  jmp *%rax\n"
  "  .cfi_endproc\n"
  ".size dlopen, . - dlopen\n");

CGC_EXPORT int
dlclose(void *library) {
  static atom_word found;
  int (*next)(void *) = (int (*)(void *))next_function(&found, "dlclose");
  int result = next(library);
  if (recorded_is_wanted())
    recorder_note_unloading();
  return result;
}
