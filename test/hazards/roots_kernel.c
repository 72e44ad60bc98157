/* SPDX-License-Identifier: MIT */
/* roots_kernel - blocks whose only reference the kernel holds, or whose reference carries a tag.
   Event loops hand the kernel a connection's address in epoll_event.data and keep nothing themselves;
   timers, queued signals and asynchronous reads carry pointers as well; init code gives sigaltstack()
   a malloc block and forgets it. Interpreters tag pointers in low or high bits. A collector that does
   not record what such calls register frees live objects of ordinary servers. */
#include "hazard.h"

#include <aio.h>
#include <malloc.h>
#include <linux/aio_abi.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

enum { N = 12 };
static struct hz_chain chains[N];
static int pipes[N][2];

static void
make_pipes(void) {
  for (unsigned i = 0; i < N; i++)
    if (pipe2(pipes[i], O_CLOEXEC))
      FAIL("pipe: %s", strerror(errno));
}

static void
check_all(unsigned count, const char *what) {
  for (unsigned i = 0; i < count; i++)
    chain_check(&chains[i], what);
  stop_if_bad();
}

/* ---- epoll ---- */

static int poller;

static void
add_all(void *arg) {
  int op = *(int *)arg;
  for (unsigned i = 0; i < N; i++) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = chain_make(&chains[i], i * 17)};
    if (epoll_ctl(poller, op, pipes[i][0], &e))
      FAIL("epoll_ctl: %s", strerror(errno));
  }
}

static void
expect_events(unsigned count, const char *what) {
  struct epoll_event got[N];
  for (unsigned i = 0; i < count; i++)
    if (write(pipes[i][1], "x", 1) != 1)
      FAIL("write: %s", strerror(errno));
  int n = epoll_wait(poller, got, N, 5000);
  CHECK(n == (int)count, "epoll_wait returned %d of %u events", n, count);
  for (int k = 0; k < n; k++) {
    unsigned i = 0;
    while (i < count && !chain_is_head(&chains[i], got[k].data.ptr))
      i++;
    CHECK(i < count, "epoll_wait gave back an unknown pointer");
    char c;
    if (i < count && read(pipes[i][0], &c, 1) != 1)
      FAIL("read: %s", strerror(errno));
  }
  check_all(count, what);
  memset(got, 0, sizeof got);
  __asm__ volatile("" ::"r"(got) : "memory");
}

static void
epoll_data(void) {
  make_pipes();
  poller = epoll_create1(EPOLL_CLOEXEC);
  int op = EPOLL_CTL_ADD;
  run_hidden(add_all, &op);
  clear_stack();
  settle();
  check_all(N, "epoll_event.data of ADD");
  expect_events(N, "epoll_event.data of ADD");
  op = EPOLL_CTL_MOD;
  run_hidden(add_all, &op);
  clear_stack();
  settle();
  check_all(N, "epoll_event.data of MOD");
  expect_events(N, "epoll_event.data of MOD");
}

/* The registration outlives the first number of the descriptor and of the epoll instance. */
static void
epoll_dup(void) {
  make_pipes();
  int first = epoll_create1(EPOLL_CLOEXEC), op = EPOLL_CTL_ADD, copies[N];
  poller = first;
  run_hidden(add_all, &op);
  poller = fcntl(first, F_DUPFD_CLOEXEC, 100);
  for (unsigned i = 0; i < N; i++)
    copies[i] = fcntl(pipes[i][0], F_DUPFD_CLOEXEC, 200);
  close(first);
  for (unsigned i = 0; i < N; i++) {
    close(pipes[i][0]);
    pipes[i][0] = copies[i];
  }
  clear_stack();
  settle();
  check_all(N, "epoll_event.data after dup and close");
  expect_events(N, "epoll_event.data after dup and close");
}

