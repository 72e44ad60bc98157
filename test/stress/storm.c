/* SPDX-License-Identifier: MIT
   Threads change private and shared graphs of objects in all ways that a collector which marks beside the program may
   get wrong, and check all the while that nothing that can be reached was reclaimed or overwritten.

   Usage: storm [SECONDS 10] [SEED by the clock] [THREADS 3] [LIVE_MIB 32]

   It knows nothing about the collector: malloc and free only, so it must pass with any allocator, and under valgrind
   and the sanitizers (but for leaks, as half of what it drops it does not free).  Each pointer to an object lies beside
   the id that the object must have.  Choices depend on SEED alone, for a given thread; how threads interleave does not.

   Exit status: 0 after a line of counts; 2 if the arguments are wrong or the system refuses memory or threads.  On
   anything wrong with an object or a system call it says seed, thread, operation and what differed, and aborts. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  MAX_THREADS = 64,
  IDLE_THREADS = 4,
  SHARED_REGIONS = 4,
  ALL_SHARED = SHARED_REGIONS + IDLE_THREADS,   /* what an idle thread allocates lies in a shared region of its own */
  HELD_COUNT = 8,
  MAX_DEPTH = 300,         /* of recursion over subtrees; what lies deeper is left to the collector */
  MAX_TREE_OBJECTS = 4000,
  MAX_ROOT_CAPACITY = 256 << 10,
  SMALLEST_LARGE_BYTES = 100 << 10,
  LARGEST_BYTES = 8 << 20,
  GROWTH_PERIOD_MS = 10000,
  GROWTH_FACTOR = 4,
};

/* What points to an object.  Four bytes short of alignment, so that pointers lie at odd multiples of four as well, and
   some across two pages. */
struct edge {
  char *to;
  uint32_t id;
  uint32_t offset_bytes;   /* of `to` in the object: pointers into objects count as well */
} __attribute__((packed, aligned(4)));

/* Behind it follow `edge_count` cells, in each somewhere an edge and at its end a guard, and then a tail.  All but
   `refs` and the edges stays as it was made. */
struct object {
  uint32_t magic;
  uint32_t id;
  uint32_t size_bytes;
  uint32_t edge_count;
  uint32_t cell_bytes;
  uint32_t checksum;   /* of the above */
  uint32_t refs;       /* edges to it, those in garbage included: one means that whoever follows that edge owns it */
};

enum {
  MAGIC = 0x53746f72,
  NO_POINTER = (int)0xffff0fff,   /* a mask: no half of a number is the upper half of a pointer */
  GUARD_BYTES = sizeof(uint32_t),
  SMALLEST_CELL_BYTES = sizeof(struct edge) + GUARD_BYTES,
};

/* Objects of different regions never point to each other. */
struct region {
  pthread_mutex_t lock;   /* of shared regions; private ones belong to a thread */
  struct edge *roots;     /* none of them empty */
  size_t root_count;
  size_t root_capacity;
  int64_t live_bytes;     /* an estimate until all of it is verified */
  unsigned slot;          /* a private region's number */
  unsigned generation;    /* how many threads have owned it */
};

/* A thread of ours; on its stack. */
struct self {
  uint64_t random;
  unsigned slot;
  unsigned generation;
  const char *operation;
  struct region *own;
  int pipe[2];
  uint64_t operations;
  uint64_t made;
  uint64_t verified;
};

static _Thread_local struct self *me;
static _Thread_local struct edge held[HELD_COUNT];   /* roots of the thread's own region */

static uint64_t seed;
static double run_seconds = 10;
static unsigned thread_count = 3;
static uint64_t live_mib = 32;
static double begun_s;

static struct region shared[ALL_SHARED];
static pthread_mutex_t finished_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished_change = PTHREAD_COND_INITIALIZER;
static struct region *finished[MAX_THREADS];
static unsigned finished_count;

static atomic_ullong all_operations, all_made, all_verified, all_forks, all_threads;

/* ---- what went wrong ---- */

static _Noreturn void __attribute__((format(printf, 1, 2)))
corrupt(const char *format, ...) {
  char what[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  dprintf(STDERR_FILENO, "storm: seed %llu, process %d, thread %u.%u, operation %llu (%s): %s\n",
          (unsigned long long)seed, (int)getpid(), me ? me->slot : 0, me ? me->generation : 0,
          me ? (unsigned long long)me->operations : 0, me ? me->operation : "main", what);
  abort();
}

static _Noreturn void
refused(const char *what) {
  dprintf(STDERR_FILENO, "storm: seed %llu: %s: %s\n", (unsigned long long)seed, what, strerror(errno));
  _exit(2);
}

/* An object whose memory was given back to the system shows as a fault; the second one, after this, ends it. */
static void
on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  dprintf(STDERR_FILENO, "storm: seed %llu, process %d, thread %u.%u, operation %llu (%s): signal %d at %p\n",
          (unsigned long long)seed, (int)getpid(), me ? me->slot : 0, me ? me->generation : 0,
          me ? (unsigned long long)me->operations : 0, me ? me->operation : "main", number, info->si_addr);
}

