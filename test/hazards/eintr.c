/* SPDX-License-Identifier: MIT */
/* eintr - blocking calls that a stop signal would break.
   After any handler, even one installed with SA_RESTART, poll, select, epoll_wait, nanosleep, semop,
   sigtimedwait, sockets with timeouts and others fail with EINTR, and a write or recv(MSG_WAITALL) that
   has moved some bytes returns short (man 7 signal). Programs that install no handlers never meet that
   and do not check. A collector must therefore leave blocked threads in peace: no call may return
   early, none may fail, and each stays a cancellation point. */
#include "hazard.h"

#include <aio.h>
#include <mqueue.h>
#include <linux/aio_abi.h>
#include <semaphore.h>
#include <threads.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SLEEP_S 2.6          /* how long the timed calls block */
#define SLACK_S 0.001        /* clocks and timers may disagree by this */
enum { COLLECTIONS = 200, COLLECT_MS = 2000 };

#define SIG_WAIT (SIGRTMIN + 5)
#define SIG_NEVER (SIGRTMIN + 6)

static atomic_int woken;     /* set before anything that ends an untimed call */
static int idle_pipe[2];     /* never readable */
static int data_pipe[2], full_pipe[2], fifo_fd = -1;
static int idle_socket[2], send_socket[2], waitall_socket[2];
static int queue_id = -1, set_id = -1, epoll_fd, lock_fd = -1;
static sem_t idle_sem, post_sem;
static pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER, cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle_cond = PTHREAD_COND_INITIALIZER, signalled_cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t held_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static bool cond_flag;
static int idle_futex, woken_futex;
static pid_t sleeping_child;
static pthread_t joined_thread;
static volatile sig_atomic_t pause_signals, suspend_signals;

struct call {
  const char *name;
  long (*fn)(void);    /* returns the call's result; errno is the call's */
  long want;
  int want_errno;      /* with want == -1 */
  bool timed;          /* ends by itself after SLEEP_S; otherwise only once woken */
  pthread_t thread;
  bool started;
  atomic_int done;
  long got;
  int got_errno;
  double seconds;
  bool early;
};

static struct timespec
from_now(clockid_t clock, double seconds) {
  struct timespec t;
  clock_gettime(clock, &t);
  t.tv_sec += (time_t)seconds;
  t.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  return t;
}

static struct timespec
span(void) {
  return (struct timespec){(time_t)SLEEP_S, (long)((SLEEP_S - (time_t)SLEEP_S) * 1e9)};
}

/* Turns functions that return an error number into the -1/errno form. */
static long
from_error(int err) {
  if (!err)
    return 0;
  errno = err;
  return -1;
}

/* ---- calls that time out ---- */

static long
call_poll(void) {
  struct pollfd p = {idle_pipe[0], POLLIN, 0};
  return poll(&p, 1, (int)(SLEEP_S * 1000));
}

static long
call_poll_nothing(void) {
  return poll(NULL, 0, (int)(SLEEP_S * 1000));
}

static long
call_ppoll(void) {
  struct pollfd p = {idle_pipe[0], POLLIN, 0};
  struct timespec t = span();
  sigset_t set;
  sigemptyset(&set);
  return ppoll(&p, 1, &t, &set);
}

static long
call_epoll_wait(void) {
  struct epoll_event e;
  return epoll_wait(epoll_fd, &e, 1, (int)(SLEEP_S * 1000));
}

static long
call_epoll_pwait(void) {
  struct epoll_event e;
  sigset_t set;
  sigemptyset(&set);
  return epoll_pwait(epoll_fd, &e, 1, (int)(SLEEP_S * 1000), &set);
}

#if __GLIBC_PREREQ(2, 35)
static long
call_epoll_pwait2(void) {
  struct epoll_event e;
  struct timespec t = span();
  int n = epoll_pwait2(epoll_fd, &e, 1, &t, NULL);
  if (n < 0 && errno == ENOSYS)
    return call_epoll_wait();
  return n;
}
#endif

static long
call_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(idle_pipe[0], &set);
  struct timeval t = {(time_t)SLEEP_S, (long)((SLEEP_S - (time_t)SLEEP_S) * 1e6)};
  return select(idle_pipe[0] + 1, &set, NULL, NULL, &t);
}