/* A blocked waiter holds an array that the kernel fills later. */
static void *
wait_for_events(void *arg) {
  (void)arg;
  struct epoll_event *got = malloc(N * sizeof *got);
  int n = epoll_wait(poller, got, N, 20000);
  CHECK(n > 0, "epoll_wait returned %d", n);
  for (int k = 0; k < n; k++) {
    unsigned i = 0;
    while (i < N && !chain_is_head(&chains[i], got[k].data.ptr))
      i++;
    CHECK(i < N && chain_is_intact(&chains[i]), "a blocked epoll_wait gave back a broken object");
  }
  free(got);
  return NULL;
}

static void
epoll_blocked_waiter(void) {
  make_pipes();
  poller = epoll_create1(EPOLL_CLOEXEC);
  int op = EPOLL_CTL_ADD;
  run_hidden(add_all, &op);
  pthread_t t;
  hz_thread(&t, wait_for_events, NULL);
  hz_sleep_ms(20);
  settle();
  check_all(N, "epoll_event.data while a thread waits");
  if (write(pipes[3][1], "x", 1) != 1)
    FAIL("write: %s", strerror(errno));
  pthread_join(t, NULL);
}

/* ---- timers ---- */

static timer_t timers[N];
static atomic_int timer_seen;
static _Atomic(uintptr_t) timer_got[N];

static void
take_value(union sigval v) {
  int i = atomic_fetch_add(&timer_seen, 1);
  if (i < N)
    atomic_store(&timer_got[i], (uintptr_t)v.sival_ptr ^ HZ_KEY);
}

static void
timer_handler(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)context;
  take_value(info->si_value);
}

static void
create_timers(void *arg) {
  int notify = *(int *)arg;
  for (unsigned i = 0; i < N; i++) {
    struct sigevent e = {.sigev_notify = notify, .sigev_signo = SIGRTMIN + 2};
    e.sigev_value.sival_ptr = chain_make(&chains[i], i * 19);
    if (notify == SIGEV_THREAD)
      e.sigev_notify_function = take_value;
    if (timer_create(CLOCK_MONOTONIC, &e, &timers[i]))
      FAIL("timer_create: %s", strerror(errno));
  }
}

static void
keep_in_timers(int notify) {
  struct sigaction sa = {.sa_sigaction = timer_handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGRTMIN + 2, &sa, NULL);
  run_hidden(create_timers, &notify);
  clear_stack();
  settle();
  check_all(N, "sival_ptr of timer_create");
  struct itimerspec soon = {.it_value.tv_nsec = 1000000};
  for (unsigned i = 0; i < N; i++)
    timer_settime(timers[i], 0, &soon, NULL);
  CHECK(hz_wait_for(&timer_seen, N, 8), "%d of %d timers fired", atomic_load(&timer_seen), N);
  hz_sleep_ms(5);
  for (unsigned i = 0; i < N; i++) {
    bool known = false;
    for (unsigned k = 0; k < N; k++)
      known |= chains[k].hidden[0] == atomic_load(&timer_got[i]);
    CHECK(known, "a timer gave back an unknown pointer");
  }
  settle();
  check_all(N, "sival_ptr of a timer that has fired");
  for (unsigned i = 0; i < N; i++)
    timer_delete(timers[i]);
}

static void
timer_signal_value(void) {
  keep_in_timers(SIGEV_SIGNAL);
}

static void
timer_thread_value(void) {
  keep_in_timers(SIGEV_THREAD);
}

/* ---- queued signals ---- */

static void
queue_signals(void *arg) {
  int sig = *(int *)arg;
  for (unsigned i = 0; i < N; i++) {
    union sigval v = {.sival_ptr = chain_make(&chains[i], i * 23)};
    if (i & 1 ? sigqueue(getpid(), sig, v) : pthread_sigqueue(pthread_self(), sig, v))
      FAIL("sigqueue: %s", strerror(errno));
  }
}

static int
block_and_queue(void) {
  int sig = SIGRTMIN + 3;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, sig);
  sigprocmask(SIG_BLOCK, &set, NULL);
  run_hidden(queue_signals, &sig);
  clear_stack();
  settle();
  check_all(N, "sival_ptr of a pending signal");
  return sig;
}

