/* SPDX-License-Identifier: MIT */
/*
 * Has the library tell of something where nothing can be written: a file that may not grow, a pipe or a socket that
 * nobody reads.  That must not be felt: neither is the program ended, nor a handler of it called, and what it has
 * blocked and what is pending stays.
 *
 * usage: unwritable nothing|file|pipe|socket CASE
 *
 * Exit status: 3, which nothing else has; 1 if it was felt; 77 if the kernel takes no filter of system calls.
 */
#include "../hazards/hazard.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { MESSAGES = 50, OWN_STATUS = 3 };

static volatile sig_atomic_t calls;
static void *volatile last_block;
static bool is_broken;   /* standard error, or the log: whoever writes there gets a signal */
static const int signals[] = {SIGPIPE, SIGXFSZ};

static void
need(bool is_true, const char *what) {
  if (is_true)
    return;
  printf("unwritable: %s\n", what);
  fflush(stdout);
  _exit(1);
}

/* ---- where nothing can be written ---- */

static void
put_at_2(int ends[2]) {
  close(ends[0]);
  need(dup2(ends[1], 2) == 2, "dup2");
  close(ends[1]);
}

static void
make_unwritable(const char *what) {
  int ends[2];
  is_broken = strcmp(what, "nothing");
  if (!strcmp(what, "file"))
    need(!setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0}), "setrlimit");
  else if (!strcmp(what, "pipe") && !pipe(ends))
    put_at_2(ends);
  else if (!strcmp(what, "socket") && !socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
    put_at_2(ends);
  else
    need(!is_broken, "nothing of that name");
}

/* ---- what the library tells of ---- */

static void
free_twice(void) {
  for (int i = 0; i < MESSAGES; i++) {
    void *block = malloc(40);
    free(block);
    __asm__ volatile("" : "+r"(block));
    free(block);
  }
}

static HZ_NOINLINE void
leak(void *arg) {
  (void)arg;
  memset(malloc(100), 0x99, 100);
}

/* ---- signals ---- */

static void
on_signal(int signal) {
  (void)signal;
  calls = calls + 1;
}

static void
set_handlers(void) {
  for (size_t i = 0; i < HZ_COUNT(signals); i++)
    need(!sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, NULL), "sigaction");
}

static void
block(void) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < HZ_COUNT(signals); i++)
    sigaddset(&set, signals[i]);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
need_state(bool are_blocked, bool are_pending) {
  sigset_t mask, pending;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  sigpending(&pending);
  for (size_t i = 0; i < HZ_COUNT(signals); i++) {
    need(sigismember(&mask, signals[i]) == are_blocked, "the mask is another");
    need(sigismember(&pending, signals[i]) == are_pending, "what is pending is not what was");
  }
  need(calls == 0, "the program's handler was called");
}

/* ---- cases ---- */

static void
by_default(void) {
  free_twice();
  need_state(false, false);
}

static void
with_handlers(void) {
  set_handlers();
  free_twice();
  need_state(false, false);
  need(write(2, "own\n", 4) == 4 || is_broken, "write");
  need(calls == is_broken, "what the program writes has no signal any more");
}

static void
with_both_blocked(void) {
  set_handlers();
  block();
  free_twice();
  need_state(true, false);
}

static void
with_both_pending(void) {
  set_handlers();
  block();
  raise(SIGPIPE);
  raise(SIGXFSZ);
  free_twice();
  need_state(true, true);
}

static void
with_both_pending_for_all(void) {
  set_handlers();
  block();
  kill(getpid(), SIGPIPE);
  kill(getpid(), SIGXFSZ);
  free_twice();
  need_state(true, true);
}

static void *
free_twice_in_thread(void *arg) {
  free_twice();
  need_state(false, false);
  return arg;
}

/* Here none is blocked; both are pending for the main thread. */
static void
beside_a_thread(void) {
  pthread_t thread;
  need(!pthread_create(&thread, NULL, free_twice_in_thread, NULL), "pthread_create");
  block();
  raise(SIGPIPE);
  raise(SIGXFSZ);
  pthread_join(thread, NULL);
  need_state(true, true);
}

static void
leaks(void) {
  run_hidden(leak, NULL);
  clear_stack();
}

static void
no_leaks(void) {
}

/* Neither can what is pending be asked for, nor be taken: whoever tries is killed. */
static void
enter_cage(void) {
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigtimedwait, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigpending, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = HZ_COUNT(code), .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
    _exit(77);
}

static void
caged(void) {
  enter_cage();
  free_twice();
}

static void
caged_leaks(void) {
  enter_cage();
  leaks();
}

/* A filter that is there when the program starts, this one again. */
static void
exec_caged(void) {
  char path[4096] = "";
  enter_cage();
  need(readlink("/proc/self/exe", path, sizeof path - 1) > 0, "readlink");
  execl(path, path, "nothing", "by_free", NULL);
  need(false, "exec");
}

static void
by_free(void) {
  is_broken = true;
  free_twice();
}

/* Standard error is a full pipe most of the time. */
static void
read_slowly(void) {
  enum { PIPE_BYTES = 4096 };
  char bytes[256];
  int ends[2];
  need(!pipe(ends) && fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) > 0, "pipe");
  if (fork()) {
    put_at_2(ends);
    return;
  }
  close(ends[1]);
  close(2);
  while (read(ends[0], bytes, sizeof bytes) > 0)
    usleep(300);
  _exit(0);
}

/* Handlers interrupt the library while it writes. */
static void
interrupted(void) {
  enum { ROUNDS = 200, BLOCKS_PER_ROUND = 2000 };
  read_slowly();
  struct itimerval often = {{0, 100}, {0, 100}};
  need(!sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL), "sigaction");
  setitimer(ITIMER_REAL, &often, NULL);
  for (int i = 0; i < ROUNDS; i++) {
    for (int k = 0; k < BLOCKS_PER_ROUND; k++)
      last_block = malloc(500);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    need(!sigismember(&mask, SIGPIPE) && !sigismember(&mask, SIGXFSZ), "a signal stays blocked");
  }
  need(calls > 0, "no signal came");
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
#define CASE(name) {#name, name}
  CASE(by_default), CASE(with_handlers), CASE(with_both_blocked), CASE(with_both_pending),
  CASE(with_both_pending_for_all), CASE(beside_a_thread), CASE(leaks), CASE(no_leaks), CASE(caged),
  CASE(caged_leaks), CASE(exec_caged), CASE(by_free), CASE(interrupted),
};

int
main(int argc, char **argv) {
  need(argc == 3, "usage: unwritable nothing|file|pipe|socket CASE");
  make_unwritable(argv[1]);
  for (size_t i = 0; i < HZ_COUNT(cases); i++)
    if (!strcmp(cases[i].name, argv[2])) {
      cases[i].run();
      return OWN_STATUS;
    }
  need(false, "no case of that name");
}