static long
call_pselect(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(idle_pipe[0], &set);
  struct timespec t = span();
  sigset_t mask;
  sigemptyset(&mask);
  return pselect(idle_pipe[0] + 1, &set, NULL, NULL, &t, &mask);
}

static long
call_nanosleep(void) {
  struct timespec t = span(), rest = {0, 0};
  return nanosleep(&t, &rest);
}

static long
call_clock_nanosleep(void) {
  struct timespec t = span();
  return from_error(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
}

static long
call_clock_nanosleep_absolute(void) {
  struct timespec t = from_now(CLOCK_REALTIME, SLEEP_S);
  return from_error(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
}

static long
call_usleep(void) {
  return usleep((useconds_t)(SLEEP_S * 1e6));
}

static long
call_sleep(void) {
  return (long)sleep(3);   /* the result is the unslept rest */
}

static long
call_thrd_sleep(void) {
  struct timespec t = span();
  return thrd_sleep(&t, NULL);
}

static long
call_sem_timedwait(void) {
  struct timespec t = from_now(CLOCK_REALTIME, SLEEP_S);
  return sem_timedwait(&idle_sem, &t);
}

static long
call_sem_clockwait(void) {
  struct timespec t = from_now(CLOCK_MONOTONIC, SLEEP_S);
  return sem_clockwait(&idle_sem, CLOCK_MONOTONIC, &t);
}

static long
call_cond_timedwait(void) {
  struct timespec t = from_now(CLOCK_REALTIME, SLEEP_S);
  static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&m);
  int err;
  do   /* wake-ups without a cause are allowed */
    err = pthread_cond_timedwait(&idle_cond, &m, &t);
  while (!err);
  pthread_mutex_unlock(&m);
  return from_error(err);
}

static long
call_mutex_timedlock(void) {
  struct timespec t = from_now(CLOCK_REALTIME, SLEEP_S);
  return from_error(pthread_mutex_timedlock(&held_mutex, &t));
}

static long
call_rwlock_timedrdlock(void) {
  struct timespec t = from_now(CLOCK_REALTIME, SLEEP_S);
  return from_error(pthread_rwlock_timedrdlock(&held_rwlock, &t));
}

static void
limit_socket(int fd) {
  struct timeval t = {(time_t)SLEEP_S, (long)((SLEEP_S - (time_t)SLEEP_S) * 1e6)};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

static long
call_recv_timeout(void) {
  char c;
  int fd[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
    FAIL("socketpair: %s", strerror(errno));
  limit_socket(fd[0]);
  return recv(fd[0], &c, 1, 0);
}

static long
call_recvmsg_timeout(void) {
  char c;
  struct iovec v = {&c, 1};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  int fd[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd))
    FAIL("socketpair: %s", strerror(errno));
  limit_socket(fd[0]);
  return recvmsg(fd[0], &m, 0);
}

static long
call_read_socket_timeout(void) {
  char c;
  int fd[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
    FAIL("socketpair: %s", strerror(errno));
  limit_socket(fd[0]);
  return read(fd[0], &c, 1);
}

static int
listening_socket(struct sockaddr_un *a, socklen_t *len) {
  static atomic_int serial;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(a, 0, sizeof *a);
  a->sun_family = AF_UNIX;   /* an abstract name: no file */
  int n = snprintf(a->sun_path + 1, sizeof a->sun_path - 1, "cgc-hazard-%d-%d", getpid(),
                   atomic_fetch_add(&serial, 1));
  *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
  if (fd < 0 || bind(fd, (struct sockaddr *)a, *len) || listen(fd, 4))
    FAIL("listen: %s", strerror(errno));
  return fd;
}

static long
call_accept_timeout(void) {
  struct sockaddr_un a;
  socklen_t len;
  int fd = listening_socket(&a, &len);
  limit_socket(fd);
  return accept(fd, NULL, NULL);
}

static long
call_semtimedop(void) {
  struct sembuf op = {0, -1, 0};
  struct timespec t = span();
  return semtimedop(set_id, &op, 1, &t);
}

static long
call_sigtimedwait(void) {
  sigset_t set;
  struct timespec t = span();
  sigemptyset(&set);
  sigaddset(&set, SIG_NEVER);
  return sigtimedwait(&set, NULL, &t);
}

static long
call_mq_timedreceive(void) {
  char name[60], buffer[64];
  snprintf(name, sizeof name, "/cgc-hazard-%d", getpid());
  struct mq_attr a = {.mq_maxmsg = 2, .mq_msgsize = 64};
  mqd_t q = mq_open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600, &a);
  struct timespec t = from_now(CLOCK_REALTIME, SLEEP_S);
  if (q == (mqd_t)-1) {   /* no message queues here: any timed call will do */
    call_nanosleep();
    errno = ETIMEDOUT;
    return -1;
  }
  mq_unlink(name);
  return mq_timedreceive(q, buffer, sizeof buffer, NULL, &t);
}

static long
call_futex_timeout(void) {
  struct timespec t = span();
  return syscall(SYS_futex, &idle_futex, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
}

static long
call_io_getevents(void) {
  aio_context_t context = 0;
  struct io_event e;
  struct timespec t = span();
  if (syscall(SYS_io_setup, 1L, &context))
    return call_nanosleep();   /* not here */
  return syscall(SYS_io_getevents, context, 1L, 1L, &e, &t);
}

static long
call_aio_suspend(void) {
  static struct aiocb cb;
  static char c;
  static int fd[2];
  if (pipe2(fd, O_CLOEXEC))
    FAIL("pipe: %s", strerror(errno));
  cb.aio_fildes = fd[0];
  cb.aio_buf = &c;
  cb.aio_nbytes = 1;
  if (aio_read(&cb))
    FAIL("aio_read: %s", strerror(errno));
  const struct aiocb *list[1] = {&cb};
  struct timespec t = span();
  return aio_suspend(list, 1, &t);
}

/* ---- calls that the main thread ends ---- */

static long
call_read_pipe(void) {
  char c;
  return read(data_pipe[0], &c, 1);
}

static long
call_poll_forever(void) {
  struct pollfd p = {fifo_fd, POLLIN, 0};
  return poll(&p, 1, -1);
}

static long
call_epoll_wait_forever(void) {
  struct epoll_event e = {.events = EPOLLIN}, got;
  int fd = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(fd, EPOLL_CTL_ADD, fifo_fd, &e);
  return epoll_wait(fd, &got, 1, -1);
}

static long
call_select_forever(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fifo_fd, &set);
  return select(fifo_fd + 1, &set, NULL, NULL, NULL);
}

static long
call_sem_wait(void) {
  return sem_wait(&post_sem);
}

static long
call_cond_wait(void) {
  int err = 0;
  pthread_mutex_lock(&cond_mutex);
  while (!cond_flag && !err)
    err = pthread_cond_wait(&signalled_cond, &cond_mutex);
  pthread_mutex_unlock(&cond_mutex);
  return from_error(err);
}

static long
call_mutex_lock(void) {
  int err = pthread_mutex_lock(&held_mutex);
  if (!err)
    pthread_mutex_unlock(&held_mutex);
  return from_error(err);
}

static long
call_join(void) {
  return from_error(pthread_join(joined_thread, NULL));
}

static long
call_waitpid(void) {
  int status = -1;
  pid_t pid = waitpid(sleeping_child, &status, 0);
  return pid == sleeping_child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct message {
  long type;
  char text[8];
};

static long
call_msgrcv(void) {
  struct message m;
  return msgrcv(queue_id, &m, sizeof m.text, 7, 0);
}

static long
call_semop(void) {
  struct sembuf op = {1, -1, 0};
  return semop(set_id, &op, 1);
}

static long
call_sigwaitinfo(void) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIG_WAIT);
  return sigwaitinfo(&set, &info) == SIG_WAIT ? 0 : -1;
}

static long
call_sigwait(void) {
  sigset_t set;
  int sig = 0;
  sigemptyset(&set);
  sigaddset(&set, SIG_WAIT);
  int err = sigwait(&set, &sig);
  return err ? from_error(err) : sig == SIG_WAIT ? 0 : -1;
}

static void
count_pause(int sig) {
  (void)sig;
  pause_signals = pause_signals + 1;
}

static void
count_suspend(int sig) {
  (void)sig;
  suspend_signals = suspend_signals + 1;
}

/* Both return -1/EINTR by definition, but only after the program's own signal. */
static long
call_pause(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  long r = pause();
  return pause_signals ? r : 1;
}

static long
call_sigsuspend(void) {
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, NULL, &set);
  sigdelset(&set, SIGALRM);
  long r = sigsuspend(&set);
  return suspend_signals ? r : 1;
}