static void
expect_known_head(const void *p, const char *what) {
  unsigned k = 0;
  while (k < N && !chain_is_head(&chains[k], p))
    k++;
  CHECK(k < N, "%s gave back an unknown pointer", what);
}

static void
pending_signal_value(void) {
  int sig = block_and_queue();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, sig);
  for (unsigned i = 0; i < N; i++) {
    siginfo_t info;
    struct timespec wait = {5, 0};
    if (sigtimedwait(&set, &info, &wait) != sig)
      FAIL("sigtimedwait: %s", strerror(errno));
    expect_known_head(info.si_value.sival_ptr, "sigtimedwait");
  }
  check_all(N, "sival_ptr of a received signal");
}

static void
pending_signal_descriptor(void) {
  int sig = block_and_queue();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, sig);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  for (unsigned i = 0; i < N; i++) {
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != sizeof info)
      FAIL("signalfd: %s", strerror(errno));
    expect_known_head((void *)(uintptr_t)info.ssi_ptr, "signalfd");
  }
  check_all(N, "sival_ptr read from a signalfd");
}

/* ---- asynchronous I/O of libc: control block and buffer are known to a helper thread only ---- */

enum { AIO_BYTES = 3000 };
static uintptr_t control_hidden[N], buffer_hidden[N];
static atomic_int aio_done;

static void
aio_callback(union sigval v) {
  expect_known_head(v.sival_ptr, "aio_sigevent");
  atomic_fetch_add(&aio_done, 1);
}

static void
start_reads(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < N; i++) {
    struct aiocb *cb = calloc(1, sizeof *cb);
    char *buffer = malloc(AIO_BYTES);
    cb->aio_fildes = pipes[i][0];
    cb->aio_buf = buffer;
    cb->aio_nbytes = AIO_BYTES;
    cb->aio_sigevent.sigev_notify = SIGEV_THREAD;
    cb->aio_sigevent.sigev_notify_function = aio_callback;
    cb->aio_sigevent.sigev_value.sival_ptr = chain_make(&chains[i], i * 29);
    if (aio_read(cb))
      FAIL("aio_read: %s", strerror(errno));
    control_hidden[i] = hide(cb);
    buffer_hidden[i] = hide(buffer);
  }
}

static void
asynchronous_read(void) {
  unsigned char bytes[AIO_BYTES];
  make_pipes();
  run_hidden(start_reads, NULL);
  clear_stack();
  hz_sleep_ms(20);
  settle();
  check_all(N, "sival_ptr of a pending aio_read");
  for (unsigned i = 0; i < N; i++) {
    guard_block(bytes, sizeof bytes, i);
    if (write(pipes[i][1], bytes, sizeof bytes) != sizeof bytes)
      FAIL("write: %s", strerror(errno));
  }
  CHECK(hz_wait_for(&aio_done, N, 8), "%d of %d reads ended", atomic_load(&aio_done), N);
  for (unsigned i = 0; i < N; i++) {
    struct aiocb *cb = reveal(control_hidden[i]);
    CHECK(aio_error(cb) == 0 && aio_return(cb) == AIO_BYTES, "aio_read %u: %s", i,
          strerror(aio_error(cb)));
    CHECK(check_block(reveal(buffer_hidden[i]), AIO_BYTES, i) < 0, "buffer %u of aio_read broke", i);
  }
}

/* ---- asynchronous I/O of the kernel, as databases use it, through syscall() ---- */

static aio_context_t aio_context;

static void
submit_polls(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < N; i++) {
    struct iocb cb = {.aio_lio_opcode = 5 /* IOCB_CMD_POLL */, .aio_fildes = (unsigned)pipes[i][0]};
    struct iocb *list[1] = {&cb};
    cb.aio_buf = POLLIN;
    cb.aio_data = (uintptr_t)chain_make(&chains[i], i * 31);
    if (syscall(SYS_io_submit, aio_context, 1L, list) != 1)
      SKIP("io_submit: %s", strerror(errno));
  }
}

