/* SPDX-License-Identifier: MIT */
/*
 * Blocks that only the kernel knows, or libc on its way from one thread to another: each is held for as long as
 * it can come back, and reclaimed afterwards.  Runs with the library preloaded.
 */
#include "cgc.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <malloc.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma weak cgc_collect

/* Some garbage is kept by words that happen to point to it: most of so many must go. */
enum { BLOCKS = 16, BLOCK_BYTES = 40000, SIGNAL = 40 };

/* Of what is not held any more so many must be gone: stale words keep some.  Those of sixteen stacks keep more. */
static int gone_min = 10;

static uintptr_t hidden[BLOCKS];
static int failures;

__attribute__((noinline)) static void *
new_block(int i) {
  void *block = malloc(BLOCK_BYTES);
  hidden[i] = ~(uintptr_t)block;
  return block;
}

/* What memcpy copied last stays in vector registers, and the frame of a stop signal shows them. */
static void
clear_vectors(void) {
  static char from[1024], to[1024];
  for (size_t bytes = 16; bytes <= sizeof from; bytes *= 2) {
    memcpy(to, from, bytes);
    __asm__ volatile("" ::"r"(to) : "memory");
  }
}

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char below[64 * 1024];
  for (size_t i = 0; i < sizeof below; i++)
    below[i] = 0;
  clear_vectors();
}

__attribute__((noinline)) static int
count_blocks(void) {
  int count = 0;
  for (int i = 0; i < BLOCKS; i++)
    count += malloc_usable_size((void *)~hidden[i]) != 0;
  return count;
}

/* Three cycles: two that must agree, and one more as the first may see what the stack still holds. */
static void
collect(void) {
  for (int i = 0; i < 3; i++) {
    clear_stack();
    if (cgc_collect())
      i--;
  }
  clear_stack();
}

/* What is to go may still be on the stack of a thread that is on its way into a wait. */
static void
expect(bool held, const char *what) {
  int count = BLOCKS;
  for (int turn = 0; turn < (held ? 1 : 20); turn++) {
    collect();
    count = count_blocks();
    clear_stack();
    if (held ? count == BLOCKS : count <= BLOCKS - gone_min)
      return;
    usleep(20 * 1000);
  }
  printf("FAIL: %s: %d of %d blocks are there:", what, count, BLOCKS);
  for (int i = 0; i < BLOCKS; i++)
    printf(" %d", malloc_usable_size((void *)~hidden[i]) != 0);
  printf("\n");
  failures++;
}

static void
must(bool condition, const char *what) {
  if (!condition) {
    printf("FAIL: %s\n", what);
    exit(1);
  }
}

/* ---- epoll ---- */

static int epoll_fd, events[BLOCKS];

__attribute__((noinline)) static void
watch(int op) {
  for (int i = 0; i < BLOCKS; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = new_block(i)};
    must(epoll_ctl(epoll_fd, op, events[i], &event) == 0, "epoll_ctl");
  }
}

static void
test_epoll(void) {
  epoll_fd = epoll_create1(0);
  for (int i = 0; i < BLOCKS; i++)
    events[i] = eventfd(0, 0);
  watch(EPOLL_CTL_ADD);
  expect(true, "epoll, added");
  for (int i = 0; i < BLOCKS; i++)
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, events[i], NULL);
  expect(false, "epoll, deleted");
  watch(EPOLL_CTL_ADD);
  for (int i = 0; i < BLOCKS; i++)
    close(events[i]);
  expect(false, "epoll, descriptor closed");
}

/* ---- timers ---- */

static timer_t timers[BLOCKS];

__attribute__((noinline)) static void
make_timers(void) {
  for (int i = 0; i < BLOCKS; i++) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGNAL};
    event.sigev_value.sival_ptr = new_block(i);
    must(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0, "timer_create");
  }
}

static void
test_timers(void) {
  make_timers();
  expect(true, "timer");
  for (int i = 0; i < BLOCKS; i++)
    timer_delete(timers[i]);
  expect(false, "timer, deleted");
}

/* ---- signals ---- */

__attribute__((noinline)) static void
queue_signals(void) {
  for (int i = 0; i < BLOCKS; i++) {
    union sigval value = {.sival_ptr = new_block(i)};
    must((i & 1 ? sigqueue(getpid(), SIGNAL, value) : pthread_sigqueue(pthread_self(), SIGNAL, value)) == 0, "sigqueue");
  }
}

__attribute__((noinline)) static void
take_signals(void) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGNAL);
  for (int i = 0; i < BLOCKS; i++)
    sigwaitinfo(&set, &info);
  memset(&info, 0, sizeof info);
  __asm__ volatile("" ::"r"(&info) : "memory");
}

static void
test_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGNAL);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  queue_signals();
  expect(true, "queued signal");
  take_signals();
  expect(false, "queued signal, taken");
}