static long
call_futex_forever(void) {
  return syscall(SYS_futex, &woken_futex, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static int accept_fd;

static long
call_accept(void) {
  int fd = accept(accept_fd, NULL, NULL);
  return fd < 0 ? fd : close(fd);
}

static long
call_flock(void) {
  char name[40];
  snprintf(name, sizeof name, "/proc/self/fd/%d", lock_fd);
  int fd = open(name, O_RDWR | O_CLOEXEC);   /* another open file, so another lock owner */
  return fd < 0 ? -1 : flock(fd, LOCK_EX);
}

/* Long transfers that the main thread keeps going in small portions. */
enum { LONG_BYTES = 1 << 20, WAITALL_BYTES = 4000 };

static long
call_write_long(void) {
  static char bytes[LONG_BYTES];
  return write(full_pipe[1], bytes, sizeof bytes);
}

static long
call_send_long(void) {
  static char bytes[LONG_BYTES];
  return send(send_socket[1], bytes, sizeof bytes, 0);
}

static long
call_recv_waitall(void) {
  static char bytes[WAITALL_BYTES];
  return recv(waitall_socket[0], bytes, sizeof bytes, MSG_WAITALL);
}

#define TIMED(f, want, err) {#f, call_##f, want, err, true, 0, 0, 0, 0, 0, 0, 0}
#define WOKEN(f, want, err) {#f, call_##f, want, err, false, 0, 0, 0, 0, 0, 0, 0}

static struct call calls[] = {
  TIMED(poll, 0, 0),
  TIMED(poll_nothing, 0, 0),
  TIMED(ppoll, 0, 0),
  TIMED(epoll_wait, 0, 0),
  TIMED(epoll_pwait, 0, 0),
#if __GLIBC_PREREQ(2, 35)
  TIMED(epoll_pwait2, 0, 0),
#endif
  TIMED(select, 0, 0),
  TIMED(pselect, 0, 0),
  TIMED(nanosleep, 0, 0),
  TIMED(clock_nanosleep, 0, 0),
  TIMED(clock_nanosleep_absolute, 0, 0),
  TIMED(usleep, 0, 0),
  TIMED(sleep, 0, 0),
  TIMED(thrd_sleep, 0, 0),
  TIMED(sem_timedwait, -1, ETIMEDOUT),
  TIMED(sem_clockwait, -1, ETIMEDOUT),
  TIMED(cond_timedwait, -1, ETIMEDOUT),
  TIMED(mutex_timedlock, -1, ETIMEDOUT),
  TIMED(rwlock_timedrdlock, -1, ETIMEDOUT),
  TIMED(recv_timeout, -1, EAGAIN),
  TIMED(recvmsg_timeout, -1, EAGAIN),
  TIMED(read_socket_timeout, -1, EAGAIN),
  TIMED(accept_timeout, -1, EAGAIN),
  TIMED(semtimedop, -1, EAGAIN),
  TIMED(sigtimedwait, -1, EAGAIN),
  TIMED(mq_timedreceive, -1, ETIMEDOUT),
  TIMED(futex_timeout, -1, ETIMEDOUT),
  TIMED(io_getevents, 0, 0),
  TIMED(aio_suspend, -1, EAGAIN),
  WOKEN(read_pipe, 1, 0),
  WOKEN(poll_forever, 1, 0),
  WOKEN(epoll_wait_forever, 1, 0),
  WOKEN(select_forever, 1, 0),
  WOKEN(sem_wait, 0, 0),
  WOKEN(cond_wait, 0, 0),
  WOKEN(mutex_lock, 0, 0),
  WOKEN(join, 0, 0),
  WOKEN(waitpid, 9, 0),
  WOKEN(msgrcv, 3, 0),
  WOKEN(semop, 0, 0),
  WOKEN(sigwaitinfo, 0, 0),
  WOKEN(sigwait, 0, 0),
  WOKEN(pause, -1, EINTR),
  WOKEN(sigsuspend, -1, EINTR),
  WOKEN(futex_forever, 0, 0),
  WOKEN(accept, 0, 0),
  WOKEN(flock, 0, 0),
  WOKEN(write_long, LONG_BYTES, 0),
  WOKEN(send_long, LONG_BYTES, 0),
  WOKEN(recv_waitall, WAITALL_BYTES, 0),
};

static struct call *
find_call(const char *name) {
  for (unsigned i = 0; i < HZ_COUNT(calls); i++)
    if (!strcmp(calls[i].name, name))
      return &calls[i];
  FAIL("no call %s", name);
}

static void *
call_main(void *arg) {
  struct call *c = arg;
  double start = hz_now();
  errno = 0;
  c->got = c->fn();
  c->got_errno = errno;
  c->seconds = hz_now() - start;
  double least = c->fn == call_sleep ? 3 : SLEEP_S;
  c->early = c->timed ? c->seconds < least - SLACK_S : !atomic_load(&woken);
  atomic_store(&c->done, 1);
  return NULL;
}

static void *
joined_main(void *gate) {
  gate_wait(gate);
  return NULL;
}

static struct hz_gate joined_gate, child_gate;

static void
set_up_signals(void) {
  struct sigaction sa = {.sa_handler = count_pause};
  sigaction(SIGUSR2, &sa, NULL);
  sa.sa_handler = count_suspend;
  sigaction(SIGALRM, &sa, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGALRM);
  sigaddset(&set, SIG_WAIT);
  sigaddset(&set, SIG_NEVER);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
set_up_files(void) {
  int late[2];
  if (pipe2(idle_pipe, O_CLOEXEC) || pipe2(data_pipe, O_CLOEXEC) || pipe2(full_pipe, O_CLOEXEC) ||
      pipe2(late, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, idle_socket) ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, send_socket) ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, waitall_socket))
    FAIL("descriptors: %s", strerror(errno));
  fifo_fd = late[0];
  idle_socket[0] = late[1];   /* its writing end, for the calls without a limit */
  struct epoll_event e = {.events = EPOLLIN};
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, idle_pipe[0], &e);
  lock_fd = memfd_create("lock", MFD_CLOEXEC);
  flock(lock_fd, LOCK_EX);
}

