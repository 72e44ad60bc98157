/* SPDX-License-Identifier: MIT */
/* transparency - the process looks and ends as it does without the library.
   unshare(CLONE_NEWUSER) and setns need a process of one thread; daemons close every descriptor, run
   with 0-2 closed and expect open() to give the lowest number; setuid must reach every thread or
   privileges leak; sandboxes take /proc, descriptors, address space and system calls away. Many cases
   run the same probe with and without LD_PRELOAD and compare; where a facility is missing they skip. */
#include "hazard.h"

#include <dirent.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>

static struct hz_result with, without;

/* ---- running a probe with and without the library ---- */

static void
run_both(const char *sub, const char *extra, void (*prep)(void *), void *arg) {
  hz_exec_self(&with, sub, extra, environ, prep, arg, 8);
  hz_exec_self(&without, sub, extra, hz_env_plain(), prep, arg, 8);
}

static void
expect_same(const char *what) {
  char a[60], b[60];
  CHECK(with.status == without.status && !with.timed_out, "%s: %s, without the library %s", what,
        hz_status_text(&with, a, sizeof a), hz_status_text(&without, b, sizeof b));
  if (strcmp(with.out, without.out) == 0)
    return;
  size_t at = 0;
  while (with.out[at] == without.out[at])
    at++;
  while (at && with.out[at - 1] != '\n')
    at--;
  hz_bad("%s: '%.*s', without the library '%.*s'", what, (int)strcspn(with.out + at, "\n"),
         with.out + at, (int)strcspn(without.out + at, "\n"), without.out + at);
}

/* A sound run of a sub case: exit status 0. */
static void
expect_sound(const char *sub, const char *extra, void (*prep)(void *), void *arg, const char *what) {
  char how[60];
  hz_exec_self(&with, sub, extra, environ, prep, arg, 10);
  if (hz_exited_with(&with, 77)) {
    char *colon = strstr(with.out, ": ");
    SKIP("%s", colon ? colon + 2 : what);
  }
  CHECK(hz_exited_with(&with, 0), "%s: %s; %.200s", what, hz_status_text(&with, how, sizeof how),
        with.out);
}

/* ---- an ordinary load, as a sub case and for reuse ---- */

enum { LIVE = 2000 };

static int
work(unsigned rounds) {
  static void *live[LIVE];
  for (unsigned i = 0; i < LIVE; i++) {
    size_t n = 16 + i * 37 % 3000;
    live[i] = malloc(n);
    if (!live[i])
      return 31;
    guard_block(live[i], n, i);
  }
  for (unsigned r = 0; r < rounds; r++) {
    for (unsigned k = 0; k < 200; k++) {   /* garbage */
      void *p = malloc(100 + k);
      if (!p)
        return 32;
      memset(p, 0xEE, 100 + k);
    }
    churn_light(r);
    collect_once();
  }
  for (unsigned i = 0; i < LIVE; i++) {
    if (check_block(live[i], 16 + i * 37 % 3000, i) >= 0)
      return 33;
    free(live[i]);
  }
  return 0;
}

static void *
work_thread(void *arg) {
  unsigned seed = (unsigned)(uintptr_t)arg;
  struct hz_chain mine;
  for (unsigned r = 0; r < 30; r++) {
    void *volatile head = chain_make_small(&mine, seed + r);
    churn_light(seed + r);
    if (r % 10 == 0)
      collect_once();
    if (!chain_is_intact(&mine))
      _exit(34);
    chain_free(&mine, head);
  }
  return NULL;
}

static void
work_sub(void) {
  int code = work(6);
  if (code)
    _exit(code);
}

static void
work_threads_sub(void) {
  pthread_t t[2];
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    if (pthread_create(&t[i], NULL, work_thread, (void *)i))
      _exit(35);
  int code = work(6);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  if (code)
    _exit(code);
}

/* ---- threads and descriptors ---- */