/* ---- chance and time ---- */

static uint64_t
mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

static uint64_t
next_random(void) {
  me->random ^= me->random << 13;
  me->random ^= me->random >> 7;
  me->random ^= me->random << 17;
  return me->random * 0x2545f4914f6cdd1d >> 8;
}

static size_t
below(size_t limit) {
  return (size_t)(next_random() % limit);
}

static bool
one_in(size_t n) {
  return below(n) == 0;
}

static double
now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
time_is_over(void) {
  return now_s() - begun_s >= run_seconds;
}

/* How large a region should be at this time.  For two seconds of ten, all are four times as large. */
static int64_t
target_bytes(void) {
  uint64_t phase_ms = ((uint64_t)((now_s() - begun_s) * 1e3) + seed) % GROWTH_PERIOD_MS;
  uint64_t factor = phase_ms >= 4000 && phase_ms < 6000 ? GROWTH_FACTOR : 1;
  return (int64_t)((live_mib << 20) * factor / (thread_count + ALL_SHARED));
}

/* ---- memory ---- */

static void *
checked(void *p) {
  if (!p)
    refused("memory");
  return p;
}

static void *
allocate_aligned(size_t bytes) {
  void *p;
  if (posix_memalign(&p, (size_t)16 << below(9), bytes))
    refused("posix_memalign");
  return p;
}

static void *
allocate(size_t bytes) {
  switch (below(10)) {
  case 0:
    return checked(calloc(1, bytes));
  case 1:
    return allocate_aligned(bytes);
  case 2:
    return checked(realloc(checked(malloc(1 + below(bytes))), bytes));
  default:
    return checked(malloc(bytes));
  }
}

/* ---- objects ---- */

static uint32_t
checksum_of(const struct object *o) {
  uint64_t sum = mix((uint64_t)o->magic << 32 | o->id);
  sum = mix(sum ^ ((uint64_t)o->size_bytes << 32 | o->edge_count));
  return (uint32_t)mix(sum ^ o->cell_bytes);
}

static char *
cell_at(const struct object *o, uint32_t index) {
  return (char *)(o + 1) + (size_t)index * o->cell_bytes;
}

/* In wide cells anywhere, at a multiple of four. */
static struct edge *
edge_at(const struct object *o, uint32_t index) {
  uint32_t places = (o->cell_bytes - SMALLEST_CELL_BYTES) / 4 + 1;
  size_t place = mix((uint64_t)o->id << 32 | index) % places;
  return (struct edge *)(void *)(cell_at(o, index) + place * 4);
}

static struct edge *
any_edge_of(const struct object *o) {
  return edge_at(o, (uint32_t)below(o->edge_count));
}

static struct object *
target_of(const struct edge *edge) {
  return (struct object *)(void *)(edge->to - edge->offset_bytes);
}

/* Writes the word that belongs there, or compares. */
static inline bool
guard(struct object *o, size_t offset_bytes, bool fills) {
  uint32_t *word = (uint32_t *)(void *)((char *)o + offset_bytes);
  uint32_t pattern = (o->id ^ (uint32_t)offset_bytes) * 2654435761u & NO_POINTER;
  if (fills)
    *word = pattern;
  return *word == pattern;
}

/* Returns where the first wrong word is, or 0.  Of a long tail one word in 512 bytes is looked at. */
static inline size_t
guard_all(struct object *o, bool fills) {
  size_t tail = sizeof *o + (size_t)o->edge_count * o->cell_bytes;
  size_t step = o->size_bytes - tail > 1024 ? 512 : GUARD_BYTES;
  for (size_t at = sizeof *o + o->cell_bytes; at <= tail && o->edge_count; at += o->cell_bytes)
    if (!guard(o, at - GUARD_BYTES, fills))
      return at - GUARD_BYTES;
  for (size_t at = tail; at + GUARD_BYTES <= o->size_bytes; at += step)
    if (!guard(o, at, fills))
      return at;
  return 0;
}

static struct object *
make_object(uint32_t edge_count, uint32_t cell_bytes, size_t tail_bytes) {
  size_t size_bytes = sizeof(struct object) + (size_t)edge_count * cell_bytes + tail_bytes;
  struct object *o = allocate(size_bytes);
  *o = (struct object){.magic = MAGIC, .id = (uint32_t)next_random() & NO_POINTER, .size_bytes = (uint32_t)size_bytes,
                       .edge_count = edge_count, .cell_bytes = cell_bytes};
  o->checksum = checksum_of(o);
  for (uint32_t i = 0; i < edge_count; i++)
    *edge_at(o, i) = (struct edge){0};
  guard_all(o, true);
  me->made++;
  return o;
}

/* A new edge, sometimes into the object. */
static struct edge
edge_to(struct object *o) {
  uint32_t offset_bytes = one_in(4) ? (uint32_t)below(o->size_bytes) : 0;
  o->refs++;
  return (struct edge){(char *)o + offset_bytes, o->id, offset_bytes};
}