static void
set_up_objects(void) {
  sem_init(&idle_sem, 0, 0);
  sem_init(&post_sem, 0, 0);
  pthread_mutex_lock(&held_mutex);
  pthread_rwlock_wrlock(&held_rwlock);
  queue_id = msgget(IPC_PRIVATE, 0600);
  set_id = semget(IPC_PRIVATE, 2, 0600);
  gate_init(&joined_gate);
  gate_init(&child_gate);
}

static bool
is_available(const struct call *c) {
  if (c->fn == call_msgrcv)
    return queue_id >= 0;
  if (c->fn == call_semop || c->fn == call_semtimedop)
    return set_id >= 0;
  if (c->fn == call_flock)
    return lock_fd >= 0;
  return true;
}

/* Keeps the long transfers moving: nothing here blocks. */
static void
move_portions(unsigned round) {
  static char waste[8192];
  if (round % 2 == 0 && recv(send_socket[0], waste, sizeof waste / 2, MSG_DONTWAIT) < 0)
    return;
  struct pollfd p = {full_pipe[0], POLLIN, 0};
  if (poll(&p, 1, 0) == 1 && read(full_pipe[0], waste, sizeof waste / 2) < 0)
    return;
  if (round < WAITALL_BYTES / 40 && send(waitall_socket[1], waste, 20, MSG_DONTWAIT) < 0)
    return;
}