static void
kernel_aio_data(void) {
  make_pipes();
  if (syscall(SYS_io_setup, (long)N, &aio_context))
    SKIP("io_setup: %s", strerror(errno));
  run_hidden(submit_polls, NULL);
  clear_stack();
  settle();
  check_all(N, "aio_data of io_submit");
  for (unsigned i = 0; i < N; i++)
    if (write(pipes[i][1], "x", 1) != 1)
      FAIL("write: %s", strerror(errno));
  struct io_event events[N];
  struct timespec wait = {5, 0};
  long n = syscall(SYS_io_getevents, aio_context, (long)N, (long)N, events, &wait);
  CHECK(n == N, "io_getevents returned %ld", n);
  check_all(N, "aio_data of io_submit");
}

/* ---- an alternate signal stack given to the kernel and forgotten ---- */

static uintptr_t forgotten_stack;
static size_t forgotten_bytes = 300000;   /* a size that churn() allocates */

static void
forget_stack(void *arg) {
  (void)arg;
  stack_t s = {.ss_size = forgotten_bytes, .ss_sp = malloc(forgotten_bytes)};
  guard_block(s.ss_sp, forgotten_bytes, 5);
  if (sigaltstack(&s, NULL))
    FAIL("sigaltstack: %s", strerror(errno));
  forgotten_stack = hide(s.ss_sp);
  memset(&s, 0, sizeof s);
  __asm__ volatile("" ::"r"(&s) : "memory");
}

static volatile sig_atomic_t handler_ran;

static void
on_forgotten_stack(int sig) {
  (void)sig;
  char here;
  uintptr_t base = forgotten_stack ^ HZ_KEY, at = (uintptr_t)&here;
  handler_ran = at - base < forgotten_bytes ? 1 : 2;
}

static void
check_forgotten(void) {
  char sample[4096];
  for (size_t at = 0; at < 128 * 1024; at += sizeof sample) {
    if (!hz_peek((char *)reveal(forgotten_stack) + at, sample, sizeof sample)) {
      hz_bad("the alternate stack is unmapped");
      return;
    }
    for (size_t i = 0; i < sizeof sample; i++)
      if ((unsigned char)sample[i] != hz_byte(5, at + i)) {
        hz_bad("the alternate stack was overwritten at +%zu", at + i);
        return;
      }
  }
}

static void *
alternate_thread(void *arg) {
  struct hz_gate *g = arg;
  run_hidden(forget_stack, NULL);
  clear_stack();
  atomic_store(&timer_seen, 1);
  gate_wait(g);
  raise(SIGUSR1);
  return NULL;
}

static void
signal_stack(void) {
  struct sigaction sa = {.sa_handler = on_forgotten_stack, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &sa, NULL);
  run_hidden(forget_stack, NULL);
  clear_stack();
  settle();
  check_forgotten();
  raise(SIGUSR1);
  CHECK(handler_ran == 1, "the handler did not run on its stack");
  struct hz_gate g;
  pthread_t t;
  gate_init(&g);
  hz_thread(&t, alternate_thread, &g);
  if (!hz_wait_for(&timer_seen, 1, 10))
    FAIL("the thread did not start");
  settle();
  check_forgotten();
  gate_open(&g, 1);
  pthread_join(t, NULL);
}

/* ---- tags ---- */

static volatile uintptr_t tagged[64];
static struct hz_chain tag_chains[64];

struct tagging {
  uintptr_t or_with[16];
  unsigned count;
};

static void
put_tagged(void *arg) {
  struct tagging *t = arg;
  for (unsigned i = 0; i < t->count; i++)
    tagged[i] = (uintptr_t)chain_make_small(&tag_chains[i], i * 37) | t->or_with[i];
}

static void
keep_tagged(struct tagging *t, const char *what) {
  run_hidden(put_tagged, t);
  clear_stack();
  settle();
  for (unsigned i = 0; i < t->count; i++) {
    char text[100];
    snprintf(text, sizeof text, "%s %016lx", what, (unsigned long)t->or_with[i]);
    chain_check(&tag_chains[i], text);
  }
}