/* ---- message queues ---- */

static mqd_t queues[BLOCKS];

static void
name_queue(char *name, size_t size, int i) {
  snprintf(name, size, "/cgc-%d-%d", (int)getpid(), i);
}

/* False if the system allows no more queues. */
static bool
open_queue(int i) {
  char name[64];
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  name_queue(name, sizeof name, i);
  queues[i] = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
  mq_unlink(name);
  return queues[i] != (mqd_t)-1;
}

__attribute__((noinline)) static void
set_notifications(int notify) {
  for (int i = 0; i < BLOCKS; i++) {
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = SIGNAL};
    event.sigev_value.sival_ptr = new_block(i);
    must(mq_notify(queues[i], &event) == 0, "mq_notify");
  }
}

static void
test_message_queues(void) {
  for (int i = 0; i < BLOCKS; i++)
    if (!open_queue(i)) {
      printf("message queues are left out: %m\n");
      while (i-- > 0)
        mq_close(queues[i]);
      return;
    }
  set_notifications(SIGEV_SIGNAL);
  expect(true, "notification");
  for (int i = 0; i < BLOCKS; i++)
    mq_notify(queues[i], NULL);
  expect(false, "notification, taken back");
  set_notifications(SIGEV_SIGNAL);
  for (int i = 0; i < BLOCKS; i++)
    mq_close(queues[i]);
  expect(false, "notification, queue closed");
}

/* ---- threads ---- */

static pthread_t threads[BLOCKS];
static pthread_barrier_t barrier;

/* Half of them by a raw call, which leaves no note: the stack is in the frame of the signal that stops the thread.  The
 * others block that signal, so that there is only the note. */
__attribute__((noinline)) static void
set_stack(int i) {
  stack_t stack = {.ss_sp = new_block(i), .ss_size = BLOCK_BYTES};
  must((i & 1 ? (int)syscall(SYS_sigaltstack, &stack, NULL) : sigaltstack(&stack, NULL)) == 0, "sigaltstack");
  memset(&stack, 0, sizeof stack);
  __asm__ volatile("" ::"r"(&stack) : "memory");
}

static void *
sleep_with_stack(void *arg) {
  int i = (int)(intptr_t)arg;
  sigset_t all;
  sigfillset(&all);
  set_stack(i);
  clear_stack();
  if (!(i & 1))
    pthread_sigmask(SIG_SETMASK, &all, NULL);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  clear_stack();
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return NULL;
}

static void
test_signal_stacks(void) {
  pthread_barrier_init(&barrier, NULL, BLOCKS + 1);
  for (int i = 0; i < BLOCKS; i++)
    must(pthread_create(&threads[i], NULL, sleep_with_stack, (void *)(intptr_t)i) == 0, "pthread_create");
  pthread_barrier_wait(&barrier);
  expect(true, "signal stack");
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  gone_min = 4;
  expect(false, "signal stack, disabled");
  gone_min = 10;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < BLOCKS; i++)
    pthread_join(threads[i], NULL);
}

/* A word in transit: the argument until the thread runs, the result until it is joined. */
static void *
return_block(void *arg) {
  int i = (int)(intptr_t)arg;
  void *block = new_block(i);
  if (i & 1)
    pthread_exit(block);
  return block;
}

static void
test_results(void) {
  for (int i = 0; i < BLOCKS; i++)
    must(pthread_create(&threads[i], NULL, return_block, (void *)(intptr_t)i) == 0, "pthread_create");
  struct timespec pause = {0, 100 * 1000 * 1000};
  nanosleep(&pause, NULL);
  expect(true, "result of a thread");
  for (int i = 0; i < BLOCKS; i++)
    pthread_join(threads[i], NULL);
}

static void *
check_argument(void *arg) {
  must(malloc_usable_size(arg) != 0, "argument of a thread");
  return NULL;
}

__attribute__((noinline)) static void
start_threads(void) {
  for (int i = 0; i < BLOCKS; i++)
    must(pthread_create(&threads[i], NULL, check_argument, new_block(i)) == 0, "pthread_create");
}

/* Some of the threads have not begun when the cycles run. */
static void
test_arguments(void) {
  for (int round = 0; round < 20; round++) {
    start_threads();
    clear_stack();
    cgc_collect();
    cgc_collect();
    for (int i = 0; i < BLOCKS; i++)
      pthread_join(threads[i], NULL);
  }
}

/* ---- asynchronous I/O: libc's own lists are in the heap ---- */

static int pipe_fds[2];

__attribute__((noinline)) static void
start_reads(void) {
  for (int i = 0; i < BLOCKS; i++) {
    struct aiocb *control = calloc(1, sizeof *control);
    control->aio_fildes = pipe_fds[0];
    control->aio_buf = new_block(i);
    control->aio_nbytes = 1;
    must(aio_read(control) == 0, "aio_read");
  }
}