static unsigned
count_entries(const char *path) {
  unsigned n = 0;
  DIR *d = opendir(path);
  if (!d)
    return 0;
  for (struct dirent *e; (e = readdir(d));)
    n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

static void
thread_count(void) {
  if (access("/proc/self/task", R_OK))
    SKIP("no /proc");
  CHECK(count_entries("/proc/self/task") == 1, "%u threads at start", count_entries("/proc/self/task"));
  for (int i = 0; i < 2000; i++) {
    void *volatile p = malloc(500);
    memset(p, 1, 500);
    free(p);
  }
  churn_light(1);
  hz_sleep_ms(50);
  CHECK(count_entries("/proc/self/task") == 1, "%u threads in a program with a small heap",
        count_entries("/proc/self/task"));
  settle();
  if (count_entries("/proc/self/task") != 1)
    NOTE("%u threads after explicit collections", count_entries("/proc/self/task"));
}

static void
close_above_two(void *arg) {
  (void)arg;
  for (int fd = 3; fd < 256; fd++)
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
first_open_sub(void) {
  void *volatile p = malloc(100);
  churn_light(1);
  int fd = open("/dev/null", O_RDONLY);
  collect(3);
  int second = open("/dev/null", O_RDONLY);
  free(p);
  hz_line("%d %d", fd, second);
}

/* Descriptors of the library, if any, must be numbered high and closed by exec. */
static void
descriptors_sub(void) {
  work(3);
  unsigned low = 0, kept = 0;
  for (int fd = 3; fd < 65536; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0)
      continue;
    low += fd < 100;
    kept += !(flags & FD_CLOEXEC);
    hz_line("descriptor %d, flags %d", fd, flags);
  }
  if (low || kept)
    _exit(21);
}

static void
own_descriptors(void) {
  expect_sound("descriptors_sub", NULL, close_above_two, NULL, "descriptors of the library");
}

static void
first_open(void) {
  run_both("first_open_sub", NULL, close_above_two, NULL);
  expect_same("numbers of the first two open()s");
  CHECK(!strcmp(with.out, "3 4\n"), "the first two open()s gave %s", with.out);
}

/* Everything of a process that a library could change: printed, and compared as text. */
static void
print_limits(void) {
  for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
    struct rlimit r;
    if (!getrlimit((__rlimit_resource_t)i, &r))
      hz_line("rlimit %d: %lx %lx", i, (unsigned long)r.rlim_cur, (unsigned long)r.rlim_max);
  }
  hz_line("priority %d, personality %x", getpriority(PRIO_PROCESS, 0), (unsigned)syscall(SYS_personality, -1L));
  hz_line("dumpable %d, slack %d, keepcaps %d, no_new_privs %d, thp %d",
          prctl(PR_GET_DUMPABLE), prctl(PR_GET_TIMERSLACK), prctl(PR_GET_KEEPCAPS),
          prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  char name[20] = "";
  prctl(PR_GET_NAME, name);
  mode_t mask = umask(022);
  umask(mask);
  hz_line("name %s, umask %o", name, mask);
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  hz_line("processors %d, policy %d", CPU_COUNT(&set), sched_getscheduler(0));
}

static void
print_signals(void) {
  for (int sig = 1; sig < 32; sig++) {
    struct sigaction sa;
    if (!sigaction(sig, NULL, &sa))
      hz_line("signal %d: %s", sig,
              sa.sa_handler == SIG_IGN ? "ignored" : sa.sa_handler == SIG_DFL ? "default" : "handled");
  }
  sigset_t set;
  sigprocmask(SIG_BLOCK, NULL, &set);
  for (int sig = 1; sig < 32; sig++)
    if (sigismember(&set, sig))
      hz_line("blocked %d", sig);
  stack_t s;
  sigaltstack(NULL, &s);
  hz_line("altstack flags %d size %zu", s.ss_flags, s.ss_size);
}

/* Values that are addresses, or differ from run to run, are left out. */
static void
print_aux(void) {
  static const unsigned long fixed[] = {AT_PAGESZ, AT_CLKTCK, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE,
                                        AT_HWCAP, AT_HWCAP2, AT_PHNUM, AT_PHENT, AT_FLAGS};
  for (unsigned i = 0; i < HZ_COUNT(fixed); i++)
    hz_line("auxv %lu: %lx", fixed[i], getauxval(fixed[i]));
}

static void
fingerprint_sub(void) {
  work(2);
  print_limits();
  print_signals();
  print_aux();
  for (int i = 0; i < hz_argc; i++)
    hz_line("argv %d: %s", i, hz_argv[i]);
  for (char **e = environ; *e; e++)
    if (strncmp(*e, "LD_PRELOAD=", 11))
      hz_line("env %s", *e);
}

/* A fixed environment, so that the comparison is about order and content. */
static void
fingerprint(void) {
  char preload[4200];
  char *names[] = {(char *)(uintptr_t)"HZ_A=1", (char *)(uintptr_t)"HZ_B=two words",
                   (char *)(uintptr_t)"HZ_EMPTY=", (char *)(uintptr_t)"PATH=/usr/bin:/bin", NULL, NULL};
  char *preloaded[6];
  memcpy(preloaded, names, sizeof preloaded);
  const char *lib = getenv("LD_PRELOAD");
  snprintf(preload, sizeof preload, "LD_PRELOAD=%s", lib ? lib : "");
  if (lib)
    preloaded[4] = preload;
  hz_exec_self(&with, "fingerprint_sub", "an argument", preloaded, close_above_two, NULL, 8);
  hz_exec_self(&without, "fingerprint_sub", "an argument", names, close_above_two, NULL, 8);
  expect_same("fingerprint of the process");
}

/* The library itself prints nothing unless asked. */
static void
silence(void) {
  hz_exec_self(&with, "work_threads_sub", NULL, environ, close_above_two, NULL, 8);
  CHECK(hz_exited_with(&with, 0), "the load failed");
  CHECK(with.len == 0, "the process printed '%.*s'", (int)strcspn(with.out, "\n"), with.out);
}

/* ---- namespaces and identities ---- */

static void
unshare_sub(void) {
  work(1 + (hz_argc > 2));
  int err = unshare(CLONE_NEWUSER) ? errno : 0;
  hz_line("unshare: %s", strerror(err));
  work(2);
}

static void
unshare_sub_quiet(void) {
  for (int i = 0; i < 3000; i++) {
    void *volatile p = malloc(300);
    free(p);
  }
  int err = unshare(CLONE_NEWUSER) ? errno : 0;
  hz_line("unshare: %s", strerror(err));
}

static void
unshare_user(void) {
  run_both("unshare_sub_quiet", NULL, NULL, NULL);
  expect_same("unshare(CLONE_NEWUSER)");
  run_both("unshare_sub", NULL, NULL, NULL);
  if (strcmp(with.out, without.out))
    NOTE("after explicit collections: %.60s", with.out);
}

static atomic_int stop;

static void *
identity_thread(void *arg) {
  for (unsigned n = (unsigned)(uintptr_t)arg; !atomic_load(&stop); n++) {
    churn_light(n);
    if (n % 100 == 0)
      hz_sleep_ms(1);
  }
  return NULL;
}

/* The four ids on a line of /proc/self/task/TID/status. */
static bool
task_has_ids(const char *tid, const char *field, unsigned want) {
  char path[320], text[4096];
  snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return true;   /* it has just ended */
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0)
    return true;
  text[n] = 0;
  unsigned a, b, c, d;
  char *at = strstr(text, field);
  if (!at || sscanf(at + strlen(field), "%u %u %u %u", &a, &b, &c, &d) != 4)
    return false;
  if (a != want || b != want || c != want || d != want)
    hz_line("thread %s: %s %u %u %u %u", tid, field, a, b, c, d);
  return a == want && b == want && c == want && d == want;
}