static void
tag_in_low_bits(void) {
  struct tagging t = {{1, 2, 3, 4, 5, 6, 7}, 7};
  keep_tagged(&t, "pointer with tag");
}

/* Boxed doubles: the payload is a 48-bit address under a quiet NaN or an offset. */
static void
tag_in_high_bits(void) {
  struct tagging t = {{(uintptr_t)0xfffe << 48, (uintptr_t)0xfff9 << 48, (uintptr_t)0x7ffc << 48,
                       (uintptr_t)0xffff << 48, (uintptr_t)0x0001 << 48, (uintptr_t)0x8000 << 48}, 6};
  keep_tagged(&t, "pointer with tag");
}

/* Some interpreters use 17 bits and leave 47 for the address. */
static void
tag_of_17_bits(void) {
  struct tagging t = {{(uintptr_t)0x1fffb << 47, (uintptr_t)0x1fff5 << 47}, 2};
  keep_tagged(&t, "pointer with tag");
}

/* ---- in transit, where nothing but the reader knows the pointer ---- */

static int channel[2];

static void
send_pointers(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < N; i++) {
    void *head = chain_make(&chains[i], i * 41);
    if (write(channel[1], &head, sizeof head) != sizeof head)
      FAIL("write: %s", strerror(errno));
  }
}

static void *
receive_pointers(void *arg) {
  (void)arg;
  for (unsigned i = 0; i < N; i++) {
    void *head;
    if (read(channel[0], &head, sizeof head) != sizeof head)
      FAIL("read: %s", strerror(errno));
    CHECK(chain_is_head(&chains[i], head), "another pointer came out");
    chain_check(&chains[i], "pointer read from a channel");
  }
  return NULL;
}

static void
pass_pointers(void) {
  pthread_t t;
  run_hidden(send_pointers, NULL);
  clear_stack();
  settle();
  hz_thread(&t, receive_pointers, NULL);
  pthread_join(t, NULL);
}

static void
transit_pipe(void) {
  if (pipe2(channel, O_CLOEXEC))
    FAIL("pipe: %s", strerror(errno));
  pass_pointers();
}

static void
transit_socket(void) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel))
    FAIL("socketpair: %s", strerror(errno));
  pass_pointers();
}

static void
put_xored(void *arg) {
  (void)arg;
  tagged[0] = (uintptr_t)chain_make(&chains[0], 1) ^ (uintptr_t)0x123456789abcdef0u;
}

static void
hidden_by_xor(void) {
  run_hidden(put_xored, NULL);
  clear_stack();
  settle();
  chain_check(&chains[0], "XORed pointer");
}

static const struct hz_case cases[] = {
  {"epoll_data", epoll_data, 0, 0},
  {"epoll_dup", epoll_dup, 0, 0},
  {"epoll_blocked_waiter", epoll_blocked_waiter, 0, 0},
  {"timer_signal_value", timer_signal_value, 0, 0},
  {"timer_thread_value", timer_thread_value, 0, 0},
  {"pending_signal_value", pending_signal_value, 0, 0},
  {"pending_signal_descriptor", pending_signal_descriptor, 0, 0},
  {"asynchronous_read", asynchronous_read, 0, 0},
  {"kernel_aio_data", kernel_aio_data, HZ_NOTED, 0},
  {"signal_stack", signal_stack, 0, 0},
  {"tag_in_low_bits", tag_in_low_bits, 0, 0},
  {"tag_in_high_bits", tag_in_high_bits, 0, 0},
  {"tag_of_17_bits", tag_of_17_bits, HZ_NOTED, 0},
  {"transit_pipe", transit_pipe, HZ_NOTED, 0},
  {"transit_socket", transit_socket, HZ_NOTED, 0},
  {"hidden_by_xor", hidden_by_xor, HZ_NOTED, 0},
  {0},
};

HZ_MAIN("roots_kernel", cases)