static struct object *
check(const struct edge *edge) {
  struct object *o = target_of(edge);
  if (o->magic != MAGIC || o->id != edge->id || o->checksum != checksum_of(o))
    corrupt("the edge at %p leads to %p, which should be object %08x at %p, but magic is %08x, id %08x, size %u, "
            "edges %u, cell %u, checksum %08x, refs %u", (const void *)edge, (void *)edge->to, edge->id, (void *)o,
            o->magic, o->id, o->size_bytes, o->edge_count, o->cell_bytes, o->checksum, o->refs);
  size_t wrong = guard_all(o, false);
  if (wrong)
    corrupt("object %08x at %p (%u bytes, %u edges, reached by the edge at %p) is overwritten at +%zu: %08x", o->id,
            (void *)o, o->size_bytes, o->edge_count, (const void *)edge, wrong,
            *(uint32_t *)(void *)((char *)o + wrong));
  if (!o->refs)
    corrupt("object %08x at %p is reached by the edge at %p, but has no references", o->id, (void *)o,
            (const void *)edge);
  me->verified++;
  return o;
}

/* ---- regions ---- */

static void
set_root_capacity(struct region *r, size_t capacity) {
  r->roots = checked(realloc(r->roots, capacity * sizeof *r->roots));
  r->root_capacity = capacity;
}

static void
put_root(struct region *r, struct edge edge) {
  if (r->root_count == r->root_capacity)
    set_root_capacity(r, 16 + 2 * r->root_capacity);
  r->roots[r->root_count++] = edge;
}

/* Takes what is in a root or an edge of an object out of there. */
static struct edge
take(struct region *r, struct edge *from) {
  struct edge taken = *from;
  if (from >= r->roots && from < r->roots + r->root_count)
    *from = r->roots[--r->root_count];
  else
    *from = (struct edge){0};
  return taken;
}

/* An edge some steps away from a root, with all on the way checked; NULL if there is none. */
static struct edge *
random_edge(struct region *r) {
  if (!r->root_count)
    return NULL;
  struct edge *edge = &r->roots[below(r->root_count)];
  for (size_t steps = below(12); steps; steps--) {
    struct object *o = check(edge);
    struct edge *next = o->edge_count ? any_edge_of(o) : edge;
    if (next->to)
      edge = next;
  }
  check(edge);
  return edge;
}

/* ---- giving up objects ---- */

/* An object that nothing refers to any more, and all that only it refers to. */
static void
free_object(struct region *r, struct object *o, unsigned depth) {
  for (uint32_t i = 0; i < o->edge_count; i++) {
    struct edge *edge = edge_at(o, i);
    if (!edge->to)
      continue;
    struct object *child = check(edge);
    if (--child->refs == 0 && depth < MAX_DEPTH)
      free_object(r, child, depth + 1);
  }
  r->live_bytes -= o->size_bytes;
  free(o);
}

/* Forgets an object that nothing refers to any more, and all that only it refers to.  What else they refer to is cut
   off: otherwise one stale word would keep all that was made since, link by link. */
static void
forget_object(struct region *r, struct object *o, unsigned depth) {
  for (uint32_t i = 0; i < o->edge_count; i++) {
    struct edge *edge = edge_at(o, i);
    if (!edge->to)
      continue;
    struct object *child = check(edge);
    if (--child->refs)
      *edge = (struct edge){0};
    else if (depth < MAX_DEPTH)
      forget_object(r, child, depth + 1);
  }
  r->live_bytes -= o->size_bytes;
}

/* What an object and all that only it refers to take. */
static int64_t
bytes_owned(const struct object *o, unsigned depth) {
  int64_t bytes = o->size_bytes;
  for (uint32_t i = 0; i < o->edge_count; i++) {
    const struct edge *edge = edge_at(o, i);
    if (edge->to && depth < MAX_DEPTH && check(edge)->refs == 1)
      bytes += bytes_owned(target_of(edge), depth + 1);
  }
  return bytes;
}

static void
release(struct region *r, struct edge edge) {
  struct object *o = check(&edge);
  if (--o->refs == 0)
    free_object(r, o, 0);
}

static void
drop(struct region *r, struct edge edge) {
  struct object *o = check(&edge);
  if (--o->refs == 0)
    forget_object(r, o, 0);
}

static void
discard(struct region *r, struct edge edge) {
  if (one_in(2))
    release(r, edge);
  else
    drop(r, edge);
}

static void
discard_root(struct region *r, size_t index) {
  discard(r, take(r, &r->roots[index]));
}

static void
shrink(struct region *r, int64_t bytes) {
  while (r->root_count && r->live_bytes > bytes)
    discard_root(r, below(r->root_count));
}

/* ---- making objects ---- */

static size_t
random_tail_bytes(void) {
  size_t kind = below(200);
  return kind == 0 ? below(64 << 10) : kind < 16 ? below(4 << 10) : below(300);
}

