/* SPDX-License-Identifier: MIT */
/*
 * A program that locks itself into a sandbox, as servers do: a filter that kills for system calls that it does not need,
 * but that a collector would make.  It must live, and its memory must stay intact.
 *
 * usage: sandboxed none|prctl|seccomp|tsync|listener|strict|vfork
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern int cgc_collect(void) __attribute__((weak));

enum { THREADS = 2, ROUNDS = 300, BLOCKS = 1000 };

/* What this program needs from here on; also by way of malloc and free of any allocator. */
static const int needed[] = {
  SYS_read, SYS_write, SYS_exit, SYS_exit_group, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk,
  SYS_futex, SYS_clone, SYS_clone3, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_set_robust_list, SYS_rseq,
  SYS_getpid, SYS_gettid, SYS_clock_gettime, SYS_newfstatat, SYS_sched_yield,
};

static struct sock_filter code[2 * sizeof needed / sizeof *needed + 8];
static struct sock_fprog program = {.filter = code};

static void
die(const char *what) {
  perror(what);
  exit(1);
}

static void
add(struct sock_filter instruction) {
  code[program.len++] = instruction;
}

/* All but those: death. */
static void
write_filter(void) {
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
  add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)needed[i], 0, 1));
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
}

/* One that the kernel does not take must leave no trace. */
static void
try_bad_filters(void) {
  struct sock_fprog empty = {0};
  if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) || !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty) ||
      !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, ~0, &program))
    die("a bad filter was taken");
}

/* What the child does to itself does not keep its parent from collecting. */
static bool
lock_in_vfork_child(void) {
  int status;
  pid_t child = vfork();
  if (child == 0)
    _exit(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0);
  return waitpid(child, &status, 0) == child && status == 0 && (!cgc_collect || cgc_collect() == 0);
}

static void
enter(const char *how) {
  write_filter();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    die("no_new_privs");
  try_bad_filters();
  bool is_in = true;
  if (!strcmp(how, "prctl"))
    is_in = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  else if (!strcmp(how, "seccomp"))
    is_in = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  else if (!strcmp(how, "tsync"))
    is_in = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
  else if (!strcmp(how, "listener"))
    is_in = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) > 0;
  else if (!strcmp(how, "vfork"))
    is_in = lock_in_vfork_child();
  else if (!strcmp(how, "strict"))
    is_in = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0;
  if (!is_in)
    die(how);
}

static atomic_bool may_start, is_bad;
static atomic_int ready;

static void *
work(void *arg) {
  unsigned char **blocks = calloc(BLOCKS, sizeof *blocks);
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&may_start))
    ;
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < BLOCKS; i++) {
      size_t bytes = 16 + (size_t)(round * 7 + i) % 500;
      if (blocks[i] && blocks[i][0] != (unsigned char)i)
        atomic_store(&is_bad, true);
      blocks[i] = memset(malloc(bytes), (unsigned char)i, bytes);   /* the old one is garbage */
    }
  return arg;
}

int
main(int argc, char **argv) {
  const char *how = argc == 2 ? argv[1] : "";
  pthread_t threads[THREADS];
  printf("%s\n", how);
  fflush(stdout);
  if (strcmp(how, "strict") != 0)
    for (int i = 0; i < THREADS; i++)
      if (pthread_create(&threads[i], NULL, work, NULL))
        die("pthread_create");
  while (strcmp(how, "strict") != 0 && atomic_load(&ready) < THREADS)
    ;
  if (cgc_collect && !strcmp(how, "tsync"))
    cgc_collect();
  enter(how);
  if (!strcmp(how, "strict")) {   /* only read, write and exit are left */
    for (int i = 0; i < 100; i++)
      free(malloc(100));
    bool is_refused = !cgc_collect || cgc_collect() != 0;
    const char *text = is_refused ? "alive\n" : "collected in a cage\n";
    write(1, text, strlen(text));
    syscall(SYS_exit, 0);
  }
  atomic_store(&may_start, true);
  work(NULL);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  puts(atomic_load(&is_bad) ? "broken" : "alive");
  return 0;
}
