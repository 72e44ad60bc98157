/* SPDX-License-Identifier: MIT */
/*
 * Leaks in as many ways as it has cases.
 *
 * usage: leaker CASE
 */
#include "../hazards/hazard.h"

#include "cgc.h"

#include <malloc.h>

#pragma weak cgc_leak_check
#pragma weak cgc_leak_ignore
#pragma weak cgc_leak_disable
#pragma weak cgc_leak_enable

extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));
extern void __lsan_ignore_object(const void *) __attribute__((weak));
extern void __lsan_do_leak_check(void) __attribute__((weak));
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
extern void __lsan_register_root_region(const void *, size_t) __attribute__((weak));
extern void __lsan_unregister_root_region(const void *, size_t) __attribute__((weak));

#define SITE HZ_NOINLINE __attribute__((used)) static

static const char *self;

/* So that no word of it is left. */
static void
hidden(void (*site)(void *)) {
  run_hidden(site, NULL);
  clear_stack();
}

static void *
fill(void *block) {
  memset(block, 0x99, malloc_usable_size(block));
  return block;
}

SITE void
leak_a(void *arg) {
  (void)arg;
  fill(malloc(100));
}

SITE void
leak_b(void *arg) {
  (void)arg;
  fill(malloc(200));
}

/* ---- how a process ends ---- */

static void
end_by_exit(void) {
  hidden(leak_a);
  exit(3);
}

static void
end_by_return(void) {
  hidden(leak_a);
}

static void
end_by__exit(void) {
  hidden(leak_a);
  _exit(3);
}

static void
end_by__Exit(void) {
  hidden(leak_a);
  _Exit(3);
}

static void
end_by_quick_exit(void) {
  hidden(leak_a);
  quick_exit(3);
}

static void
end_by_pthread_exit(void) {
  hidden(leak_a);
  pthread_exit(NULL);
}

static void *
exit_in_thread(void *arg) {
  (void)arg;
  exit(3);
}

static void
end_in_thread(void) {
  pthread_t thread;
  hidden(leak_a);
  hz_thread(&thread, exit_in_thread, NULL);
  pthread_join(thread, NULL);
}

static void
end_by_term(void) {
  hidden(leak_a);
  raise(SIGTERM);
}

static void
end_by_abort(void) {
  hidden(leak_a);
  abort();
}

static void
end_without_leaks(void) {
  free(malloc(100));
}

static void
on_term(int signal) {
  (void)signal;
  _exit(4);
}

static void
end_by_own_handler(void) {
  signal(SIGTERM, on_term);
  hidden(leak_a);
  raise(SIGTERM);
}

/* ---- processes ---- */

static void
exec_self(const char *name) {
  execl(self, self, name, NULL);
  FAIL("exec: %s", strerror(errno));
}

static void
await(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
    FAIL("the child ended with %#x", status);
}

static void
exec_after_leak(void) {
  hidden(leak_a);
  exec_self("end_by_return");
}

static void
exec_that_fails(void) {
  hidden(leak_a);
  execl("/no/such/file", "file", NULL);
}

static void
fork_leaks_in_child(void) {
  pid_t child = fork();
  if (child == 0) {
    hidden(leak_b);
    exit(0);
  }
  await(child);
}

/* What was leaked before is in both. */
static void
fork_leaks_in_both(void) {
  hidden(leak_a);
  fork_leaks_in_child();
}

static void
fork_and_exec(void) {
  pid_t child = fork();
  if (child == 0)
    exec_self("end_by_return");
  await(child);
}

static void
vfork_and_exec(void) {
  hidden(leak_b);
  pid_t child = vfork();
  if (child == 0) {
    execl(self, self, "end_by_return", NULL);
    _exit(127);
  }
  await(child);
}

static void
vfork_and__exit(void) {
  hidden(leak_b);
  pid_t child = vfork();
  if (child == 0)
    _exit(0);
  await(child);
}

static void
daemon_leaks(void) {
  int ends[2];
  char byte;
  if (pipe(ends))
    FAIL("pipe");
  pid_t child = fork();
  if (child) {
    close(ends[1]);
    await(child);
    if (read(ends[0], &byte, 1))   /* until the last process has ended */
      FAIL("read");
    _exit(0);
  }
  setsid();
  pid_t middle = getpid();
  if (fork())
    _exit(0);
  while (getppid() == middle)   /* whose record is to be the first */
    usleep(1000);
  hidden(leak_b);
  exit(0);
}