static struct object *
make_random_object(struct region *r) {
  uint32_t edge_count = one_in(100) ? (uint32_t)below(400) : (uint32_t)below(7);
  uint32_t cell_bytes = SMALLEST_CELL_BYTES + (one_in(4) ? (uint32_t)below(10) * 4 : 0);
  struct object *o = make_object(edge_count, cell_bytes, random_tail_bytes() & ~(size_t)3);
  r->live_bytes += o->size_bytes;
  return o;
}

/* A tree of at most *budget objects, some of them with edges to what the region has already. */
static struct edge
make_tree(struct region *r, unsigned *budget, unsigned depth) {
  struct object *o = make_random_object(r);
  --*budget;
  for (uint32_t i = 0; i < o->edge_count && *budget; i++) {
    struct edge *old = one_in(30) ? random_edge(r) : NULL;
    if (old)
      *edge_at(o, i) = edge_to(target_of(old));
    else if (depth && !one_in(3))
      *edge_at(o, i) = make_tree(r, budget, depth - 1);
  }
  return edge_to(o);
}

static struct edge
make_random_tree(struct region *r) {
  unsigned budget = 1 + (unsigned)below(100);
  return make_tree(r, &budget, 8);
}

/* Into any edge of any object, in place of what is there, or to the roots. */
static void
attach(struct region *r, struct edge edge) {
  struct edge *parent = one_in(2) ? random_edge(r) : NULL;
  struct object *o = parent ? target_of(parent) : NULL;
  if (!o || !o->edge_count) {
    put_root(r, edge);
    return;
  }
  struct edge *place = any_edge_of(o);
  struct edge old = *place;
  *place = edge;
  if (old.to)
    discard(r, old);
}

/* ---- verifying all of a region ---- */

/* Addresses are kept inverted, so that this does not keep alive what nothing else does. */
struct seen {
  uintptr_t *slots;
  size_t capacity;   /* a power of two */
  size_t count;
};

static bool
seen_insert(struct seen *s, uintptr_t inverted) {
  size_t at = (size_t)mix(inverted) & (s->capacity - 1);
  while (s->slots[at] && s->slots[at] != inverted)
    at = (at + 1) & (s->capacity - 1);
  bool is_new = !s->slots[at];
  s->slots[at] = inverted;
  s->count += is_new;
  return is_new;
}

static void
seen_grow(struct seen *s) {
  struct seen larger = {.capacity = s->capacity ? s->capacity * 2 : 1024};
  larger.slots = checked(calloc(larger.capacity, sizeof *larger.slots));
  for (size_t i = 0; i < s->capacity; i++)
    if (s->slots[i])
      seen_insert(&larger, s->slots[i]);
  free(s->slots);
  *s = larger;
}

struct walk {
  struct seen seen;
  struct object **pending;
  size_t pending_count;
  size_t pending_capacity;
  int64_t bytes;
};

static void
walk_to(struct walk *w, const struct edge *edge) {
  if (!edge->to)
    return;
  struct object *o = check(edge);
  if (w->seen.count * 2 >= w->seen.capacity)
    seen_grow(&w->seen);
  if (!seen_insert(&w->seen, ~(uintptr_t)o))
    return;
  w->bytes += o->size_bytes;
  if (w->pending_count == w->pending_capacity) {
    w->pending_capacity = w->pending_capacity * 2 + 64;
    w->pending = checked(realloc(w->pending, w->pending_capacity * sizeof(struct object *)));
  }
  w->pending[w->pending_count++] = o;
}

static void
verify(struct region *r) {
  struct walk w = {0};
  for (size_t i = 0; i < r->root_count; i++)
    walk_to(&w, &r->roots[i]);
  for (unsigned i = 0; i < HELD_COUNT && r == me->own; i++)
    walk_to(&w, &held[i]);
  while (w.pending_count) {
    struct object *o = w.pending[--w.pending_count];
    for (uint32_t i = 0; i < o->edge_count; i++)
      walk_to(&w, edge_at(o, i));
  }
  r->live_bytes = w.bytes;
  free(w.seen.slots);
  free(w.pending);
}

/* ---- operations on one region ---- */

static void
build(struct region *r) {
  int64_t target = target_bytes();
  unsigned count = r->live_bytes < target / 2 ? 20 : r->live_bytes < target ? 2 : 1;
  while (count--)
    attach(r, make_random_tree(r));
  if (r->live_bytes > target + target / 4)
    verify(r);   /* the estimate is too high once subtrees have been lost by cycles */
  if (r->live_bytes > target + target / 4)
    shrink(r, target - target / 4);
}