static unsigned
count_foreign_ids(unsigned want) {
  unsigned bad = 0;
  DIR *d = opendir("/proc/self/task");
  for (struct dirent *e; d && (e = readdir(d));)
    if (e->d_name[0] != '.')
      bad += !task_has_ids(e->d_name, "Uid:", want) || !task_has_ids(e->d_name, "Gid:", want);
  if (d)
    closedir(d);
  return bad;
}

static void
identity_sub(void) {
  struct hz_collector c;
  pthread_t t[4];
  collect(3);   /* so that the collector's threads, if any, are there before */
  collector_start(&c, 0);
  for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
    hz_thread(&t[i], identity_thread, (void *)i);
  hz_sleep_ms(50);
  if (setgid(65534) || setuid(65534))
    FAIL("setuid: %s", strerror(errno));
  unsigned bad = count_foreign_ids(65534);
  hz_sleep_ms(50);
  bad += count_foreign_ids(65534);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t); i++)
    pthread_join(t[i], NULL);
  collector_stop(&c);
  if (bad)
    FAIL("%u threads kept their old ids", bad);
  int refused = atomic_load(&hz_collections_refused);
  int code = work(6);
  if (code)
    FAIL("after setuid the load failed with %d", code);
  if (atomic_load(&hz_collections_refused) > refused)
    FAIL("after setuid collections fail");
}

