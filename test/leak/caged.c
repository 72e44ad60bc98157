/* SPDX-License-Identifier: MIT */
/*
 * Leaks under a filter of system calls.
 *
 * usage: caged ptrace|files
 *   ptrace   death at ptrace
 *   files    no file can be opened, nor a process's memory read: EPERM
 */
#include "../hazards/hazard.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

static void
enter(const int *calls, unsigned count, unsigned action) {
  struct sock_filter code[16];
  struct sock_fprog program = {.filter = code};
  code[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < count; i++) {
    code[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1);
    code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
  }
  code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
    SKIP("seccomp: %s", strerror(errno));
}

static HZ_NOINLINE void
leak_caged(void *arg) {
  (void)arg;
  memset(malloc(100), 0x99, 100);
}

int
main(int argc, char **argv) {
  static const int ptrace_call[] = {SYS_ptrace}, files[] = {SYS_open, SYS_openat, SYS_process_vm_readv};
  if (argc == 2 && !strcmp(argv[1], "ptrace"))
    enter(ptrace_call, HZ_COUNT(ptrace_call), SECCOMP_RET_KILL_PROCESS);
  else
    enter(files, HZ_COUNT(files), SECCOMP_RET_ERRNO | EPERM);
  run_hidden(leak_caged, NULL);
  clear_stack();
  return 0;
}