static void
build_large(struct region *r) {
  size_t size_bytes = (SMALLEST_LARGE_BYTES + below(SMALLEST_LARGE_BYTES)) << below(7);
  if (size_bytes > LARGEST_BYTES || (int64_t)size_bytes > target_bytes())
    return;
  uint32_t edge_count = 1 + (uint32_t)below(8);
  struct object *o = make_object(edge_count, (uint32_t)(size_bytes / edge_count) & ~3u, 0);
  r->live_bytes += o->size_bytes;
  for (uint32_t i = 0; i < edge_count; i++) {
    struct edge *old = one_in(2) ? random_edge(r) : NULL;
    *edge_at(o, i) = old ? edge_to(target_of(old)) : make_random_tree(r);
  }
  attach(r, edge_to(o));
}

static void
link_two(struct region *r) {
  struct edge *to = random_edge(r);
  if (to)
    attach(r, edge_to(target_of(to)));
}

static void
unlink_one(struct region *r) {
  struct edge *edge = random_edge(r);
  if (edge && r->live_bytes > target_bytes() / 2)
    discard(r, take(r, edge));
}

/* Two pointers change places: for a moment one of them is in registers only. */
static void
swap(struct region *r) {
  struct edge *a = random_edge(r), *b = random_edge(r);
  if (!a || a == b)
    return;
  struct edge edge = *a;
  *a = *b;
  *b = edge;
}

/* The only pointer to a subtree goes from one object to another, an older or a newer one. */
static void
move_subtree(struct region *r) {
  struct edge *from = random_edge(r), *parent = random_edge(r);
  if (!from)
    return;
  struct object *o = target_of(parent);
  struct edge *place = o->edge_count ? any_edge_of(o) : NULL;
  if (place && !place->to)
    *place = take(r, from);
}

static void
rotate_roots(struct region *r) {
  if (!r->root_count)
    return;
  size_t at = below(r->root_count);
  size_t count = below(r->root_count - at);
  struct edge first = r->roots[at];
  memmove(&r->roots[at], &r->roots[at + 1], count * sizeof first);
  r->roots[at + count] = first;
}

static void
resize_roots(struct region *r) {
  size_t capacity = (size_t)MAX_ROOT_CAPACITY >> below(16);
  set_root_capacity(r, capacity > r->root_count ? capacity : r->root_count + 1);
}

static void
copy_roots(struct region *r) {
  struct edge *old = r->roots;
  if (!old)
    return;
  r->roots = allocate_aligned(r->root_capacity * sizeof *old);
  memcpy(r->roots, old, r->root_count * sizeof *old);
  if (one_in(2))
    free(old);
}

/* Through the kernel, which writes to the heap then. */
static void
copy_by_pipe(char *to, const char *from, size_t bytes) {
  while (bytes) {
    size_t piece = bytes < PIPE_BUF ? bytes : PIPE_BUF;
    ssize_t put = write(me->pipe[1], from, piece);
    ssize_t got = put == (ssize_t)piece ? read(me->pipe[0], to, piece) : 0;
    if (got != (ssize_t)piece)
      corrupt("write returned %zd, read %zd, instead of %zu: %s", put, got, piece, strerror(errno));
    from += piece;
    to += piece;
    bytes -= piece;
  }
}

static struct object *
copied(struct object *o) {
  struct object *copy = allocate(o->size_bytes);
  if (one_in(3))
    copy_by_pipe((char *)copy, (char *)o, o->size_bytes);
  else
    memcpy(copy, o, o->size_bytes);
  return copy;
}

/* An object with all its pointers moves to another address. */
static void
relocate(struct region *r) {
  struct edge *edge = random_edge(r);
  if (!edge || target_of(edge)->refs != 1)
    return;
  struct object *old = target_of(edge), *new;
  if (one_in(2)) {
    new = checked(realloc(old, old->size_bytes + below(2 * (size_t)old->size_bytes)));
    old = NULL;
  } else {
    new = copied(old);
  }
  edge->to = (char *)new + edge->offset_bytes;
  if (old && one_in(2))
    free(old);
}

/* Many blocks of one size are freed and made again, whoever made them. */
static void
replace_roots(struct region *r) {
  size_t tail_bytes = below(60) * 4;
  for (size_t count = below(300); count && r->root_count; count--) {
    discard_root(r, below(r->root_count));
    struct object *o = make_object(1, SMALLEST_CELL_BYTES, tail_bytes);
    r->live_bytes += o->size_bytes;
    put_root(r, edge_to(o));
  }
}

/* All of a region is replaced by new objects, which none of the old ones point to. */
static void
renew(struct region *r) {
  shrink(r, INT64_MIN);
  r->live_bytes = 0;
  build(r);
}

/* ---- operations of a thread on its own region ---- */

static void
hold_in_thread_local(struct region *own) {
  struct edge *place = &held[below(HELD_COUNT)];
  if (place->to) {
    check(place);
    attach(own, take(own, place));
  } else if (own->root_count) {
    *place = take(own, &own->roots[below(own->root_count)]);
  }
}

static void
let_go_of_thread_local(struct region *own) {
  for (unsigned i = 0; i < HELD_COUNT; i++)
    if (held[i].to)
      put_root(own, take(own, &held[i]));
}