static void
set_identity(void) {
  if (geteuid() != 0)
    SKIP("not root");
  for (int i = 0; i < 4; i++)
    expect_sound("identity_sub", NULL, NULL, NULL, "setuid with threads");
}

/* ---- descriptors ---- */

/* After closefrom the numbers are the program's: nobody else may write to, seek or close them. */
static void
closefrom_sub(void) {
  enum { FILES = 60 };
  int fd[FILES];
  if (work(3))
    _exit(41);
  if (hz_argc > 2 && hz_argv[2][0] == 'l')
    for (int i = 3; i < 1200; i++)
      close(i);
  else if (hz_argc > 2 && hz_argv[2][0] == 'r')
    close_range(3, ~0u, 0);
  else
    closefrom(3);
  for (int i = 0; i < FILES; i++) {
    fd[i] = memfd_create("mine", 0);
    if (fd[i] != 3 + i)
      _exit(42);
    char text[100];
    memset(text, 'a' + i % 26, sizeof text);
    if (write(fd[i], text, sizeof text) != sizeof text || lseek(fd[i], 40, SEEK_SET) != 40)
      _exit(43);
  }
  if (work(6))
    _exit(44);
  collect(4);
  for (int i = 0; i < FILES; i++) {
    char text[200];
    if (lseek(fd[i], 0, SEEK_CUR) != 40)
      _exit(45);
    if (pread(fd[i], text, sizeof text, 0) != 100)
      _exit(46);
    for (int k = 0; k < 100; k++)
      if (text[k] != 'a' + i % 26)
        _exit(47);
  }
  work_threads_sub();
}

static void
close_all_descriptors(void) {
  expect_sound("closefrom_sub", "closefrom", NULL, NULL, "closefrom(3)");
  expect_sound("closefrom_sub", "range", NULL, NULL, "close_range(3, ~0)");
  expect_sound("closefrom_sub", "loop", NULL, NULL, "close() in a loop");
}

static void
standard_closed_prep(void *arg) {
  (void)arg;
  close_above_two(NULL);
  close(0);
  close(1);
  close(2);
}

/* Whoever opens first gets 0, 1 and 2: that must be the program, and nobody may print into them. */
static void
standard_closed_sub(void) {
  void *volatile p = malloc(50);
  int fd[3];
  for (int i = 0; i < 3; i++) {
    fd[i] = memfd_create("standard", 0);
    if (fd[i] != i)
      _exit(51);
  }
  if (work(6))
    _exit(52);
  free(p);
  for (int i = 0; i < 3; i++)
    if (lseek(fd[i], 0, SEEK_END) != 0)
      _exit(53);
}

static void
standard_closed(void) {
  char how[60];
  hz_exec_self(&with, "standard_closed_sub", NULL, environ, standard_closed_prep, NULL, 8);
  CHECK(hz_exited_with(&with, 0), "with 0, 1 and 2 closed: %s", hz_status_text(&with, how, sizeof how));
}

/* ---- limits ---- */

struct limit {
  __rlimit_resource_t resource;
  rlim_t value;
};

static void
limit_prep(void *arg) {
  struct limit *l = arg;
  struct rlimit r = {l->value, l->value};
  close_above_two(NULL);
  if (setrlimit(l->resource, &r))
    _exit(61);
}