/* ---- what comes after main ---- */

static uintptr_t late_block;

static void
free_late(void) {
  free(late_block ? reveal(late_block) : NULL);
}

SITE void
keep_for_handler(void *arg) {
  (void)arg;
  late_block = hide(fill(malloc(300)));
}

static void
freed_at_exit(void) {
  atexit(free_late);
  hidden(keep_for_handler);
}

static bool is_freed_by_destructor;

__attribute__((destructor)) static void
destroy(void) {
  if (is_freed_by_destructor)
    free_late();
}

static void
freed_by_destructor(void) {
  is_freed_by_destructor = true;
  hidden(keep_for_handler);
}

static void
freed_at_quick_exit(void) {
  at_quick_exit(free_late);
  hidden(keep_for_handler);
  quick_exit(0);
}

static void
leak_late(void) {
  hidden(leak_b);
}

static void
leaked_at_exit(void) {
  atexit(leak_late);
}

/* ---- kinds ---- */

static void *volatile kept[1], *volatile kept_between[100];

SITE void
leak_possible(void *arg) {
  (void)arg;
  kept[0] = (char *)fill(malloc(150)) + 70;
}

static void
possible(void) {
  hidden(leak_possible);
}

/* As large as its slot, so that its end is no address in it. */
SITE void
leak_doubtful(void *arg) {
  (void)arg;
  char *block = fill(malloc(256));
  ((void **)kept[0])[1] = block + 256;
}

static void
doubtful(void) {
  kept[0] = calloc(1, 64);
  hidden(leak_doubtful);
}

/* Leaked blocks between others, which are referred to by their starts: those are no ends of the leaked ones. */
SITE void
leak_between(void *arg) {
  (void)arg;
  for (int i = 0; i < 100; i++) {
    fill(malloc(256));
    kept_between[i] = fill(malloc(256));
  }
}

static void
between(void) {
  hidden(leak_between);
}

/* What a doubtful block refers to is as doubtful as it. */
SITE void
leak_behind_doubtful(void *arg) {
  (void)arg;
  char *block = fill(malloc(256));
  *(void **)block = fill(malloc(90));
  ((void **)kept[0])[1] = block + 256;
}

static void
behind_doubtful(void) {
  kept[0] = calloc(1, 64);
  hidden(leak_behind_doubtful);
}

SITE void *
leak_inner(void) {
  return fill(malloc(40));
}

SITE void *
leak_node(void *first, void *second) {
  void **node = fill(malloc(56));
  node[1] = first;
  node[2] = second;
  return node;
}

SITE void
leak_tree(void *arg) {
  (void)arg;
  leak_node(leak_node(leak_inner(), leak_inner()), leak_inner());
}

static void
tree(void) {
  hidden(leak_tree);
}

SITE void *
leak_oldest(void) {
  return fill(malloc(72));
}

SITE void *
leak_middle(void *next) {
  void **block = fill(malloc(88));
  block[3] = next;
  return block;
}

SITE void
leak_cycle(void *arg) {
  (void)arg;
  void **oldest = leak_oldest();
  oldest[2] = leak_middle(leak_middle(oldest));
  oldest[3] = leak_inner();
}

static void
cycle(void) {
  hidden(leak_cycle);
}

SITE void
leak_shared(void *arg) {
  (void)arg;
  void *shared = leak_inner();
  leak_node(shared, NULL);
  leak_node(shared, NULL);
}

static void
shared(void) {
  hidden(leak_shared);
}

SITE void
leak_owner_a(void *first, void *second) {
  void **owner = fill(malloc(24));
  owner[0] = first;
  owner[1] = second;
}

SITE void
leak_owner_b(void *first, void *second) {
  void **owner = fill(malloc(32));
  owner[0] = first;
  owner[1] = second;
}

/* The inner ones have one stack. */
SITE void
leak_owned(void *arg) {
  volatile size_t count = 3;
  void *inner[3];
  (void)arg;
  for (size_t i = 0; i < count; i++)
    inner[i] = leak_inner();
  leak_owner_a(inner[0], inner[1]);
  leak_owner_b(inner[1], inner[2]);
  memset(inner, 0, sizeof inner);
}

static void
owned(void) {
  hidden(leak_owned);
}

