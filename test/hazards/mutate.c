/* SPDX-License-Identifier: MIT */
/* mutate - the program changes everything while it is being marked.
   A concurrent marker without a write barrier sees a heap in motion: the only pointer to a block moves
   from a place not yet scanned to one already scanned, passes through registers, memmove's vector
   registers, realloc's new pages, or is written into the heap by the kernel itself. Whatever tracks
   the writes must miss none of these, and must not make read(2) into a heap buffer fail with EFAULT,
   as plain page protection does. Lost objects here are the classic bug of such collectors. HZ_SECONDS
   makes the storms longer, HZ_SEED makes them others. */
#include "hazard.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { THREADS = 3 };
#define STORM_S 0.8
static atomic_int stop;

/* ---- blocks that know themselves ---- */

struct item {
  uint32_t id, bytes;
  unsigned char body[];
};

static HZ_NOINLINE struct item *
item_make(uint32_t id) {
  uint32_t bytes = 8 + id * 37 % 300;
  struct item *p = malloc(sizeof *p + bytes);
  if (!p)
    FAIL("out of memory");
  p->id = id;
  p->bytes = bytes;
  guard_block(p->body, bytes, id);
  return p;
}

static void
item_check(const struct item *p, uint32_t id, const char *where) {
  if (p->id != id || p->bytes != 8 + id * 37 % 300)
    FAIL("%s: a block was reclaimed (its id is %x instead of %x)", where, p->id, id);
  long at = check_block(p->body, p->bytes, id);
  if (at >= 0)
    FAIL("%s: a block was overwritten at +%ld", where, at);
}

/* Where a thread's random numbers start; never 0. */
static uint32_t
first_random(unsigned thread) {
  return (hz_seed() * 2654435761u) ^ (thread * 7919 + 1) * 40503u ^ 0x55555555u;
}

static uint32_t
next_random(uint32_t *r) {
  if (!*r)
    *r = 1;
  *r ^= *r << 13;
  *r ^= *r >> 17;
  *r ^= *r << 5;
  return *r;
}