static void
little_space_sub(void) {
  work_threads_sub();
  void *p = malloc((size_t)2 << 30);
  if (p || errno != ENOMEM)
    FAIL("malloc of 2 GiB under RLIMIT_AS returned %p", p);
  size_t got = 0;
  static void *blocks[4096];
  unsigned n = 0;
  while (n < HZ_COUNT(blocks) && (blocks[n] = malloc(1 << 20))) {
    *(volatile char *)blocks[n] = 1;
    got += 1 << 20;
    n++;
  }
  while (n)
    free(blocks[--n]);
  if (got < (size_t)24 << 20)
    FAIL("only %zu MiB could be allocated", got >> 20);
  hz_line("%zu MiB in blocks of 1 MiB", got >> 20);
  int code = work(3);
  if (code)
    FAIL("after running out of memory the load failed with %d", code);
}

static void
address_space_1g(void) {
  struct limit l = {RLIMIT_AS, (rlim_t)1 << 30};
  expect_sound("little_space_sub", NULL, limit_prep, &l, "RLIMIT_AS of 1 GiB");
  hz_line("%.60s", with.out);
}

static void
address_space_256m(void) {
  struct limit l = {RLIMIT_AS, (rlim_t)256 << 20};
  expect_sound("little_space_sub", NULL, limit_prep, &l, "RLIMIT_AS of 256 MiB");
  hz_line("%.60s", with.out);
}

static void
data_limit(void) {
  struct limit l = {RLIMIT_DATA, (rlim_t)256 << 20};
  expect_sound("little_space_sub", NULL, limit_prep, &l, "RLIMIT_DATA of 256 MiB");
}

static void
few_descriptors(void) {
  struct limit l = {RLIMIT_NOFILE, 8};
  expect_sound("work_threads_sub", NULL, limit_prep, &l, "RLIMIT_NOFILE of 8");
  l.value = 3;
  hz_exec_self(&with, "work_sub", NULL, environ, limit_prep, &l, 8);
  if (!hz_exited_with(&with, 0))   /* ld.so itself needs one more to load libraries */
    NOTE("RLIMIT_NOFILE of 3: does not start");
}

static void
locked_memory(void) {
  struct limit l = {RLIMIT_MEMLOCK, 0};
  expect_sound("work_threads_sub", NULL, limit_prep, &l, "RLIMIT_MEMLOCK of 0");
}

static void
mlockall_sub(void) {
  work(1);
  if (mlockall(hz_argc > 2 ? MCL_CURRENT | MCL_FUTURE : MCL_FUTURE))
    SKIP("mlockall: %s", strerror(errno));
  work_threads_sub();
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  if (u.ru_maxrss > 700 * 1024)
    FAIL("after mlockall %ld MiB are resident", u.ru_maxrss >> 10);
}

/* Audio and trading programs lock their memory: reservations must not become resident. */
static void
memory_locked(void) {
  struct rlimit r;
  getrlimit(RLIMIT_MEMLOCK, &r);
  if (geteuid() != 0 && r.rlim_cur != RLIM_INFINITY)
    SKIP("RLIMIT_MEMLOCK is low");
  expect_sound("mlockall_sub", NULL, NULL, NULL, "mlockall(MCL_FUTURE)");
  expect_sound("mlockall_sub", "current", NULL, NULL, "mlockall(MCL_CURRENT | MCL_FUTURE)");
}

/* ---- a missing /proc, a closed-off kernel ---- */

static void
no_proc_sub(void) {
  DIR *d = opendir("/proc/self");
  if (d)
    FAIL("/proc is still there");
  work_threads_sub();
}

/* An empty /proc in a mount namespace of our own, with a user namespace if that is needed. */
static bool
cover_proc(void) {
  return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
         mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("none", "/proc", "tmpfs", 0, NULL) == 0;
}

static void
hide_proc(void *arg) {
  (void)arg;
  if (!cover_proc())
    _exit(77);
}

static void
no_proc(void) {
  expect_sound("no_proc_sub", NULL, hide_proc, NULL, "no /proc");
}

static void
no_proc_later_sub(void) {
  work_threads_sub();
  if (!cover_proc())
    SKIP("mount: %s", strerror(errno));
  work_threads_sub();
}

/* Daemons enter a chroot after start. */
static void
chroot_sub(void) {
  work_threads_sub();
  if (chroot(hz_argv[2]) || chdir("/"))
    SKIP("chroot: %s", strerror(errno));
  work_threads_sub();
}