static void *
drain_rest(void *arg) {
  int fd = *(int *)arg;
  static char waste[2][65536];
  while (read(fd, waste[fd == full_pipe[0]], sizeof waste[0]) > 0)
    ;
  return NULL;
}

static void
wake_signals(void) {
  pthread_kill(find_call("sigwaitinfo")->thread, SIG_WAIT);
  pthread_kill(find_call("sigwait")->thread, SIG_WAIT);
  pthread_kill(find_call("pause")->thread, SIGUSR2);
  pthread_kill(find_call("sigsuspend")->thread, SIGALRM);
}

static void
wake_all(int connect_fd, const struct sockaddr_un *a, socklen_t len, unsigned sent) {
  static char bytes[WAITALL_BYTES];
  struct message m = {7, "ok"};
  struct sembuf op = {1, 1, 0};
  atomic_store(&woken, 1);
  gate_open(&joined_gate, 1);
  gate_open(&child_gate, 1);
  if (write(data_pipe[1], "xx", 2) != 2 || write(idle_socket[0], "x", 1) != 1)
    FAIL("write: %s", strerror(errno));
  sem_post(&post_sem);
  pthread_mutex_lock(&cond_mutex);
  cond_flag = true;
  pthread_cond_broadcast(&signalled_cond);
  pthread_mutex_unlock(&cond_mutex);
  if (queue_id >= 0 && msgsnd(queue_id, &m, 3, 0))
    hz_bad("msgsnd: %s", strerror(errno));
  if (set_id >= 0 && semop(set_id, &op, 1))
    hz_bad("semop: %s", strerror(errno));
  wake_signals();
  __atomic_store_n(&woken_futex, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &woken_futex, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0);
  if (connect(connect_fd, (const struct sockaddr *)a, len))
    hz_bad("connect: %s", strerror(errno));
  flock(lock_fd, LOCK_UN);
  if (send(waitall_socket[1], bytes, WAITALL_BYTES - sent, 0) < 0)
    hz_bad("send: %s", strerror(errno));
}

