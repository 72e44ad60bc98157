/* SPDX-License-Identifier: MIT */
/*
 * refuse CALL[=ANSWER],... COMMAND [ARGUMENT...]
 *
 * Runs a command under a seccomp filter that refuses system calls, with EPERM or the answer given (EPERM,
 * ENOSYS, EACCES, kill): what containers and sandboxes do.  The command's children inherit the filter.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct named_number {
  const char *name;         /* NULL ends a table */
  unsigned number;
};

static const struct named_number calls[] = {
  {"userfaultfd", SYS_userfaultfd}, {"membarrier", SYS_membarrier}, {"process_vm_readv", SYS_process_vm_readv},
  {"clone3", SYS_clone3},           {"ioctl", SYS_ioctl},           {"madvise", SYS_madvise},
  {"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo},                     {"sched_getaffinity", SYS_sched_getaffinity},
  {"close_range", 436},             {"readlink", SYS_readlink},
  {NULL, 0},
};

static const struct named_number answers[] = {
  {"EPERM", SECCOMP_RET_ERRNO | EPERM},   {"ENOSYS", SECCOMP_RET_ERRNO | ENOSYS},
  {"EACCES", SECCOMP_RET_ERRNO | EACCES}, {"kill", SECCOMP_RET_KILL_PROCESS},
  {NULL, 0},
};

static struct sock_filter code[2 * sizeof calls / sizeof *calls + 2];
static unsigned short length;

static void
die(const char *what, const char *which) {
  fprintf(stderr, "refuse: %s: %s\n", what, which);
  exit(2);
}

static unsigned
number_of(const char *name, const struct named_number *table, const char *unknown) {
  for (; table->name; table++)
    if (!strcmp(table->name, name))
      return table->number;
  die(unknown, name);
  return 0;
}

static void
add(struct sock_filter step) {
  if (length == sizeof code / sizeof *code)
    die("too many", "system calls");
  code[length++] = step;
}

static void
refuse(char *item) {
  char *equals = strchr(item, '=');
  if (equals)
    *equals = 0;
  unsigned number = number_of(item, calls, "unknown system call");
  unsigned answer = number_of(equals ? equals + 1 : "EPERM", answers, "unknown answer");
  add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

int
main(int argc, char **argv) {
  if (argc < 3)
    die("usage", "refuse CALL[=ANSWER],... COMMAND [ARGUMENT...]");
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  for (char *item = strtok(argv[1], ","); item; item = strtok(NULL, ","))
    refuse(item);
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  struct sock_fprog program = {length, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
    die("seccomp", strerror(errno));
  execvp(argv[2], argv + 2);
  die(argv[2], strerror(errno));
}