static void __attribute__((noinline))
hold_on_stack(struct region *own, unsigned depth) {
  struct edge edge = {0};
  if (depth % 8 == 0 && own->root_count)
    edge = take(own, &own->roots[below(own->root_count)]);
  if (depth)
    hold_on_stack(own, depth - 1);
  else
    build(own);
  if (!edge.to)
    return;
  check(&edge);
  put_root(own, edge);
}

static void
recurse(struct region *own) {
  hold_on_stack(own, 1 + (unsigned)below(MAX_DEPTH));
}

/* Whether nothing but the edge leads to a subtree, or into it.  The budget is of objects. */
static bool
owns_tree(const struct edge *edge, unsigned *budget) {
  const struct object *o = check(edge);
  if (o->refs != 1 || *budget <= o->edge_count)
    return false;
  --*budget;
  for (uint32_t i = 0; i < o->edge_count; i++) {
    const struct edge *child = edge_at(o, i);
    if (child->to && !owns_tree(child, budget))
      return false;
  }
  return true;
}

/* Takes a root that owns a tree, to be given to another region; an empty edge if the one tried does not. */
static struct edge
take_tree(struct region *r) {
  unsigned budget = MAX_TREE_OBJECTS;
  struct edge *root = r->root_count ? &r->roots[below(r->root_count)] : NULL;
  if (!root || !owns_tree(root, &budget))
    return (struct edge){0};
  r->live_bytes -= bytes_owned(target_of(root), 0);
  return take(r, root);
}

static void
put_tree(struct region *r, struct edge edge) {
  r->live_bytes += bytes_owned(check(&edge), 0);
  put_root(r, edge);
}

static struct region *
lock_any_shared(void) {
  struct region *r = &shared[below(ALL_SHARED)];
  pthread_mutex_lock(&r->lock);
  return r;
}

static void
give(struct region *own) {
  struct edge tree = take_tree(own);
  if (!tree.to)
    return;
  struct region *r = lock_any_shared();
  put_tree(r, tree);
  pthread_mutex_unlock(&r->lock);
}

static void
receive(struct region *own) {
  struct region *r = lock_any_shared();
  struct edge tree = take_tree(r);
  pthread_mutex_unlock(&r->lock);
  if (tree.to)
    put_tree(own, tree);
}

/* ---- threads ---- */

static void
self_begin(struct self *self, uint64_t random_seed, unsigned slot, unsigned generation) {
  *self = (struct self){.random = mix(random_seed) | 1, .slot = slot, .generation = generation, .operation = "begin"};
  if (pipe2(self->pipe, O_CLOEXEC))
    refused("pipe2");
  me = self;
  all_threads++;
}

static void
self_end(void) {
  close(me->pipe[0]);
  close(me->pipe[1]);
  all_operations += me->operations;
  all_made += me->made;
  all_verified += me->verified;
  me = NULL;
}

static void
start(pthread_t *thread, bool is_detached, void *(*function)(void *), void *argument) {
  errno = pthread_create(thread, NULL, function, argument);
  if (!errno && is_detached)
    errno = pthread_detach(*thread);
  if (errno)
    refused("thread");
}

/* What a short-lived thread gets and gives back, by the argument and the value of its function alone. */
struct errand {
  uint64_t seed;
  unsigned slot;
  struct edge tree;    /* of the one who sent it, or empty */
  struct edge built;
};

static void *
errand_main(void *argument) {
  struct errand *errand = argument;
  struct self self;
  struct region nothing = {0};
  self_begin(&self, errand->seed, errand->slot, UINT_MAX);
  self.operation = "errand";
  unsigned budget = MAX_TREE_OBJECTS;
  if (errand->tree.to && !owns_tree(&errand->tree, &budget))
    corrupt("a tree has changed on its way to a thread");
  errand->built = make_random_tree(&nothing);
  self_end();
  return errand;
}

static void
send_errand(struct region *own, pthread_t *thread) {
  struct errand *errand = checked(malloc(sizeof *errand));
  *errand = (struct errand){.seed = next_random(), .slot = me->slot, .tree = take_tree(own)};
  start(thread, false, errand_main, errand);
}

static void
await_errand(struct region *own, pthread_t thread) {
  void *value;
  pthread_join(thread, &value);
  struct errand *errand = value;
  put_tree(own, errand->built);
  if (errand->tree.to)
    put_tree(own, errand->tree);
  free(errand);
}

static void
run_errands(struct region *own) {
  pthread_t threads[4];
  size_t count = 1 + below(4);
  for (size_t i = 0; i < count; i++)
    send_errand(own, &threads[i]);
  for (size_t i = 0; i < count; i++)
    await_errand(own, threads[i]);
}

/* ---- fork ---- */

static void
lock_all_shared(void) {
  for (unsigned i = 0; i < ALL_SHARED; i++)
    pthread_mutex_lock(&shared[i].lock);
}