static unsigned
collect_for_two_seconds(void) {
  double start = hz_now();
  unsigned n = 0;
  for (; n < COLLECTIONS && hz_now() - start < COLLECT_MS / 1000.0 + 0.2; n++) {
    double due = start + n * COLLECT_MS / 1000.0 / COLLECTIONS;
    while (hz_now() < due)
      hz_sleep_ms(1);
    collect_once();
    churn_light(n);
    move_portions(n);
  }
  while (hz_now() - start < COLLECT_MS / 1000.0)
    hz_sleep_ms(5);
  return n;
}

static unsigned
count_blocked(void) {
  unsigned n = 0;
  for (unsigned i = 0; i < HZ_COUNT(calls); i++)
    n += calls[i].started && !atomic_load(&calls[i].done);
  return n;
}

/* How a call fell short, or false. */
static bool
fell_short(const struct call *c, char *how, size_t size) {
  if (!atomic_load(&c->done))
    snprintf(how, size, "no return");
  else if (c->got != c->want || (c->want == -1 && c->got_errno != c->want_errno))
    snprintf(how, size, "%ld %s at %.2f s", c->got,
             c->got < 0 ? strerrorname_np(c->got_errno) : "", c->seconds);
  else if (c->early)
    snprintf(how, size, "early, at %.3f s", c->seconds);
  else
    return false;
  return true;
}

static void
report_all(void) {
  char names[300] = "", how[60];
  size_t used = 0;
  unsigned bad = 0;
  for (unsigned i = 0; i < HZ_COUNT(calls); i++) {
    if (!calls[i].started || !fell_short(&calls[i], how, sizeof how))
      continue;
    hz_line("bad: %s: %s", calls[i].name, how);
    bad++;
    if (used + 1 < sizeof names)
      used += (size_t)snprintf(names + used, sizeof names - used, " %s (%s)", calls[i].name, how);
  }
  if (bad)
    hz_bad("%u of %zu calls:%s", bad, HZ_COUNT(calls), names);
}

static void
blocked_calls(void) {
  set_up_signals();
  set_up_files();
  set_up_objects();
  struct sockaddr_un a;
  socklen_t len;
  accept_fd = listening_socket(&a, &len);
  int connect_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sleeping_child = fork();
  if (sleeping_child == 0) {
    alarm(60);
    gate_wait(&child_gate);
    _exit(9);
  }
  hz_thread(&joined_thread, joined_main, &joined_gate);
  for (unsigned i = 0; i < HZ_COUNT(calls); i++)
    if (is_available(&calls[i])) {
      hz_thread(&calls[i].thread, call_main, &calls[i]);
      calls[i].started = true;
    } else {
      NOTE("%s is not available here", calls[i].name);
    }
  hz_sleep_ms(100);
  unsigned n = collect_for_two_seconds();
  unsigned sent = (n < WAITALL_BYTES / 40 ? n : WAITALL_BYTES / 40) * 20;
  pthread_t drains[2];
  wake_all(connect_fd, &a, len, sent);
  hz_thread(&drains[0], drain_rest, &full_pipe[0]);
  hz_thread(&drains[1], drain_rest, &send_socket[0]);
  /* Only now may the mutex be had, or the timed lock would get it. */
  hz_wait_for(&find_call("mutex_timedlock")->done, 1, 6);
  pthread_mutex_unlock(&held_mutex);
  for (double end = hz_now() + hz_limit(6); hz_now() < end && count_blocked();)
    hz_sleep_ms(10);
  report_all();
  if (queue_id >= 0)
    msgctl(queue_id, IPC_RMID, NULL);
  if (set_id >= 0)
    semctl(set_id, 0, IPC_RMID);
  kill(sleeping_child, SIGKILL);
  if (hz_has_collector())
    NOTE("%u collections with %zu blocked calls", n, HZ_COUNT(calls));
}