static void
test_reads(void) {
  char bytes[BLOCKS] = {0};
  must(pipe(pipe_fds) == 0, "pipe");
  start_reads();
  expect(true, "asynchronous read");
  must(write(pipe_fds[1], bytes, BLOCKS) == BLOCKS, "write");
}

/* ---- fork ---- */

static void
test_in_child(void) {
  int status;
  epoll_fd = epoll_create1(0);
  for (int i = 0; i < BLOCKS; i++)
    events[i] = eventfd(0, 0);
  watch(EPOLL_CTL_ADD);
  queue_signals();   /* not the child's */
  watch(EPOLL_CTL_MOD);
  pid_t child = fork();
  if (!child) {
    failures = 0;
    expect(true, "epoll, in a child");
    for (int i = 0; i < BLOCKS; i++)
      epoll_ctl(epoll_fd, EPOLL_CTL_DEL, events[i], NULL);
    expect(false, "epoll, deleted in a child");
    queue_signals();
    expect(true, "queued signal, in a child");
    exit(failures != 0);
  }
  must(waitpid(child, &status, 0) == child && status == 0, "child");
  take_signals();
}

/* ---- io_submit ---- */

static aio_context_t context;
static int pipes[BLOCKS][2];

/* The control blocks are not kept: the kernel has copied them. */
__attribute__((noinline)) static void
submit(int from, int to) {
  for (int i = from; i < to; i++) {
    struct iocb request = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (unsigned)pipes[i][0], .aio_buf = POLLIN};
    struct iocb *list[] = {&request};
    request.aio_data = (uintptr_t)new_block(i);
    must(syscall(SYS_io_submit, context, 1L, list) == 1, "io_submit");
  }
}

__attribute__((noinline)) static void
take_events(void) {
  struct io_event taken[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    must(write(pipes[i][1], "x", 1) == 1, "write");
  must(syscall(SYS_io_getevents, context, (long)BLOCKS, (long)BLOCKS, taken, NULL) == BLOCKS, "io_getevents");
  for (int i = 0; i < BLOCKS; i++)
    must(malloc_usable_size((void *)(uintptr_t)taken[i].data) >= BLOCK_BYTES, "the data of io_getevents");
  memset(taken, 0, sizeof taken);
  __asm__ volatile("" ::"r"(taken) : "memory");
}

static void
drain_pipes(void) {
  char byte;
  for (int i = 0; i < BLOCKS; i++)
    must(read(pipes[i][0], &byte, 1) == 1, "read");
}

/* Of a list whose last request is bad, those before are taken. */
__attribute__((noinline)) static void
submit_with_bad_last(void) {
  static struct iocb requests[BLOCKS + 1];
  struct iocb *list[BLOCKS + 1];
  for (int i = 0; i <= BLOCKS; i++) {
    requests[i] = (struct iocb){.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN};
    requests[i].aio_fildes = i < BLOCKS ? (unsigned)pipes[i][0] : (unsigned)-1;
    requests[i].aio_data = i < BLOCKS ? (uintptr_t)new_block(i) : 0;
    list[i] = &requests[i];
  }
  must(syscall(SYS_io_submit, context, BLOCKS + 1L, list) == BLOCKS, "io_submit of a list");
  memset(requests, 0, sizeof requests);
}

static void
test_io_submit(void) {
  struct iocb *bad[] = {(struct iocb *)16};
  for (int i = 0; i < BLOCKS; i++)
    must(pipe(pipes[i]) == 0, "pipe");
  if (syscall(SYS_io_setup, BLOCKS, &context)) {
    puts("no io_setup here: not tested");
    return;
  }
  must(syscall(SYS_io_submit, context, 1L, bad) == -1 && errno == EFAULT, "io_submit of a bad address");
  must(syscall(SYS_io_submit, context, 1L, NULL) == -1 && errno == EFAULT, "io_submit of a bad list");
  submit(0, BLOCKS);
  expect(true, "io_submit");
  take_events();
  expect(false, "io_submit, events taken");
  drain_pipes();
  submit_with_bad_last();
  expect(true, "io_submit of a list");
  must(syscall(SYS_io_destroy, context) == 0, "io_destroy");
  expect(false, "io_submit, context destroyed");
}

/* ---- libaio, looked up as it need not be there ---- */

typedef int libaio_setup(int count, aio_context_t *context);
typedef int libaio_submit(aio_context_t context, long count, struct iocb **list);
typedef int libaio_getevents(aio_context_t context, long min, long max, struct io_event *events, struct timespec *);
typedef int libaio_destroy(aio_context_t context);

static void *libaio;

static void *
libaio_function(const char *name) {
  void *function = dlsym(RTLD_DEFAULT, name);   /* through the library's wrapper */
  must(function != NULL, name);
  return function;
}

__attribute__((noinline)) static void
submit_by_libaio(void) {
  libaio_submit *submit_function = (libaio_submit *)libaio_function("io_submit");
  struct iocb *bad[] = {(struct iocb *)16};
  must(submit_function(context, 1, bad) == -EFAULT, "libaio's io_submit of a bad address");
  for (int i = 0; i < BLOCKS; i++) {
    struct iocb request = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (unsigned)pipes[i][0], .aio_buf = POLLIN};
    struct iocb *list[] = {&request};
    request.aio_data = (uintptr_t)new_block(i);
    must(submit_function(context, 1, list) == 1, "libaio's io_submit");
  }
}