static void
unlock_all_shared(void) {
  for (unsigned i = ALL_SHARED; i-- > 0;)
    pthread_mutex_unlock(&shared[i].lock);
}

static void
verify_all(struct region *own) {
  verify(own);
  for (unsigned i = 0; i < ALL_SHARED; i++)
    verify(&shared[i]);
}

static void run_operation(bool is_child);

/* The child has this thread only, and all shared regions as they were between two operations. */
static _Noreturn void
child_main(struct region *own) {
  me->operation = "child";
  verify_all(own);
  unlock_all_shared();
  for (size_t count = 100 + below(300); count; count--)
    run_operation(true);
  me->operation = "child's end";
  verify_all(own);
  _exit(0);
}

static void
fork_child(struct region *own) {
  lock_all_shared();
  pid_t child = fork();
  if (child == 0) {
    /* In the child the parent's pipe would be shared with it. */
    if (pipe2(me->pipe, O_CLOEXEC))
      refused("pipe2");
    child_main(own);
  }
  unlock_all_shared();
  if (child < 0)
    refused("fork");
  all_forks++;
  int status;
  if (waitpid(child, &status, 0) != child)
    corrupt("waitpid: %s", strerror(errno));
  if (status)
    corrupt("child %d ended with status 0x%x", (int)child, (unsigned)status);
}

/* ---- what is done how often ---- */

struct operation {
  const char *name;
  void (*function)(struct region *);
  unsigned weight;
  bool is_for_own;          /* else for any region */
  bool is_for_parents;      /* not done by children of fork */
};

static const struct operation operations[] = {
  {"build", build, 2500, false, false},
  {"build_large", build_large, 60, false, false},
  {"link_two", link_two, 2000, false, false},
  {"unlink_one", unlink_one, 1400, false, false},
  {"swap", swap, 1200, false, false},
  {"move_subtree", move_subtree, 800, false, false},
  {"rotate_roots", rotate_roots, 200, false, false},
  {"resize_roots", resize_roots, 60, false, false},
  {"copy_roots", copy_roots, 60, false, false},
  {"relocate", relocate, 1200, false, false},
  {"replace_roots", replace_roots, 100, false, false},
  {"renew", renew, 40, false, false},
  {"verify", verify, 10, false, false},
  {"hold_in_thread_local", hold_in_thread_local, 500, true, false},
  {"recurse", recurse, 20, true, false},
  {"give", give, 400, true, false},
  {"receive", receive, 400, true, false},
  {"run_errands", run_errands, 10, true, true},
  {"fork_child", fork_child, 2, true, true},
};

enum { OPERATION_COUNT = sizeof operations / sizeof *operations };

static const struct operation *
random_operation(void) {
  unsigned sum = 0;
  for (unsigned i = 0; i < OPERATION_COUNT; i++)
    sum += operations[i].weight;
  size_t chosen = below(sum);
  const struct operation *operation = operations;
  while (chosen >= operation->weight)
    chosen -= operation++->weight;
  return operation;
}

static void
run_operation(bool is_child) {
  const struct operation *operation = random_operation();
  if (is_child && operation->is_for_parents)
    return;
  me->operation = operation->name;
  me->operations++;
  if (operation->is_for_own || one_in(2)) {
    operation->function(me->own);
    return;
  }
  struct region *r = lock_any_shared();
  operation->function(r);
  pthread_mutex_unlock(&r->lock);
}

/* ---- workers: each hands its region over to the next ---- */

static void
finish(struct region *own) {
  pthread_mutex_lock(&finished_lock);
  finished[finished_count++] = own;
  pthread_cond_signal(&finished_change);
  pthread_mutex_unlock(&finished_lock);
}

static void *
worker_main(void *argument) {
  struct region *own = argument;
  struct self self;
  self_begin(&self, seed ^ mix((uint64_t)own->slot << 32 | own->generation), own->slot, own->generation);
  self.own = own;
  bool is_over = false;
  for (size_t left = 200 + below(8000); left && !is_over; left--) {
    run_operation(false);
    is_over = left % 4 == 0 && time_is_over();
  }
  self.operation = "worker's end";
  let_go_of_thread_local(own);
  own->generation++;
  self_end();
  pthread_t next;
  if (is_over)
    finish(own);
  else
    start(&next, true, worker_main, own);
  return NULL;
}

/* ---- idle threads ---- */

