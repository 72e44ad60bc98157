/* SPDX-License-Identifier: MIT */
/*
 * Allocator benchmarks, each chosen by name, for whichever malloc is preloaded.
 *
 * Usage: malloc_bench NAME [THREADS 1] [SCALE 1.0]
 *        malloc_bench --list
 *
 * Prints one line: name threads ops seconds ns_per_op peak_rss_kib
 * An operation is one block allocated and freed (one realloc, or one thread,
 * where the name says so); ns_per_op is wall time over the operations of all
 * threads.  SCALE multiplies the work.  Random numbers are the same each run.
 *
 * Every block is tagged at its first and last word and checked before it is
 * freed: an allocator that hands out overlapping blocks or loses contents is
 * told by a message and an abort, not by a good time.
 *
 * Build: cc -O2 -fno-builtin -pthread malloc_bench.c
 * (-fno-builtin: compilers otherwise drop malloc and free pairs.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define CACHE_LINE 64
#define THREADS_MAX 256

/* A block's size must be known when it is checked, which may be in another thread. */
struct slot {
  void *block;
  size_t size;
};

struct worker {
  pthread_t thread;
  unsigned index;
  uint64_t random;
  uint64_t ops;
} __attribute__((aligned(CACHE_LINE)));

struct bench {
  const char *name;
  uint64_t rounds; /* per thread: about 0.3 to 0.6 s under glibc where peers are not many times faster */
  void (*set_up)(void);
  void (*work)(struct worker *);
  void (*tear_down)(void);
};

static const struct bench *bench;
static unsigned threads = 1;
static uint64_t rounds;

/* The last word of a block of odd size is not aligned. */
typedef uint64_t word_anywhere __attribute__((aligned(1), may_alias));

static void
fail(const char *what, const void *block, size_t size) {
  fprintf(stderr, "malloc_bench %s: %s (block %p of %zu bytes)\n", bench ? bench->name : "", what, block, size);
  abort();
}