__attribute__((noinline)) static void
take_events_by_libaio(void) {
  libaio_getevents *getevents = (libaio_getevents *)libaio_function("io_getevents");
  struct io_event taken[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    must(write(pipes[i][1], "x", 1) == 1, "write");
  must(getevents(context, BLOCKS, BLOCKS, taken, NULL) == BLOCKS, "libaio's io_getevents");
  memset(taken, 0, sizeof taken);
  __asm__ volatile("" ::"r"(taken) : "memory");
}

static void
test_libaio(void) {
  libaio = dlopen("libaio.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (!libaio) {
    puts("no libaio here: not tested");
    return;
  }
  libaio_setup *setup = (libaio_setup *)dlsym(libaio, "io_setup");
  context = 0;
  must(setup && setup(BLOCKS, &context) == 0, "libaio's io_setup");
  submit_by_libaio();
  expect(true, "libaio's io_submit");
  take_events_by_libaio();
  expect(false, "libaio's io_submit, events taken");
  drain_pipes();
  submit_by_libaio();
  expect(true, "libaio's io_submit, again");
  must(((libaio_destroy *)libaio_function("io_destroy"))(context) == 0, "libaio's io_destroy");
  expect(false, "libaio's io_submit, context destroyed");
}

/* ---- io_uring ---- */

enum { RING_ENTRIES = 32 };

struct ring {
  int fd;
  unsigned *tail, *mask, *array;
  struct io_uring_sqe *entries;
  void *base;
  size_t base_bytes;
};

static bool
open_ring(struct ring *ring) {
  struct io_uring_params params = {0};
  ring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &params);
  if (ring->fd < 0)
    return false;
  size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  size_t ring_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
  char *base = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
  void *entries = mmap(NULL, params.sq_entries * sizeof *ring->entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
                       IORING_OFF_SQES);
  must(base != MAP_FAILED && entries != MAP_FAILED, "mapping the ring");
  ring->tail = (unsigned *)(base + params.sq_off.tail);
  ring->mask = (unsigned *)(base + params.sq_off.ring_mask);
  ring->array = (unsigned *)(base + params.sq_off.array);
  ring->entries = entries;
  ring->base = base;
  ring->base_bytes = ring_bytes;
  return true;
}

static void
submit_entry(struct ring *ring, struct io_uring_sqe entry) {
  unsigned tail = *ring->tail, at = tail & *ring->mask;
  ring->entries[at] = entry;
  ring->array[at] = at;
  __atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
  must(syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) == 1, "io_uring_enter");
}

__attribute__((noinline)) static void
submit_polls(struct ring *ring) {
  for (int i = 0; i < BLOCKS; i++) {
    struct io_uring_sqe entry = {.opcode = IORING_OP_POLL_ADD, .fd = pipes[i][0], .poll32_events = POLLIN};
    entry.user_data = (uintptr_t)new_block(i);
    submit_entry(ring, entry);
  }
}

/* Its words go when others take their places. */
static void
test_io_uring(void) {
  struct ring ring;
  if (!open_ring(&ring)) {
    puts("no io_uring here: not tested");
    return;
  }
  submit_polls(&ring);
  expect(true, "io_uring");
  for (int i = 0; i < RING_ENTRIES; i++)
    submit_entry(&ring, (struct io_uring_sqe){.opcode = IORING_OP_NOP});
  expect(false, "io_uring, entries used again");
  submit_polls(&ring);
  expect(true, "io_uring, once more");
  close(ring.fd);
  expect(true, "io_uring, closed but mapped");
  munmap(ring.base, ring.base_bytes);
  munmap(ring.entries, RING_ENTRIES * sizeof *ring.entries);
  expect(false, "io_uring, closed");
}

int
main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  must(cgc_collect, "the library is not preloaded");
  test_epoll();
  test_timers();
  test_signals();
  test_message_queues();
  test_signal_stacks();
  test_arguments();
  test_results();
  test_in_child();
  test_reads();
  test_io_submit();
  test_libaio();
  test_io_uring();
  return failures != 0;
}