/* Runs fn on each thread while this one collects, then lets fn end. */
static void
run_storm(void *(*fn)(void *)) {
  pthread_t t[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    hz_thread(&t[i], fn, (void *)i);
  for (double end = hz_now() + hz_storm_seconds(STORM_S); hz_now() < end;) {
    collect_once();
    churn_weight(1);
  }
  collect(3);
  atomic_store(&stop, 1);
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(t[i], NULL);
}

/* ---- pointers wander between regions ---- */

enum { REGIONS = 6, SLOTS = 4000, ITEMS = 1500, SPREAD_LOG2 = 8 };
static struct item *volatile static_slots[THREADS][SLOTS];
static struct item *volatile *heap_slots[THREADS], *volatile *large_slots[THREADS];
static __thread struct item *volatile thread_slots[SLOTS];

struct region {
  struct item *volatile *base;
  unsigned shift;    /* slots lie this far apart, in powers of two */
};

struct place {
  uint8_t region;
  uint16_t slot;
};

static struct item *volatile *
slot_at(const struct region *regions, struct place p) {
  return &regions[p.region].base[(size_t)p.slot << regions[p.region].shift];
}

static struct place
random_place(uint32_t *r) {
  uint8_t region = (uint8_t)(next_random(r) % REGIONS);
  return (struct place){region, (uint16_t)(next_random(r) % SLOTS)};
}

static void
wander(unsigned thread, const struct region *regions, struct place *where) {
  uint32_t r = first_random(thread);
  for (uint32_t i = 0; i < ITEMS; i++) {
    do
      where[i] = random_place(&r);
    while (*slot_at(regions, where[i]));
    *slot_at(regions, where[i]) = item_make(thread << 20 | i);
  }
  for (uint32_t n = 0; !atomic_load(&stop); n++) {
    uint32_t i = next_random(&r) % ITEMS;
    struct place to = random_place(&r);
    if (*slot_at(regions, to))
      continue;
    struct item *p = *slot_at(regions, where[i]);
    *slot_at(regions, where[i]) = NULL;   /* now only in a register */
    if (n % 64 == 0)
      item_check(p, thread << 20 | i, "wandering pointer");
    *slot_at(regions, to) = p;
    where[i] = to;
  }
  for (uint32_t i = 0; i < ITEMS; i++)
    item_check(*slot_at(regions, where[i]), thread << 20 | i, "wandering pointer");
}

static void *
wander_main(void *arg) {
  unsigned thread = (unsigned)(uintptr_t)arg;
  struct item *volatile stack_slots[SLOTS] = {0};
  heap_slots[thread] = calloc(SLOTS, sizeof(void *));
  large_slots[thread] = calloc((size_t)SLOTS << SPREAD_LOG2, sizeof(void *));   /* 8 MiB */
  struct item *volatile *mapped = mmap(NULL, SLOTS * sizeof(void *), PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const struct region regions[REGIONS] = {
    {static_slots[thread], 0}, {thread_slots, 0}, {stack_slots, 0},
    {heap_slots[thread], 0},   {mapped, 0},       {large_slots[thread], SPREAD_LOG2},
  };
  struct place *where = malloc(ITEMS * sizeof *where);
  wander(thread, regions, where);
  return NULL;
}

static void
wandering_pointers(void) {
  run_storm(wander_main);
}

/* ---- trees: old nodes get new children, subtrees change parents ---- */

struct tree {
  struct tree *child[2];
  uint64_t magic;
  char filler[24];
};

#define TREE_MAGIC 0x9122334455667788u
enum { TREE_DEPTH = 8, TREES = 24 };

static struct tree *
tree_make(unsigned depth) {
  struct tree *t = malloc(sizeof *t);
  t->magic = TREE_MAGIC;
  t->child[0] = depth ? tree_make(depth - 1) : NULL;
  t->child[1] = depth ? tree_make(depth - 1) : NULL;
  return t;
}

static unsigned
tree_count(const struct tree *t) {
  if (!t)
    return 0;
  if (t->magic != TREE_MAGIC)
    FAIL("a node of a tree was reclaimed (%016lx)", (unsigned long)t->magic);
  return 1 + tree_count(t->child[0]) + tree_count(t->child[1]);
}

/* The link to a random subtree of the given height below the root. */
static struct tree **
tree_link(struct tree **link, unsigned down, uint32_t *r) {
  while (down--)
    link = &(*link)->child[next_random(r) & 1];
  return link;
}

static void *
tree_main(void *arg) {
  static struct tree *roots[THREADS][TREES];
  unsigned thread = (unsigned)(uintptr_t)arg, full = (2u << TREE_DEPTH) - 1;
  uint32_t r = first_random(thread + 10);
  for (unsigned i = 0; i < TREES; i++)
    roots[thread][i] = tree_make(TREE_DEPTH);
  while (!atomic_load(&stop)) {
    for (int k = 0; k < 400; k++) {
      unsigned down = 1 + next_random(&r) % (TREE_DEPTH - 1);
      struct tree **a = tree_link(&roots[thread][next_random(&r) % TREES], down, &r);
      struct tree **b = tree_link(&roots[thread][next_random(&r) % TREES], down, &r);
      struct tree *held = *a;    /* swap two subtrees of equal height in different trees */
      *a = *b;
      *b = held;
      if (k % 8 == 0)            /* drop one and grow a new one in its place */
        *b = tree_make(TREE_DEPTH - down);
    }
    unsigned i = next_random(&r) % TREES;
    if (tree_count(roots[thread][i]) != full)
      FAIL("a tree lost nodes");
  }
  for (unsigned i = 0; i < TREES; i++)
    CHECK(tree_count(roots[thread][i]) == full, "a tree lost nodes");
  return NULL;
}

static void
trees(void) {
  run_storm(tree_main);
}

/* ---- memmove: a window of pointers slides to and fro; many are only in vector registers ---- */

static void *
slide_main(void *arg) {
  enum { COUNT = 1500, ROOM = 2000 };
  static struct item **windows[THREADS];
  unsigned thread = (unsigned)(uintptr_t)arg, at = 0;
  uint32_t r = first_random(thread + 20);
  struct item **w = windows[thread] = calloc(ROOM, sizeof *w);
  for (uint32_t i = 0; i < COUNT; i++)
    w[i] = item_make(thread << 20 | i);
  for (uint32_t n = 0; !atomic_load(&stop); n++) {
    unsigned to = next_random(&r) % (ROOM - COUNT);
    memmove(w + to, w + at, COUNT * sizeof *w);
    if (to < at)
      memset(w + to + COUNT, 0, (at - to) * sizeof *w);
    else
      memset(w + at, 0, (to - at) * sizeof *w);
    at = to;
    if (n % 200 == 0)
      item_check(w[at + n % COUNT], thread << 20 | n % COUNT, "memmove");
  }
  for (uint32_t i = 0; i < COUNT; i++)
    item_check(w[at + i], thread << 20 | i, "memmove");
  return NULL;
}

static void
sliding_window(void) {
  run_storm(slide_main);
}

/* ---- realloc: arrays of pointers that grow, move, and shrink ---- */

static void *
grow_main(void *arg) {
  static struct item **arrays[THREADS];
  unsigned thread = (unsigned)(uintptr_t)arg;
  struct item **a = NULL;
  uint32_t used = 0, room = 0;
  while (!atomic_load(&stop)) {
    if (used == room) {
      room = room ? room * 2 : 8;
      a = arrays[thread] = realloc(a, room * sizeof *a);
    }
    a[used] = item_make(thread << 20 | used);
    used++;
    if (used == 60000) {
      while (used > 8) {
        used--;
        item_check(a[used], thread << 20 | used, "growing array");
        free(a[used]);
        a[used] = NULL;
        if (used * 4 < room) {
          room /= 2;
          a = arrays[thread] = realloc(a, room * sizeof *a);
        }
      }
    }
  }
  for (uint32_t i = 0; i < used; i++)
    item_check(a[i], thread << 20 | i, "growing array");
  return NULL;
}

static void
growing_arrays(void) {
  run_storm(grow_main);
}

/* ---- blocks go from thread to thread through one atomic word ---- */

struct parcel {
  struct parcel *next;
  struct item *item;
};

static _Atomic(struct parcel *) mailbox;

static void
post(struct parcel *p) {
  struct parcel *old = atomic_load(&mailbox);
  do
    p->next = old;
  while (!atomic_compare_exchange_weak(&mailbox, &old, p));
}

/* Takes all parcels, puts `keep` of them back, one by one, and opens the others. */
static unsigned
empty_mailbox(unsigned keep) {
  unsigned opened = 0;
  struct parcel *p = atomic_exchange(&mailbox, NULL);   /* now only on this stack */
  while (p) {
    struct parcel *next = p->next;
    item_check(p->item, p->item->id, "parcel");
    if (keep) {
      post(p);
      keep--;
    } else {
      free(p->item);
      free(p);
      opened++;
    }
    p = next;
  }
  return opened;
}

static void *
mail_main(void *arg) {
  unsigned thread = (unsigned)(uintptr_t)arg;
  for (uint32_t n = 1; !atomic_load(&stop); n++) {
    struct parcel *p = malloc(sizeof *p);
    p->item = item_make(thread << 20 | n % 100000);
    post(p);
    if (n % 1000 == 0)
      empty_mailbox(3000);
  }
  return NULL;
}

static void
parcels(void) {
  run_storm(mail_main);
  empty_mailbox(0);
}

/* ---- free during marking, large blocks above all: their memory may be unmapped at once ---- */

static void *
freeing_main(void *arg) {
  enum { COUNT = 300 };
  static void **rings[THREADS][COUNT];
  unsigned thread = (unsigned)(uintptr_t)arg;
  uint32_t r = first_random(thread + 30);
  while (!atomic_load(&stop)) {
    unsigned i = next_random(&r) % COUNT, k = next_random(&r) % COUNT;
    size_t n = next_random(&r) % 64 ? 16 + next_random(&r) % 3000 : 100000 + next_random(&r) % 3000000;
    void **p = calloc(1, n);
    if (!p)
      FAIL("out of memory");
    p[0] = rings[thread][k];               /* dangles once that one is freed: only the marker looks */
    p[n / sizeof *p - 1] = rings[thread][i];
    free(rings[thread][i]);
    rings[thread][i] = p;
  }
  for (unsigned i = 0; i < COUNT; i++)
    free(rings[thread][i]);
  return NULL;
}

static void
freeing(void) {
  run_storm(freeing_main);
}

/* ---- the kernel writes into the heap ---- */

static int
must(long result, long want, const char *call) {
  if (result != want)
    FAIL("%s into a heap buffer returned %ld (%s)", call, result, result < 0 ? strerror(errno) : "short");
  return 0;
}

struct kernel_writes {
  int pipe[2], socket[2], memory, poller, dir;
  char *buffer;        /* 64 KiB, a block of its own */
};

static void
kernel_round(struct kernel_writes *k, unsigned seed) {
  unsigned char out[4096];
  char *in = k->buffer + seed % 15 * 4096 + seed % 61;
  guard_block(out, 3000, seed);
  must(write(k->pipe[1], out, 3000), 3000, "write");
  must(read(k->pipe[0], in, 3000), 3000, "read");
  must(check_block(in, 3000, seed), -1, "read, content");
  must(write(k->pipe[1], out, 1000), 1000, "write");
  struct iovec v[3] = {{in, 10}, {in + 5000 % 3000, 490}, {k->buffer + 65000, 500}};
  must(readv(k->pipe[0], v, 3), 1000, "readv");
  must(send(k->socket[0], out, 2000, 0), 2000, "send");
  must(recv(k->socket[1], in, 3000, 0), 2000, "recv");
  must(send(k->socket[0], out, 100, 0), 100, "send");
  struct msghdr *m = calloc(1, sizeof *m + sizeof *m->msg_iov);
  m->msg_iov = (struct iovec *)(m + 1);
  m->msg_iov->iov_base = in;
  m->msg_iov->iov_len = 100;
  m->msg_iovlen = 1;
  must(recvmsg(k->socket[1], m, 0), 100, "recvmsg");
  free(m);
  must(pwrite(k->memory, out, 3000, 0), 3000, "pwrite");
  must(pread(k->memory, in, 3000, 0), 3000, "pread");
  must(check_block(in, 3000, seed), -1, "pread, content");
}

static void
kernel_objects(struct kernel_writes *k) {
  struct stat *s = malloc(sizeof *s);
  must(fstat(k->memory, s), 0, "fstat");
  must(s->st_size, 3000, "fstat, content");
  free(s);
  struct timespec *t = malloc(sizeof *t);
  must(syscall(SYS_clock_gettime, CLOCK_REALTIME, t), 0, "clock_gettime");
  free(t);
  must(getrandom(k->buffer + 100, 200, 0), 200, "getrandom");
  struct pollfd *p = malloc(sizeof *p);
  *p = (struct pollfd){k->pipe[1], POLLOUT, 0};
  must(poll(p, 1, 0), 1, "poll");
  must(p->revents, POLLOUT, "poll, content");
  free(p);
  struct epoll_event *e = malloc(4 * sizeof *e);
  must(epoll_wait(k->poller, e, 4, 0), 1, "epoll_wait");
  must(e->data.u64 == 0x123456789u, 1, "epoll_wait, content");
  free(e);
  int *n = malloc(sizeof *n);
  must(ioctl(k->pipe[0], FIONREAD, n), 0, "ioctl");
  must(*n, 0, "ioctl, content");
  free(n);
  sigset_t *old = malloc(sizeof *old);
  must(pthread_sigmask(SIG_BLOCK, NULL, old), 0, "sigmask");
  free(old);
  must(lseek(k->dir, 0, SEEK_SET), 0, "lseek");
  if (syscall(SYS_getdents64, k->dir, k->buffer + 8192, 4096L) <= 0)
    FAIL("getdents64 into a heap buffer: %s", strerror(errno));
}

static void *
kernel_main(void *arg) {
  struct kernel_writes *k = calloc(1, sizeof *k);
  unsigned seed = (unsigned)(uintptr_t)arg;
  k->buffer = malloc(1 << 16);
  k->memory = memfd_create("file", MFD_CLOEXEC);
  k->dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  k->poller = epoll_create1(EPOLL_CLOEXEC);
  if (pipe2(k->pipe, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, k->socket))
    FAIL("pipe: %s", strerror(errno));
  struct epoll_event e = {.events = EPOLLOUT, .data.u64 = 0x123456789u};
  epoll_ctl(k->poller, EPOLL_CTL_ADD, k->pipe[1], &e);
  while (!atomic_load(&stop)) {
    kernel_round(k, seed++);
    kernel_objects(k);
    if (seed % 16 == 0) {   /* a fresh buffer: never written before the kernel does */
      free(k->buffer);
      k->buffer = malloc(1 << 16);
    }
  }
  return NULL;
}

static void
kernel_writes(void) {
  run_storm(kernel_main);
}

/* The new reference is written by read(2), into a page the program itself does not touch. */
static void *
pointer_main(void *arg) {
  enum { COUNT = 2000 };
  static struct item **tables[THREADS][2];
  unsigned thread = (unsigned)(uintptr_t)arg, from = 0;
  int fd[2];
  if (pipe2(fd, O_CLOEXEC))
    FAIL("pipe: %s", strerror(errno));
  for (unsigned k = 0; k < 2; k++)
    tables[thread][k] = calloc(COUNT, sizeof(void *));
  for (uint32_t i = 0; i < COUNT; i++)
    tables[thread][0][i] = item_make(thread << 20 | i);
  while (!atomic_load(&stop)) {
    struct item **a = tables[thread][from], **b = tables[thread][!from];
    for (uint32_t i = 0; i < COUNT && !atomic_load(&stop); i++) {
      must(write(fd[1], &a[i], sizeof a[i]), sizeof a[i], "write");
      must(read(fd[0], &b[i], sizeof b[i]), sizeof b[i], "read");
      a[i] = NULL;   /* the copy the kernel wrote is the only one left */
      if (i % 50 == 0)
        item_check(b[i], thread << 20 | i, "pointer written by read()");
    }
    for (uint32_t i = 0; i < COUNT; i++)
      if (!b[i]) {   /* stopped in the middle */
        b[i] = a[i];
        a[i] = NULL;
      }
    from = !from;
  }
  for (uint32_t i = 0; i < COUNT; i++)
    item_check(tables[thread][from][i], thread << 20 | i, "pointer written by read()");
  return NULL;
}

static void
kernel_writes_pointers(void) {
  run_storm(pointer_main);
}

/* Another process writes into our heap, as debuggers and shared-nothing servers do. */
static void
foreign_writes(void) {
  enum { COUNT = 500 };
  static struct item **from, **to;
  struct hz_collector c;
  from = calloc(COUNT, sizeof *from);
  to = calloc(COUNT * 64, sizeof *to);
  for (uint32_t i = 0; i < COUNT; i++)
    from[i] = item_make(i);
  collector_start(&c, 0);
  for (int round = 0; round < 8; round++) {
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
      alarm((unsigned)hz_limit(10));
      for (uint32_t i = 0; i < COUNT; i++) {
        struct iovec local = {&from[i], sizeof *from}, remote = {&to[i * 64], sizeof *to};
        if (process_vm_writev(parent, &local, 1, &remote, 1, 0) != sizeof *to)
          _exit(errno == EPERM || errno == ENOSYS ? 77 : 1);
      }
      _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
      SKIP("process_vm_writev is not permitted");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the writer ended with %#x", status);
    for (uint32_t i = 0; i < COUNT; i++)
      from[i] = NULL;
    hz_sleep_ms(20);
    for (uint32_t i = 0; i < COUNT; i++) {
      item_check(to[i * 64], i, "pointer written by another process");
      from[i] = to[i * 64];
      to[i * 64] = NULL;
    }
  }
  collector_stop(&c);
}

static const struct hz_case cases[] = {
  {"wandering_pointers", wandering_pointers, 0, 0},
  {"trees", trees, 0, 0},
  {"sliding_window", sliding_window, 0, 0},
  {"growing_arrays", growing_arrays, 0, 0},
  {"parcels", parcels, 0, 0},
  {"freeing", freeing, 0, 0},
  {"kernel_writes", kernel_writes, 0, 0},
  {"kernel_writes_pointers", kernel_writes_pointers, 0, 0},
  {"foreign_writes", foreign_writes, 0, 0},
  {0},
};

HZ_MAIN("mutate", cases)