static inline uint64_t
random_next(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* By multiplication: a division would cost as much as a fast malloc. */
static inline uint32_t
random_below(uint64_t *state, uint32_t limit) {
  return (uint32_t)(((random_next(state) >> 32) * limit) >> 32);
}

static inline size_t
size_between(uint64_t *state, uint32_t low, uint32_t high) {
  return low + random_below(state, high - low + 1);
}

/* Sizes from 8 up to 8 << octaves.  The lower of two random octaves gives
 * many small blocks and a long tail, as real programs have. */
static inline size_t
size_power_law(uint64_t *state, uint32_t octaves) {
  uint64_t bits = random_next(state);
  uint32_t first = (uint32_t)(((bits >> 48) * octaves) >> 16);
  uint32_t second = (uint32_t)(((bits >> 32 & 0xffff) * octaves) >> 16);
  size_t base = (size_t)8 << (first < second ? first : second);
  return base + (bits & (base - 1));
}

/* From address and size, so that neighbours differ; multiplied, so that no
 * tag looks like a pointer to a conservative collector. */
static inline uint64_t
tag_of(const void *block, size_t size) {
  return ((uintptr_t)block ^ size << 48) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline word_anywhere *
last_word(void *block, size_t size) {
  return (word_anywhere *)((char *)block + size - sizeof(uint64_t));
}

/* Words would overlap below 16 bytes: only the first is tagged then. */
static inline void
fill(void *block, size_t size) {
  uint64_t tag = tag_of(block, size);
  *(word_anywhere *)block = tag;
  if (size >= 2 * sizeof tag)
    *last_word(block, size) = ~tag;
}

static inline void
check_tag(void *block, size_t size, uint64_t tag) {
  if (*(word_anywhere *)block != tag)
    fail("wrong first word", block, size);
  if (size >= 2 * sizeof tag && *last_word(block, size) != ~tag)
    fail("wrong last word", block, size);
}

static inline void
check_address(const void *block, size_t size) {
  if (!block)
    fail("out of memory", block, size);
  if ((uintptr_t)block % (size >= 16 ? 16 : 8))
    fail("misaligned", block, size);
}

static inline void *
block_new(size_t size) {
  void *block = malloc(size);
  check_address(block, size);
  fill(block, size);
  return block;
}

static inline void
block_drop(void *block, size_t size) {
  check_tag(block, size, tag_of(block, size));
  free(block);
}

static inline void
slot_fill(struct slot *slot, size_t size) {
  slot->block = block_new(size);
  slot->size = size;
}

static inline void
slot_empty(struct slot *slot) {
  block_drop(slot->block, slot->size);
  slot->block = NULL;
}

/* The benchmark's own tables; they count for no operation. */
static void *
table_new(size_t count, size_t item_size) {
  void *table = calloc(count, item_size);
  if (!table)
    fail("out of memory", table, count * item_size);
  return table;
}

static void
slots_empty(struct slot *slots, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (slots[i].block)
      slot_empty(&slots[i]);
}

static void
start_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  int error = pthread_create(thread, attributes, body, argument);
  if (error) {
    fprintf(stderr, "malloc_bench: pthread_create: %s\n", strerror(error));
    abort();
  }
}

/* fixed16, fixed64, fixed1k: a batch of one size, freed in order, then in reverse. */

#define BATCH_BLOCKS 1000

static void
batch_new(void **batch, size_t size) {
  for (size_t i = 0; i < BATCH_BLOCKS; i++)
    batch[i] = block_new(size);
}

static void
work_fixed(struct worker *worker, size_t size) {
  void **batch = table_new(BATCH_BLOCKS, sizeof *batch);
  for (uint64_t round = 0; round < rounds; round++) {
    batch_new(batch, size);
    for (size_t i = 0; i < BATCH_BLOCKS; i++)
      block_drop(batch[i], size);
    batch_new(batch, size);
    for (size_t i = BATCH_BLOCKS; i-- > 0;)
      block_drop(batch[i], size);
  }
  free(batch);
  worker->ops = rounds * BATCH_BLOCKS * 2;
}

static void
work_fixed16(struct worker *worker) {
  work_fixed(worker, 16);
}

static void
work_fixed64(struct worker *worker) {
  work_fixed(worker, 64);
}

static void
work_fixed1k(struct worker *worker) {
  work_fixed(worker, 1024);
}

/* pingpong: each block is freed at once. */

static void
work_pingpong(struct worker *worker) {
  for (uint64_t round = 0; round < rounds; round++) {
    size_t size = size_between(&worker->random, 8, 256);
    block_drop(block_new(size), size);
  }
  worker->ops = rounds;
}

/* mixed, mixed_wide: random replacement in a table of live blocks. */

static inline void
replace_power_law(struct worker *worker, uint32_t slots, uint32_t octaves) {
  struct slot *table = table_new(slots, sizeof *table);
  for (uint64_t round = 0; round < rounds; round++) {
    struct slot *slot = &table[random_below(&worker->random, slots)];
    if (slot->block)
      slot_empty(slot);
    slot_fill(slot, size_power_law(&worker->random, octaves));
  }
  slots_empty(table, slots);
  free(table);
  worker->ops = rounds;
}

static void
work_mixed(struct worker *worker) {
  replace_power_law(worker, 20000, 7); /* 8 B to 1 KiB */
}

static void
work_mixed_wide(struct worker *worker) {
  replace_power_law(worker, 5000, 13); /* 8 B to 64 KiB */
}

/* larson: threads replace blocks in arrays and pass the arrays round, so that
 * most blocks are freed by a thread other than the one that allocated them. */

#define ARRAY_SLOTS 5000
#define ARRAY_TURN 10000 /* replacements before an array is handed over */

struct array {
  struct array *next;
  struct slot slots[ARRAY_SLOTS];
};

static struct {
  pthread_mutex_t lock;
  struct array *first;
  struct array **end;
} arrays = {.lock = PTHREAD_MUTEX_INITIALIZER, .end = &arrays.first};

static void
array_put(struct array *array) {
  pthread_mutex_lock(&arrays.lock);
  array->next = NULL;
  *arrays.end = array;
  arrays.end = &array->next;
  pthread_mutex_unlock(&arrays.lock);
}

static struct array *
array_take(void) {
  pthread_mutex_lock(&arrays.lock);
  struct array *array = arrays.first;
  arrays.first = array->next;
  if (!arrays.first)
    arrays.end = &arrays.first;
  pthread_mutex_unlock(&arrays.lock);
  return array;
}

/* One array more than threads: none ever waits, and threads in step get
 * each other's arrays, not their own again. */
static void
set_up_larson(void) {
  for (unsigned i = 0; i < threads + 1; i++)
    array_put(table_new(1, sizeof(struct array)));
}

static void
array_drop(struct array *array) {
  slots_empty(array->slots, ARRAY_SLOTS);
  free(array);
}

static void
tear_down_larson(void) {
  while (arrays.first)
    array_drop(array_take());
}

static void
array_turn(struct array *array, uint64_t *random) {
  for (unsigned i = 0; i < ARRAY_TURN; i++) {
    struct slot *slot = &array->slots[random_below(random, ARRAY_SLOTS)];
    if (slot->block)
      slot_empty(slot);
    slot_fill(slot, size_between(random, 8, 1000));
  }
}

static void
work_larson(struct worker *worker) {
  for (uint64_t round = 0; round < rounds; round++) {
    struct array *array = array_take();
    array_turn(array, &worker->random);
    array_put(array);
  }
  worker->ops = rounds * ARRAY_TURN;
}

/* larson_churn: a thread works one turn on an array, starts its successor
 * with it, and ends: most blocks outlive the thread that allocated them. */

struct chain {
  struct array array;
  uint64_t random;
  uint64_t turns_left;
  pthread_mutex_t lock;
  pthread_cond_t ended_changed;
  bool ended;
};

/* Not part of a chain: pthread_create may still look at it when the chain has ended. */
static pthread_attr_t detached;

static void
set_up_larson_churn(void) {
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
}

static void
chain_end(struct chain *chain) {
  pthread_mutex_lock(&chain->lock);
  chain->ended = true;
  pthread_cond_signal(&chain->ended_changed);
  pthread_mutex_unlock(&chain->lock);
}

static void *
chain_turn(void *argument) {
  struct chain *chain = argument;
  array_turn(&chain->array, &chain->random);
  pthread_t successor;
  if (--chain->turns_left)
    start_thread(&successor, &detached, chain_turn, chain);
  else
    chain_end(chain);
  return NULL;
}

static void
chain_await(struct chain *chain) {
  pthread_mutex_lock(&chain->lock);
  while (!chain->ended)
    pthread_cond_wait(&chain->ended_changed, &chain->lock);
  pthread_mutex_unlock(&chain->lock);
}

static void
work_larson_churn(struct worker *worker) {
  struct chain *chain = table_new(1, sizeof *chain);
  chain->random = worker->random;
  chain->turns_left = rounds;
  pthread_mutex_init(&chain->lock, NULL);
  pthread_cond_init(&chain->ended_changed, NULL);
  pthread_t first;
  start_thread(&first, &detached, chain_turn, chain);
  chain_await(chain);
  slots_empty(chain->array.slots, ARRAY_SLOTS);
  pthread_cond_destroy(&chain->ended_changed);
  pthread_mutex_destroy(&chain->lock);
  free(chain);
  worker->ops = rounds * ARRAY_TURN;
}

/* prodcons: of two threads, one allocates and the other frees, through a ring.
 * A thread without a partner fills the ring and drains it in turn. */

#define RING_SLOTS 1024

struct ring {
  _Alignas(CACHE_LINE) atomic_ulong produced;
  _Alignas(CACHE_LINE) atomic_ulong consumed;
  _Alignas(CACHE_LINE) struct slot slots[RING_SLOTS];
};

static struct ring *rings;

static void
set_up_prodcons(void) {
  size_t bytes = sizeof *rings * ((threads + 1) / 2);
  rings = aligned_alloc(CACHE_LINE, bytes);
  if (!rings)
    fail("out of memory", rings, bytes);
  memset(rings, 0, bytes);
}

static void
tear_down_prodcons(void) {
  free(rings);
}

static void
ring_produce(struct ring *ring, uint64_t *random, unsigned long at) {
  slot_fill(&ring->slots[at % RING_SLOTS], size_between(random, 16, 512));
  atomic_store_explicit(&ring->produced, at + 1, memory_order_release);
}

static void
ring_consume(struct ring *ring, unsigned long at) {
  slot_empty(&ring->slots[at % RING_SLOTS]);
  atomic_store_explicit(&ring->consumed, at + 1, memory_order_release);
}

/* Yielding keeps this bounded where the partner has no processor of its own. */
static void
await_at_least(atomic_ulong *counter, unsigned long value) {
  while (atomic_load_explicit(counter, memory_order_acquire) < value)
    sched_yield();
}

static void
produce_all(struct ring *ring, uint64_t *random) {
  for (unsigned long at = 0; at < rounds; at++) {
    if (at >= RING_SLOTS)
      await_at_least(&ring->consumed, at - RING_SLOTS + 1);
    ring_produce(ring, random, at);
  }
}

static void
consume_all(struct ring *ring) {
  for (unsigned long at = 0; at < rounds; at++) {
    await_at_least(&ring->produced, at + 1);
    ring_consume(ring, at);
  }
}

static void
produce_and_consume(struct ring *ring, uint64_t *random) {
  for (unsigned long done = 0; done < rounds; done += RING_SLOTS) {
    unsigned long end = done + RING_SLOTS < rounds ? done + RING_SLOTS : rounds;
    for (unsigned long at = done; at < end; at++)
      ring_produce(ring, random, at);
    for (unsigned long at = done; at < end; at++)
      ring_consume(ring, at);
  }
}

/* A block counts once, with its producer. */
static void
work_prodcons(struct worker *worker) {
  struct ring *ring = &rings[worker->index / 2];
  if ((worker->index ^ 1) >= threads)
    produce_and_consume(ring, &worker->random);
  else if (worker->index & 1)
    consume_all(ring);
  else
    produce_all(ring, &worker->random);
  worker->ops = worker->index & 1 ? 0 : rounds;
}

/* xmalloc: each thread puts batches of new blocks into one shared queue and
 * frees the batches it takes out, nearly all of them another thread's. */

#define PARCEL_BLOCKS 120

struct parcel {
  struct parcel *next;
  struct slot slots[PARCEL_BLOCKS];
};

static struct {
  pthread_mutex_t lock;
  struct parcel *first;
  struct parcel **end;
} parcels = {.lock = PTHREAD_MUTEX_INITIALIZER, .end = &parcels.first};

static struct parcel *
parcel_new(uint64_t *random) {
  struct parcel *parcel = malloc(sizeof *parcel);
  check_address(parcel, sizeof *parcel);
  for (size_t i = 0; i < PARCEL_BLOCKS; i++)
    slot_fill(&parcel->slots[i], size_between(random, 16, 400));
  return parcel;
}

static void
parcel_drop(struct parcel *parcel) {
  slots_empty(parcel->slots, PARCEL_BLOCKS);
  free(parcel);
}

static void
parcel_put(struct parcel *parcel) {
  parcel->next = NULL;
  *parcels.end = parcel;
  parcels.end = &parcel->next;
}

static struct parcel *
parcel_take(void) {
  struct parcel *parcel = parcels.first;
  parcels.first = parcel->next;
  if (!parcels.first)
    parcels.end = &parcels.first;
  return parcel;
}

/* An odd number queued: two threads in step take each other's. */
static void
set_up_xmalloc(void) {
  uint64_t random = 1;
  for (unsigned i = 0; i < 2 * threads + 1; i++)
    parcel_put(parcel_new(&random));
}

static void
tear_down_xmalloc(void) {
  while (parcels.first)
    parcel_drop(parcel_take());
}

static struct parcel *
parcel_exchange(struct parcel *parcel) {
  pthread_mutex_lock(&parcels.lock);
  parcel_put(parcel);
  struct parcel *taken = parcel_take();
  pthread_mutex_unlock(&parcels.lock);
  return taken;
}

static void
work_xmalloc(struct worker *worker) {
  for (uint64_t round = 0; round < rounds; round++)
    parcel_drop(parcel_exchange(parcel_new(&worker->random)));
  worker->ops = rounds * PARCEL_BLOCKS;
}

/* realloc_grow: buffers grow by half from 16 B to 1 MiB.  Several in turn:
 * one alone would grow at the end of the heap without ever being copied. */

#define GROW_BUFFERS 4
#define GROW_LIMIT ((size_t)1 << 20)

static void
slot_grow(struct slot *slot, size_t size) {
  uint64_t tag = tag_of(slot->block, slot->size);
  void *grown = realloc(slot->block, size);
  check_address(grown, size);
  check_tag(grown, slot->size, tag);
  fill(grown, size);
  *slot = (struct slot){grown, size};
}

static unsigned
grow_together(struct slot *buffers) {
  unsigned steps = 0;
  for (size_t size = 16; size < GROW_LIMIT; size += size / 2, steps++)
    for (unsigned i = 0; i < GROW_BUFFERS; i++)
      slot_grow(&buffers[i], size + size / 2);
  return steps * GROW_BUFFERS;
}

static void
work_realloc_grow(struct worker *worker) {
  struct slot buffers[GROW_BUFFERS];
  for (uint64_t round = 0; round < rounds; round++) {
    for (unsigned i = 0; i < GROW_BUFFERS; i++)
      slot_fill(&buffers[i], 16);
    worker->ops += grow_together(buffers);
    slots_empty(buffers, GROW_BUFFERS);
  }
}

/* realloc_append: buffers grow by one byte at a time, as careless string code does. */

#define APPEND_BUFFERS 8
#define APPEND_LIMIT 4096

static inline unsigned char
append_byte(unsigned buffer, size_t at) {
  return (unsigned char)(at * 31 + buffer);
}

static unsigned char *
append(unsigned char *bytes, unsigned buffer, size_t length) {
  unsigned char *grown = realloc(bytes, length + 1);
  if (!grown)
    fail("out of memory", grown, length + 1);
  if (length && grown[length - 1] != append_byte(buffer, length - 1))
    fail("realloc lost the last byte", grown, length + 1);
  grown[length] = append_byte(buffer, length);
  return grown;
}

static void
appended_drop(unsigned char *bytes, unsigned buffer) {
  for (size_t at = 0; at < APPEND_LIMIT; at++)
    if (bytes[at] != append_byte(buffer, at))
      fail("realloc lost a byte", bytes, APPEND_LIMIT);
  free(bytes);
}

static void
work_realloc_append(struct worker *worker) {
  for (uint64_t round = 0; round < rounds; round++) {
    unsigned char *buffers[APPEND_BUFFERS] = {NULL};
    for (size_t length = 0; length < APPEND_LIMIT; length++)
      for (unsigned i = 0; i < APPEND_BUFFERS; i++)
        buffers[i] = append(buffers[i], i, length);
    for (unsigned i = 0; i < APPEND_BUFFERS; i++)
      appended_drop(buffers[i], i);
  }
  worker->ops = rounds * APPEND_BUFFERS * APPEND_LIMIT;
}

/* large: 64 KiB to 4 MiB, every page touched: what fresh memory costs counts. */

#define LARGE_SLOTS 16
#define TOUCH_STRIDE 4096

static size_t
size_large(uint64_t *random) {
  size_t base = (size_t)65536 << random_below(random, 6);
  return base + random_below(random, (uint32_t)base);
}

static void
large_fill(struct slot *slot, size_t size) {
  slot_fill(slot, size);
  char *bytes = slot->block;
  uint64_t tag = tag_of(bytes, size);
  for (size_t at = 0; at + 2 * sizeof tag <= size; at += TOUCH_STRIDE)
    *(word_anywhere *)(bytes + at) = tag + at;
}

static void
large_empty(struct slot *slot) {
  char *bytes = slot->block;
  uint64_t tag = tag_of(bytes, slot->size);
  for (size_t at = 0; at + 2 * sizeof tag <= slot->size; at += TOUCH_STRIDE)
    if (*(word_anywhere *)(bytes + at) != tag + at)
      fail("wrong word on a page", bytes, slot->size);
  slot_empty(slot);
}

static void
work_large(struct worker *worker) {
  struct slot table[LARGE_SLOTS] = {{NULL, 0}};
  for (uint64_t round = 0; round < rounds; round++) {
    struct slot *slot = &table[random_below(&worker->random, LARGE_SLOTS)];
    if (slot->block)
      large_empty(slot);
    large_fill(slot, size_large(&worker->random));
  }
  slots_empty(table, LARGE_SLOTS);
  worker->ops = rounds;
}

/* calloc: blocks come back zeroed after they were dirtied to the last byte. */

#define CALLOC_SLOTS 256

static size_t
size_calloc(uint64_t *random) {
  bool big = random_below(random, 64) == 0;
  return big ? size_between(random, 16384, 65536) : size_between(random, 16, 1024);
}

static void
check_zeroed(void *block, size_t size) {
  uint64_t seen = *last_word(block, size);
  for (size_t at = 0; at + sizeof seen <= size; at += sizeof seen)
    seen |= *(word_anywhere *)((char *)block + at);
  if (seen)
    fail("calloc returned a block that is not zeroed", block, size);
}

static void
calloc_fill(struct slot *slot, size_t size) {
  void *block = calloc(1, size);
  check_address(block, size);
  check_zeroed(block, size);
  memset(block, 0xA5, size);
  fill(block, size);
  *slot = (struct slot){block, size};
}

static void
work_calloc(struct worker *worker) {
  struct slot table[CALLOC_SLOTS] = {{NULL, 0}};
  for (uint64_t round = 0; round < rounds; round++) {
    struct slot *slot = &table[round % CALLOC_SLOTS];
    if (slot->block)
      slot_empty(slot);
    calloc_fill(slot, size_calloc(&worker->random));
  }
  slots_empty(table, CALLOC_SLOTS);
  worker->ops = rounds;
}

/* list: linked lists that grow among each other, walked and then freed one by
 * one: how near to each other lie blocks that are used together? */

#define LIST_COUNT 16
#define LIST_NODES 60000 /* over all lists */
#define LIST_WALKS 3

struct node {
  struct node *next;
  uint64_t list;
  uint64_t payload[4]; /* 48 bytes in all */
};

static struct node *
node_new(uint64_t list, struct node *next) {
  struct node *node = malloc(sizeof *node);
  check_address(node, sizeof *node);
  node->next = next;
  node->list = list;
  node->payload[3] = ~list;
  return node;
}

static size_t
list_walk(const struct node *node, uint64_t list) {
  size_t length = 0;
  for (; node; node = node->next, length++)
    if (node->list != list || node->payload[3] != ~list)
      fail("wrong word in a list", node, sizeof *node);
  return length;
}

static void
list_drop(struct node *node) {
  while (node) {
    struct node *next = node->next;
    free(node);
    node = next;
  }
}

static void
lists_grow(struct node **lists, uint64_t *random) {
  for (size_t i = 0; i < LIST_NODES; i++) {
    unsigned list = random_below(random, LIST_COUNT);
    lists[list] = node_new(list, lists[list]);
  }
}

static void
lists_check(struct node **lists) {
  size_t length = 0;
  for (unsigned list = 0; list < LIST_COUNT; list++)
    length += list_walk(lists[list], list);
  if (length != LIST_NODES)
    fail("a list lost nodes", lists[0], sizeof(struct node));
}

static void
work_list(struct worker *worker) {
  for (uint64_t round = 0; round < rounds; round++) {
    struct node *lists[LIST_COUNT] = {NULL};
    lists_grow(lists, &worker->random);
    for (unsigned walk = 0; walk < LIST_WALKS; walk++)
      lists_check(lists);
    for (unsigned list = 0; list < LIST_COUNT; list++)
      list_drop(lists[list]);
  }
  worker->ops = rounds * LIST_NODES;
}

/* threads_short: a thread that allocates a little and ends; an operation is one thread. */

#define SHORT_BLOCKS 100

static void *
short_thread(void *argument) {
  uint64_t random = (uintptr_t)argument;
  struct slot slots[SHORT_BLOCKS];
  for (size_t i = 0; i < SHORT_BLOCKS; i++)
    slot_fill(&slots[i], size_between(&random, 16, 512));
  slots_empty(slots, SHORT_BLOCKS);
  return NULL;
}

static void
work_threads_short(struct worker *worker) {
  for (uint64_t round = 0; round < rounds; round++) {
    pthread_t thread;
    uint64_t seed = random_next(&worker->random) | 1;
    start_thread(&thread, NULL, short_thread, (void *)(uintptr_t)seed);
    pthread_join(thread, NULL);
  }
  worker->ops = rounds;
}

static const struct bench benches[] = {
  {"fixed16", 15000, NULL, work_fixed16, NULL},
  {"fixed64", 14000, NULL, work_fixed64, NULL},
  {"fixed1k", 5000, NULL, work_fixed1k, NULL},
  {"pingpong", 30000000, NULL, work_pingpong, NULL},
  {"mixed", 10000000, NULL, work_mixed, NULL},
  {"mixed_wide", 6000000, NULL, work_mixed_wide, NULL},
  {"larson", 800, set_up_larson, work_larson, tear_down_larson},
  {"larson_churn", 800, set_up_larson_churn, work_larson_churn, NULL},
  {"prodcons", 4000000, set_up_prodcons, work_prodcons, tear_down_prodcons},
  {"xmalloc", 90000, set_up_xmalloc, work_xmalloc, tear_down_xmalloc},
  {"realloc_grow", 250, NULL, work_realloc_grow, NULL},
  {"realloc_append", 1200, NULL, work_realloc_append, NULL},
  {"large", 12000, NULL, work_large, NULL},
  {"calloc", 1500000, NULL, work_calloc, NULL},
  {"list", 75, NULL, work_list, NULL},
  {"threads_short", 12000, NULL, work_threads_short, NULL},
};

static void *
worker_main(void *argument) {
  bench->work(argument);
  return NULL;
}

/* The main thread is the first worker: with one thread the process stays
 * single-threaded, which allocators may notice and use. */
static uint64_t
work_all(void) {
  struct worker *workers = aligned_alloc(CACHE_LINE, threads * sizeof *workers);
  if (!workers)
    fail("out of memory", workers, threads * sizeof *workers);
  for (unsigned i = 0; i < threads; i++)
    workers[i] = (struct worker){.index = i, .random = UINT64_C(88172645463325252) + i * UINT64_C(0x9E3779B97F4A7C15)};
  for (unsigned i = 1; i < threads; i++)
    start_thread(&workers[i].thread, NULL, worker_main, &workers[i]);
  worker_main(&workers[0]);
  uint64_t ops = workers[0].ops;
  for (unsigned i = 1; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    ops += workers[i].ops;
  }
  free(workers);
  return ops;
}

static double
seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Not getrusage: its maximum includes what the parent was before the exec. */
static long
peak_rss_kib(void) {
  char status[4096];
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  ssize_t length = read(fd, status, sizeof status - 1);
  close(fd);
  status[length > 0 ? length : 0] = 0;
  const char *peak = strstr(status, "VmHWM:");
  return peak ? strtol(peak + strlen("VmHWM:"), NULL, 10) : -1;
}

static void
run(double scale) {
  rounds = (uint64_t)((double)bench->rounds * scale);
  if (!rounds)
    rounds = 1;
  double start = seconds_now();
  if (bench->set_up)
    bench->set_up();
  uint64_t ops = work_all();
  if (bench->tear_down)
    bench->tear_down();
  double seconds = seconds_now() - start;
  printf("%s %u %llu %.4f %.3f %ld\n", bench->name, threads, (unsigned long long)ops, seconds, seconds * 1e9 / (double)ops,
         peak_rss_kib());
}

static const struct bench *
bench_named(const char *name) {
  for (size_t i = 0; i < COUNT_OF(benches); i++)
    if (!strcmp(benches[i].name, name))
      return &benches[i];
  return NULL;
}

static int
usage(void) {
  fputs("Usage: malloc_bench NAME [THREADS 1] [SCALE 1.0]\n       malloc_bench --list\n", stderr);
  return 2;
}

static int
list_names(void) {
  for (size_t i = 0; i < COUNT_OF(benches); i++)
    puts(benches[i].name);
  return 0;
}

int
main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "--list"))
    return list_names();
  if (argc < 2 || argc > 4)
    return usage();
  bench = bench_named(argv[1]);
  threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
  double scale = argc > 3 ? strtod(argv[3], NULL) : 1;
  if (!bench || !threads || threads > THREADS_MAX || !(scale > 0))
    return usage();
  run(scale);
  return 0;
}