/* As many stacks as there are numbers of three digits to the base of 100, each with a call of its own. */
#define TEN(X, tens) \
  X(tens##0) X(tens##1) X(tens##2) X(tens##3) X(tens##4) X(tens##5) X(tens##6) X(tens##7) X(tens##8) X(tens##9)
#define HUNDRED(X) \
  TEN(X, ) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) TEN(X, 6) TEN(X, 7) TEN(X, 8) TEN(X, 9)

SITE void *
leak_by_digits(unsigned number, unsigned digits, void *next) {
  void **block = NULL;
  if (!digits) {
    block = fill(malloc(24));
    block[1] = next;
    return block;
  }
  switch (number % 100) {
#define CALL(digit)                                              \
  case digit:                                                    \
    block = leak_by_digits(number / 100, digits - 1, next);      \
    __asm__ volatile("# %0" ::"i"(digit)); /* never merged */    \
    break;
    HUNDRED(CALL)
#undef CALL
  }
  return block;
}

SITE void
leak_many_stacks(void *arg) {
  void *list = arg;
  for (unsigned i = 0; i < 300000; i++)
    list = leak_by_digits(i, 3, list);
}

static void
many_stacks(void) {
  hidden(leak_many_stacks);
}

SITE void
keep_all_ways(void *arg) {
  (void)arg;
  void **block = fill(malloc(80));
  block[1] = fill(malloc(80));
  kept[0] = block;
}

static void
reachable(void) {
  hidden(keep_all_ways);
}

/* ---- sizes ---- */

SITE void
leak_sizes(void *arg) {
  (void)arg;
  void *aligned = NULL;
  fill(malloc(0));
  fill(malloc(1));
  fill(malloc(33));
  fill(calloc(7, 11));
  fill(malloc(100000));
  fill(calloc(3, 100001));
  fill(reallocarray(NULL, 5, 13));
  fill(memalign(64, 130));
  fill(aligned_alloc(4096, 5000));
  if (!posix_memalign(&aligned, 32, 70))
    fill(aligned);
  fill(valloc(10));
  fill(pvalloc(10));
  fill(malloc((size_t)3 << 20));
}

static void
sizes(void) {
  hidden(leak_sizes);
}

SITE void
leak_resized(void *arg) {
  (void)arg;
  fill(realloc(malloc(20), 1000));         /* moved */
  fill(realloc(malloc(1000), 20));         /* smaller, moved or not */
  fill(realloc(malloc(120), 115));         /* in its slot */
  fill(realloc(malloc(115), 120));
  fill(realloc(malloc(200000), 300000));   /* large */
  fill(realloc(malloc(300000), 200000));
  fill(realloc(NULL, 60));
  fill(reallocarray(malloc(30), 9, 9));
}

static void
resized(void) {
  hidden(leak_resized);
}

/* The structure that described a large block describes many small ones. */
SITE void
leak_small(void *arg) {
  (void)arg;
  for (int i = 0; i < 1000; i++)
    fill(malloc(250));
}

static void
after_large(void) {
  void *large[200];
  for (int i = 0; i < 200; i++)
    large[i] = malloc(200000);
  for (int i = 0; i < 200; i++)
    free(large[i]);
  memset(large, 0, sizeof large);
  hidden(leak_small);
}

/* ---- depth ---- */

SITE void
leak_deep(unsigned level) {
  if (level)
    leak_deep(level - 1);
  else
    fill(malloc(110));
  __asm__ volatile("");
}

SITE void
leak_50_deep(void *arg) {
  (void)arg;
  leak_deep(50);
}

static void
deep(void) {
  hidden(leak_50_deep);
}

/* ---- the interface ---- */

static void
api_check(void) {
  errno = 0;
  printf("%ld\n", cgc_leak_check());
  hidden(leak_a);
  printf("%ld\n", cgc_leak_check());
  hidden(leak_b);
  printf("%ld %d\n", cgc_leak_check(), errno);
}

SITE void
leak_ignored(void *arg) {
  (void)arg;
  void **block = fill(malloc(48));
  block[1] = fill(malloc(24));
  printf("%d", cgc_leak_ignore(block));
  printf(" %d", cgc_leak_ignore((char *)block + 8));
  printf(" %d", cgc_leak_ignore(&block));
  printf(" %d\n", cgc_leak_ignore(NULL));
}

static void
api_ignore(void) {
  hidden(leak_a);
  hidden(leak_ignored);
}

static void
api_disable(void) {
  cgc_leak_enable();   /* without effect */
  cgc_leak_disable();
  hidden(leak_a);
  cgc_leak_disable();
  hidden(leak_a);
  cgc_leak_enable();
  hidden(leak_a);
  cgc_leak_enable();
  hidden(leak_b);
}