static struct timespec
in_ms(clockid_t clock, unsigned ms) {
  struct timespec t = {0};
  if (clock >= 0)
    clock_gettime(clock, &t);
  uint64_t ns = (uint64_t)t.tv_nsec + (uint64_t)ms * 1000000;
  return (struct timespec){t.tv_sec + (time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

static void
wait_for_condition(unsigned ms) {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  struct timespec until = in_ms(CLOCK_REALTIME, ms);
  pthread_mutex_lock(&lock);
  int error = 0;
  while (!error)
    error = pthread_cond_timedwait(&never, &lock, &until);
  pthread_mutex_unlock(&lock);
  if (error != ETIMEDOUT)
    corrupt("pthread_cond_timedwait: %s", strerror(error));
}

/* Nothing ends these calls early, as the program has no signals: EINTR is the collector's fault. */
static void
sleep_somehow(unsigned kind, unsigned ms) {
  struct timespec duration = in_ms(-1, ms);
  struct pollfd nothing_comes = {.fd = me->pipe[0], .events = POLLIN};
  switch (kind % 3) {
  case 0:
    if (poll(&nothing_comes, 1, (int)ms))
      corrupt("poll returned early: %s", strerror(errno));
    break;
  case 1:
    if (nanosleep(&duration, NULL))
      corrupt("nanosleep returned early: %s", strerror(errno));
    break;
  default:
    wait_for_condition(ms);
  }
}

/* Many blocks of this thread's, for others to free and to make again. */
static void
make_many(struct region *r) {
  size_t tail_bytes = below(60) * 4;
  for (size_t count = 500 + below(3000); count && r->live_bytes < target_bytes(); count--) {
    struct object *o = make_object(1, SMALLEST_CELL_BYTES, tail_bytes);
    r->live_bytes += o->size_bytes;
    put_root(r, edge_to(o));
  }
}

static void
wake_up(struct region *r) {
  verify(r);
  for (size_t left = below(r->root_count + 1); r->root_count > left;)
    release(r, take(r, &r->roots[r->root_count - 1]));
}

static void *
idle_main(void *argument) {
  struct region *r = argument;
  struct region unlisted = {0};   /* its only root is on this thread's stack */
  struct self self;
  self_begin(&self, seed ^ mix(r->slot), r->slot, 0);
  while (!time_is_over()) {
    self.operation = "idle";
    self.operations++;
    pthread_mutex_lock(&r->lock);
    make_many(r);
    pthread_mutex_unlock(&r->lock);
    struct edge tree = make_random_tree(&unlisted);
    sleep_somehow((unsigned)next_random(), one_in(4) ? (unsigned)below(1000) : (unsigned)below(60));
    self.operation = "waking up";
    release(&unlisted, tree);
    pthread_mutex_lock(&r->lock);
    wake_up(r);
    pthread_mutex_unlock(&r->lock);
  }
  self_end();
  return NULL;
}

/* ---- all of it ---- */

static void
begin(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | (int)SA_RESETHAND};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  begun_s = now_s();
  for (unsigned i = 0; i < ALL_SHARED; i++) {
    pthread_mutex_init(&shared[i].lock, NULL);
    shared[i].slot = MAX_THREADS + i;
  }
}

static void
start_workers(void) {
  for (unsigned i = 0; i < thread_count; i++) {
    pthread_t thread;
    struct region *own = checked(calloc(1, sizeof *own));
    own->slot = i + 1;
    start(&thread, true, worker_main, own);
  }
}

static void
await_workers(void) {
  pthread_mutex_lock(&finished_lock);
  while (finished_count < thread_count)
    pthread_cond_wait(&finished_change, &finished_lock);
  pthread_mutex_unlock(&finished_lock);
}

static void
verify_what_is_left(void) {
  struct self self;
  self_begin(&self, seed, 0, 0);
  self.operation = "the end";
  for (unsigned i = 0; i < thread_count; i++)
    verify(finished[i]);
  for (unsigned i = 0; i < ALL_SHARED; i++)
    verify(&shared[i]);
  self_end();
}

static _Noreturn void
usage(void) {
  fprintf(stderr, "usage: storm [SECONDS 10] [SEED] [THREADS 3] [LIVE_MIB 32]\n");
  exit(2);
}

static double
argument_or(int count, char **values, int index, double otherwise, double largest) {
  if (index >= count)
    return otherwise;
  char *end;
  double value = strtod(values[index], &end);
  if (end == values[index] || *end || !(value >= 0 && value <= largest))
    usage();
  return value;
}

int
main(int argc, char **argv) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  run_seconds = argument_or(argc, argv, 1, 10, 1e7);
  seed = (uint64_t)argument_or(argc, argv, 2, (double)(t.tv_nsec / 1000), UINT32_MAX);
  thread_count = (unsigned)argument_or(argc, argv, 3, 3, MAX_THREADS);
  live_mib = (uint64_t)argument_or(argc, argv, 4, 32, 1 << 20);
  if (argc > 5 || !thread_count || !live_mib)
    usage();
  begin();
  pthread_t idle[IDLE_THREADS];
  for (unsigned i = 0; i < IDLE_THREADS; i++)
    start(&idle[i], false, idle_main, &shared[SHARED_REGIONS + i]);
  start_workers();
  await_workers();
  for (unsigned i = 0; i < IDLE_THREADS; i++)
    pthread_join(idle[i], NULL);
  verify_what_is_left();
  printf("seed %llu: %llu operations, %llu objects made, %llu verified, %llu forks, %llu threads\n",
         (unsigned long long)seed, all_operations, all_made, all_verified, all_forks, all_threads);
  return 0;
}