/* ---- each blocking call stays a cancellation point while collections go on ---- */

struct cancelled {
  const char *name;
  long (*fn)(void);
  pthread_t thread;
  atomic_int ready, cleaned;
  void *block;
};

static void
clean_block(void *arg) {
  struct cancelled *c = arg;
  if (check_block(c->block, 500, 6) >= 0)
    hz_bad("%s: the block of a cancelled thread broke", c->name);
  free(c->block);
  churn_light(3);
  atomic_store(&c->cleaned, 1);
}

static void *
cancelled_main(void *arg) {
  struct cancelled *c = arg;
  c->block = malloc(500);
  guard_block(c->block, 500, 6);
  pthread_cleanup_push(clean_block, c);
  atomic_store(&c->ready, 1);
  c->fn();
  pthread_cleanup_pop(0);
  return NULL;
}

static long
call_read_idle(void) {
  char c;
  return read(idle_pipe[0], &c, 1);
}

static long
call_join_idle(void) {
  return pthread_join(joined_thread, NULL);
}

static struct cancelled cancelled[] = {
  {"read", call_read_idle, 0, 0, 0, NULL},
  {"poll", call_poll, 0, 0, 0, NULL},
  {"ppoll", call_ppoll, 0, 0, 0, NULL},
  {"select", call_select, 0, 0, 0, NULL},
  {"pselect", call_pselect, 0, 0, 0, NULL},
  {"epoll_wait", call_epoll_wait, 0, 0, 0, NULL},
  {"nanosleep", call_nanosleep, 0, 0, 0, NULL},
  {"clock_nanosleep", call_clock_nanosleep, 0, 0, 0, NULL},
  {"usleep", call_usleep, 0, 0, 0, NULL},
  {"sleep", call_sleep, 0, 0, 0, NULL},
  {"sem_wait", call_sem_wait, 0, 0, 0, NULL},
  {"sem_timedwait", call_sem_timedwait, 0, 0, 0, NULL},
  {"pthread_cond_timedwait", call_cond_timedwait, 0, 0, 0, NULL},
  {"recv", call_recv_timeout, 0, 0, 0, NULL},
  {"accept", call_accept_timeout, 0, 0, 0, NULL},
  {"sigtimedwait", call_sigtimedwait, 0, 0, 0, NULL},
  {"pause", call_pause, 0, 0, 0, NULL},
  {"sigsuspend", call_sigsuspend, 0, 0, 0, NULL},
  {"pthread_join", call_join_idle, 0, 0, 0, NULL},
};

static void
cancellation(void) {
  set_up_signals();
  set_up_files();
  set_up_objects();
  hz_thread(&joined_thread, joined_main, &joined_gate);
  struct hz_collector collector;
  collector_start(&collector, 2);
  for (unsigned i = 0; i < HZ_COUNT(cancelled); i++)
    hz_thread(&cancelled[i].thread, cancelled_main, &cancelled[i]);
  hz_sleep_ms(200);
  for (unsigned i = 0; i < HZ_COUNT(cancelled); i++) {
    struct cancelled *c = &cancelled[i];
    struct timespec limit = from_now(CLOCK_REALTIME, hz_limit(1.5));
    void *result = NULL;
    hz_wait_for(&c->ready, 1, 5);
    pthread_cancel(c->thread);
    int err = pthread_timedjoin_np(c->thread, &result, &limit);
    CHECK(!err && result == PTHREAD_CANCELED, "%s is no cancellation point (%s)", c->name,
          err ? strerror(err) : "it returned");
    CHECK(err || c->cleaned == 1, "%s: the cleanup handler did not run", c->name);
  }
  collector_stop(&collector);
  if (queue_id >= 0)
    msgctl(queue_id, IPC_RMID, NULL);
  if (set_id >= 0)
    semctl(set_id, 0, IPC_RMID);
}

static const struct hz_case cases[] = {
  {"blocked_calls", blocked_calls, 0, 25},
  {"cancellation", cancellation, 0, 40},
  {0},
};

HZ_MAIN("eintr", cases)