static void
chroot_empty(void) {
  char dir[300], how[60];
  const char *tmp = getenv("TMPDIR");
  snprintf(dir, sizeof dir, "%s/cgc-hazard-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(dir))
    SKIP("mkdtemp: %s", strerror(errno));
  hz_exec_self(&with, "chroot_sub", dir, environ, NULL, NULL, 10);
  rmdir(dir);
  if (hz_exited_with(&with, 77))
    SKIP("chroot is not permitted");
  CHECK(hz_exited_with(&with, 0), "chroot into an empty directory: %s; %.200s",
        hz_status_text(&with, how, sizeof how), with.out);
}

static void
no_proc_later(void) {
  expect_sound("no_proc_later_sub", NULL, NULL, NULL, "/proc gone after start");
}

/* Refuses, with EPERM, what a sandbox would: opening files, new threads, signals, other memory. */
static void
enter_sandbox(unsigned action) {
  static const unsigned refused[] = {
    SYS_openat, SYS_clone3, SYS_clone, SYS_tgkill, SYS_tkill, SYS_kill, SYS_process_vm_readv,
    SYS_userfaultfd, SYS_membarrier, SYS_memfd_create, SYS_ioctl, SYS_prctl, SYS_pipe2, SYS_eventfd2,
    SYS_socket, SYS_sched_getaffinity, SYS_getdents64, SYS_newfstatat, SYS_ptrace, SYS_sched_setaffinity,
  };
  struct sock_filter code[2 * HZ_COUNT(refused) + 2];
  unsigned n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < HZ_COUNT(refused); i++) {
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], 0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)n, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
    SKIP("seccomp: %s", strerror(errno));
}

static void
sandbox_sub(void) {
  bool kill_it = hz_argc > 2;
  atomic_store(&stop, 0);
  pthread_t t[2];
  if (!kill_it) {
    if (work(3))
      _exit(71);
    for (uintptr_t i = 0; i < HZ_COUNT(t); i++)
      hz_thread(&t[i], identity_thread, (void *)i);
    hz_sleep_ms(20);
  }
  enter_sandbox(kill_it ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM);
  struct hz_chain mine;
  void *volatile head = chain_make(&mine, 1);
  int code = work(8);
  chain_free(&mine, head);   /* and checks it, without system calls */
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < HZ_COUNT(t) && !kill_it; i++)
    pthread_join(t[i], NULL);
  if (code)
    FAIL("in the sandbox the load failed with %d", code);
}

static void
sandbox(void) {
  expect_sound("sandbox_sub", NULL, NULL, NULL, "system calls refused by seccomp");
}

/* A filter written for the system's allocator kills the process at the first other call. */
static void
sandbox_kills(void) {
  hz_exec_self(&without, "sandbox_sub", "kill", hz_env_plain(), NULL, NULL, 8);
  if (!hz_exited_with(&without, 0))
    SKIP("does not work without the library either");
  expect_sound("sandbox_sub", "kill", NULL, NULL, "system calls killed by seccomp");
}

/* ---- how processes end ---- */

static void
end_at_exit(void) {
  _exit(9);
}

static volatile int *volatile wild = (int *)8;

static void
end_sub(void) {
  collect(3);
  switch (hz_argv[2][0]) {
  case 'e': exit(atoi(hz_argv[2] + 1));
  case '_': _exit(atoi(hz_argv[2] + 1));
  case 'q': quick_exit(atoi(hz_argv[2] + 1));
  case 'h': atexit(end_at_exit); return;
  case 'a': abort();
  case 's': raise(atoi(hz_argv[2] + 1)); return;
  case 'f': *wild = 1; return;
  default: return;
  }
}

static void
end_states(void) {
  static const char *const how[] = {"e0", "e1", "e23", "e77", "e255", "_0", "_42", "q7", "h", "a",
                                    "s6", "s15", "s9", "s1", "s13", "s31", "s34", "f", "r"};
  char a[60], b[60];
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  for (unsigned i = 0; i < HZ_COUNT(how); i++) {
    run_both("end_sub", how[i], NULL, NULL);
    CHECK(with.status == without.status, "end '%s': %s, without the library %s", how[i],
          hz_status_text(&with, a, sizeof a), hz_status_text(&without, b, sizeof b));
  }
}

