/* SPDX-License-Identifier: MIT */
/* spawn - threads that start other programs.
   While a child of posix_spawn, system, popen or vfork has not yet called exec, its parent thread
   sleeps uninterruptibly with all signals blocked: a stop signal stays pending, for as long as the
   child needs (here: opening a FIFO that nobody writes to). A collector that waits for that thread
   stops the whole program; one that ignores it misses its stack. Shells out of threads are common:
   build tools, servers running hooks. */
#include "hazard.h"

#include <spawn.h>

static struct hz_chain chain;
static char fifo_dir[300], fifo[320];
static atomic_int ready, finished, collected;
static double collect_seconds;
static int collect_result, child_status = -1;

/* Frees a stuck child should this process be killed: otherwise it would sleep for ever. */
static void
start_guardian(void) {
  pid_t parent = getpid(), pid = fork();
  if (pid)
    return;
  for (int i = 0; i < 600 && getppid() == parent && !access(fifo, F_OK); i++)
    hz_sleep_ms(100);
  int fd = open(fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  hz_sleep_ms(200);
  close(fd);
  unlink(fifo);
  rmdir(fifo_dir);
  _exit(0);
}

static void
make_fifo(void) {
  const char *tmp = getenv("TMPDIR");
  snprintf(fifo_dir, sizeof fifo_dir, "%s/cgc-hazard-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(fifo_dir))
    FAIL("mkdtemp: %s", strerror(errno));
  snprintf(fifo, sizeof fifo, "%s/fifo", fifo_dir);
  if (mkfifo(fifo, 0600))
    SKIP("mkfifo: %s", strerror(errno));
  start_guardian();
}

static void
remove_fifo(void) {
  unlink(fifo);
  rmdir(fifo_dir);
}

static void
put_local(void *arg) {
  *(void *volatile *)arg = chain_make(&chain, 1);
}

static pid_t
spawn_on_fifo(void) {
  pid_t pid = -1;
  char *argv[] = {(char *)(uintptr_t)"true", NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, fifo, O_RDONLY, 0);
  atomic_store(&ready, 1);
  int err = posix_spawn(&pid, "/bin/true", &actions, NULL, argv, environ);
  if (err)
    FAIL("posix_spawn: %s", strerror(err));
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

static pid_t
vfork_on_fifo(void) {
  atomic_store(&ready, 1);
  pid_t pid = vfork();
  if (pid == 0) {
    if (open(fifo, O_RDONLY) < 0)
      _exit(126);
    execl("/bin/true", "true", (char *)NULL);
    _exit(127);
  }
  return pid;
}

static void *
stuck_main(void *arg) {
  pid_t (*start)(void) = *(pid_t (**)(void))arg;
  void *volatile local = NULL;
  run_hidden(put_local, (void *)&local);
  clear_stack();
  pid_t pid = start();
  waitpid(pid, &child_status, 0);
  CHECK(chain_is_head(&chain, local), "the local of the stuck thread changed");
  chain_check(&chain, "stack of a thread stuck in posix_spawn");
  atomic_store(&finished, 1);
  return NULL;
}

static void *
collect_main(void *arg) {
  (void)arg;
  for (int i = 0; i < 4; i++) {
    double start = hz_now();
    collect_result = collect_once();
    double took = hz_now() - start;
    collect_seconds = took > collect_seconds ? took : collect_seconds;
    churn();
    atomic_fetch_add(&collected, 1);
  }
  return NULL;
}

/* Opens the FIFO for writing once the child waits in its open. */
static void
release_child(void) {
  int fd = -1;
  for (double end = hz_now() + hz_limit(5); fd < 0 && hz_now() < end; hz_sleep_ms(2))
    fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    FAIL("the child never opened the FIFO");
  hz_sleep_ms(50);
  close(fd);
}

static void
collect_while_stuck(pid_t (*start)(void)) {
  pthread_t stuck, collector;
  make_fifo();
  hz_thread(&stuck, stuck_main, &start);
  if (!hz_wait_for(&ready, 1, 10))
    FAIL("the thread did not start");
  hz_sleep_ms(300);
  CHECK(!atomic_load(&finished), "the spawning thread was not stuck");
  hz_thread(&collector, collect_main, NULL);
  bool in_time = hz_wait_for(&collected, 1, 3);
  if (!in_time)
    hz_bad("a collection takes more than 3 s while a thread is stuck in posix_spawn");
  hz_wait_for(&collected, 4, 3);
  release_child();
  pthread_join(collector, NULL);
  pthread_join(stuck, NULL);
  remove_fifo();
  CHECK(WIFEXITED(child_status) && WEXITSTATUS(child_status) == 0, "the child ended with %#x",
        child_status);
  if (hz_has_collector())
    NOTE("longest collection while stuck: %.3f s, last result %d", collect_seconds, collect_result);
  settle();   /* and all is well again */
  CHECK(collect_once() == 0, "collections still fail after the child has gone");
}

static void
stuck_posix_spawn(void) {
  collect_while_stuck(spawn_on_fifo);
}

static void
stuck_vfork(void) {
  collect_while_stuck(vfork_on_fifo);
}

/* ---- four threads start children all the time ---- */

static atomic_int stop;
static atomic_int started[4];

static void
expect_success(int status, const char *how) {
  if (!WIFEXITED(status) || WEXITSTATUS(status))
    FAIL("a child of %s ended with %#x", how, status);
}

static void
start_by_system(void) {
  expect_success(system("true"), "system");
}

static void
start_by_popen(void) {
  char line[100];
  FILE *f = popen("echo a line; exit 0", "r");
  if (!f)
    FAIL("popen: %s", strerror(errno));
  if (!fgets(line, sizeof line, f) || strcmp(line, "a line\n"))
    FAIL("popen gave no line");
  expect_success(pclose(f), "popen");
}

static void
start_by_posix_spawn(void) {
  pid_t pid;
  int status;
  char *argv[] = {(char *)(uintptr_t)"true", NULL};
  int err = posix_spawnp(&pid, "true", NULL, NULL, argv, environ);
  if (err)
    FAIL("posix_spawnp: %s", strerror(err));
  waitpid(pid, &status, 0);
  expect_success(status, "posix_spawnp");
}

static void
start_by_vfork(void) {
  int status;
  pid_t pid = vfork();
  if (pid == 0) {
    execlp("true", "true", (char *)NULL);
    _exit(127);
  }
  if (pid < 0)
    FAIL("vfork: %s", strerror(errno));
  waitpid(pid, &status, 0);
  expect_success(status, "vfork");
}

static void (*const start_one[4])(void) = {start_by_system, start_by_popen, start_by_posix_spawn,
                                           start_by_vfork};

static void *
starter_main(void *arg) {
  unsigned i = (unsigned)(uintptr_t)arg;
  void *volatile local = NULL;
  struct hz_chain mine;
  local = chain_make_small(&mine, i);
  while (!atomic_load(&stop) && atomic_load(&started[i]) < 1000) {
    start_one[i]();
    churn_light(i);
    atomic_fetch_add(&started[i], 1);
  }
  chain_check(&mine, "stack of a thread that starts programs");
  CHECK(chain_is_head(&mine, local), "the local changed");
  return NULL;
}

static void *
allocator_main(void *arg) {
  for (unsigned n = (unsigned)(uintptr_t)arg; !atomic_load(&stop); n++)
    churn_light(n);
  return NULL;
}

static void
storm(void) {
  pthread_t starters[4], allocators[2];
  struct hz_collector collector;
  collector_start(&collector, 5);
  for (uintptr_t i = 0; i < 2; i++)
    hz_thread(&allocators[i], allocator_main, (void *)i);
  for (uintptr_t i = 0; i < 4; i++)
    hz_thread(&starters[i], starter_main, (void *)i);
  hz_sleep_ms(3500);
  for (unsigned i = 0; i < 4; i++)   /* a slow machine gets the time for a few of each */
    hz_wait_for(&started[i], 3, 10);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < 4; i++)
    pthread_join(starters[i], NULL);
  for (unsigned i = 0; i < 2; i++)
    pthread_join(allocators[i], NULL);
  collector_stop(&collector);
  for (unsigned i = 0; i < 4; i++)
    CHECK(started[i] >= 3, "only %d children of kind %u were started", started[i], i);
  hz_line("%d system, %d popen, %d posix_spawn, %d vfork", started[0], started[1], started[2],
          started[3]);
}

static const struct hz_case cases[] = {
  {"stuck_posix_spawn", stuck_posix_spawn, 0, 25},
  {"stuck_vfork", stuck_vfork, 0, 25},
  {"storm", storm, 0, 40},
  {0},
};

HZ_MAIN("spawn", cases)