static void *
leak_in_thread(void *arg) {
  hidden(leak_b);
  return arg;
}

/* Of this thread alone. */
static void
api_disable_here(void) {
  pthread_t thread;
  cgc_leak_disable();
  hidden(leak_a);
  hz_thread(&thread, leak_in_thread, NULL);
  pthread_join(thread, NULL);
  cgc_leak_enable();
}

SITE void
leak_by_lsan(void *arg) {
  (void)arg;
  __lsan_ignore_object(fill(malloc(10)));
}

static void
lsan(void) {
  __lsan_disable();
  hidden(leak_a);
  __lsan_enable();
  hidden(leak_by_lsan);
  printf("%d\n", __lsan_do_recoverable_leak_check());
  hidden(leak_b);
  printf("%d\n", __lsan_do_recoverable_leak_check());
}

static void
lsan_check_for_good(void) {
  hidden(leak_a);
  __lsan_do_leak_check();
  puts("not reached");
}

static void
lsan_check_without_leaks(void) {
  __lsan_do_leak_check();
  hidden(leak_b);   /* is not looked for any more */
  puts("reached");
}

static void **shared_page;

SITE void
keep_in_region(void *arg) {
  (void)arg;
  shared_page[1] = fill(malloc(60));
}

static void
lsan_region(void) {
  int fd = memfd_create("region", MFD_CLOEXEC);
  if (ftruncate(fd, 4096) != 0)
    abort();
  shared_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  hidden(keep_in_region);
  __lsan_register_root_region(shared_page, 4096);
  printf("%d\n", __lsan_do_recoverable_leak_check());
  __lsan_unregister_root_region(shared_page, 4096);
  printf("%d\n", __lsan_do_recoverable_leak_check());
}

static void
signals(void) {
  hidden(leak_a);
  raise(SIGUSR2);
  hidden(leak_b);
  raise(SIGUSR2);
}

/* Hardly anything else is allocated, so that no other allocation finds out what time it is. */
static void
later(void) {
  hidden(leak_a);
  usleep(2200 * 1000);
  hidden(leak_b);
}

/* ---- a thread that hears nothing ---- */

static struct hz_gate gate;
static atomic_int is_deaf;

static void *
block_all_signals(void *arg) {
  sigset_t all;
  sigfillset(&all);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
  atomic_store(&is_deaf, 1);
  gate_wait(&gate);
  return arg;
}

static void
deaf_thread(void) {
  pthread_t thread;
  gate_init(&gate);
  hz_thread(&thread, block_all_signals, NULL);
  hz_wait_for(&is_deaf, 1, 100);
  hidden(leak_a);
}

/* ---- the table of cases ---- */

#define CASES(X)                                                                                           \
  X(end_by_exit) X(end_by_return) X(end_by__exit) X(end_by__Exit) X(end_by_quick_exit)                     \
  X(end_by_pthread_exit) X(end_in_thread) X(end_by_term) X(end_by_abort) X(end_without_leaks)              \
  X(end_by_own_handler) X(exec_after_leak) X(exec_that_fails) X(fork_leaks_in_child) X(fork_leaks_in_both) \
  X(fork_and_exec) X(vfork_and_exec) X(vfork_and__exit) X(daemon_leaks) X(freed_at_exit)                   \
  X(freed_by_destructor) X(freed_at_quick_exit) X(leaked_at_exit) X(possible) X(doubtful)                  \
  X(behind_doubtful) X(between) X(tree) X(cycle) X(shared) X(owned) X(many_stacks) X(reachable) X(sizes)   \
  X(resized) X(after_large) X(deep) X(api_check) X(api_ignore) X(api_disable) X(api_disable_here) X(lsan)  \
  X(lsan_check_for_good) X(lsan_check_without_leaks) X(lsan_region) X(signals) X(later) X(deaf_thread)

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
#define ROW(name) {#name, name},
  CASES(ROW)
#undef ROW
};

int
main(int argc, char **argv) {
  self = argv[0];
  setvbuf(stdout, NULL, _IONBF, 0);
  for (size_t i = 0; argc == 2 && i < HZ_COUNT(cases); i++)
    if (!strcmp(cases[i].name, argv[1])) {
      cases[i].run();
      return 0;
    }
  fprintf(stderr, "usage: leaker CASE\n");
  return 2;
}