/* Signals that a child inherits: ignored and blocked ones stay, no others appear. */
static void
inherit_prep(void *arg) {
  (void)arg;
  sigset_t set;
  close_above_two(NULL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGUSR2, SIG_IGN);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 4);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
inherit_inner_sub(void) {
  char text[4096];
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    if (!strncmp(line, "SigBlk", 6) || !strncmp(line, "SigIgn", 6) || !strncmp(line, "SigPnd", 6))
      hz_line("%s", line);
}

/* A thread starts the child, while others allocate and collections go on. */
static void *
inherit_thread(void *arg) {
  struct hz_result *r = arg;
  hz_exec_self(r, "inherit_inner_sub", NULL, hz_env_plain(), NULL, NULL, 8);
  return NULL;
}

static void
inherit_sub(void) {
  struct hz_collector c;
  static struct hz_result r;
  collector_start(&c, 0);
  for (int i = 0; i < 20; i++) {
    pthread_t t;
    hz_thread(&t, inherit_thread, &r);
    pthread_join(t, NULL);
    hz_line("%s", r.out);
  }
  collector_stop(&c);
}

static void
inherited_signals(void) {
  run_both("inherit_sub", NULL, inherit_prep, NULL);
  expect_same("signals inherited through fork and exec");
}

static const struct hz_case cases[] = {
  {"thread_count", thread_count, 0, 0},
  {"own_descriptors", own_descriptors, 0, 0},
  {"descriptors_sub", descriptors_sub, HZ_SUB, 0},
  {"first_open", first_open, 0, 0},
  {"first_open_sub", first_open_sub, HZ_SUB, 0},
  {"fingerprint", fingerprint, 0, 0},
  {"fingerprint_sub", fingerprint_sub, HZ_SUB, 0},
  {"silence", silence, 0, 0},
  {"unshare_user", unshare_user, 0, 20},
  {"unshare_sub", unshare_sub, HZ_SUB, 0},
  {"unshare_sub_quiet", unshare_sub_quiet, HZ_SUB, 0},
  {"set_identity", set_identity, 0, 20},
  {"identity_sub", identity_sub, HZ_SUB, 0},
  {"close_all_descriptors", close_all_descriptors, 0, 20},
  {"closefrom_sub", closefrom_sub, HZ_SUB, 0},
  {"standard_closed", standard_closed, 0, 0},
  {"standard_closed_sub", standard_closed_sub, HZ_SUB, 0},
  {"address_space_1g", address_space_1g, 0, 0},
  {"address_space_256m", address_space_256m, 0, 0},
  {"data_limit", data_limit, 0, 0},
  {"little_space_sub", little_space_sub, HZ_SUB, 0},
  {"few_descriptors", few_descriptors, 0, 0},
  {"locked_memory", locked_memory, 0, 0},
  {"memory_locked", memory_locked, 0, 0},
  {"mlockall_sub", mlockall_sub, HZ_SUB, 0},
  {"no_proc", no_proc, 0, 0},
  {"no_proc_sub", no_proc_sub, HZ_SUB, 0},
  {"no_proc_later", no_proc_later, 0, 0},
  {"no_proc_later_sub", no_proc_later_sub, HZ_SUB, 0},
  {"chroot_empty", chroot_empty, 0, 0},
  {"chroot_sub", chroot_sub, HZ_SUB, 0},
  {"sandbox", sandbox, 0, 0},
  {"sandbox_kills", sandbox_kills, HZ_NOTED, 0},
  {"sandbox_sub", sandbox_sub, HZ_SUB, 0},
  {"end_states", end_states, 0, 25},
  {"end_sub", end_sub, HZ_SUB, 0},
  {"inherited_signals", inherited_signals, 0, 20},
  {"inherit_sub", inherit_sub, HZ_SUB, 0},
  {"inherit_inner_sub", inherit_inner_sub, HZ_SUB, 0},
  {"work_sub", work_sub, HZ_SUB, 0},
  {"work_threads_sub", work_threads_sub, HZ_SUB, 0},
  {0},
};

HZ_MAIN("transparency", cases)
