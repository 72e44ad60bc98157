/* SPDX-License-Identifier: MIT */
/*
 * Random use of malloc and cgc.h against a plain model.
 *
 * The program keeps chains of blocks.  A chain's root is one pointer in static data; each block's first
 * word points to the next, often into its middle.  So all but the first block of a chain are kept by
 * pointers in other blocks alone.  What the model knows of a block (address in disguise, size, contents)
 * is no pointer to it.
 *
 * Checked: alignment, zeroes, contents (hence no overlap), links, usable sizes, and at the end through
 * cgc_stats_read that blocks dropped without free have been reclaimed, and no others.
 *
 * usage: model [--seed N] [--steps N] [--threads N] [--without-cgc]
 */
#include "cgc.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma weak cgc_malloc
#pragma weak cgc_malloc_noscan
#pragma weak cgc_calloc
#pragma weak cgc_realloc
#pragma weak cgc_free
#pragma weak cgc_collect
#pragma weak cgc_stats_read

enum { THREADS_MAX = 8, CHAINS = 200, CHAIN_BLOCKS = 24, MAILS = 32, GENERATIONS = 5 };

struct block {
  uintptr_t hidden_addr;
  size_t    bytes;          /* that are filled */
  size_t    link_offset;    /* into this block, of the pointer that keeps it */
  uint64_t  pattern;
  bool      is_noscan;
};

struct chain {
  void *root;               /* the one real pointer */
  unsigned count;
  struct block blocks[CHAIN_BLOCKS];
};

/* What one thread works on; it outlives the thread. */
struct world {
  struct chain chains[CHAINS];
  uint64_t random;
  unsigned long steps;
};

static struct world worlds[THREADS_MAX];

/* Chains on their way from one thread to another.  Lock: mail_lock. */
static struct chain mails[MAILS];
static pthread_mutex_t mail_lock = PTHREAD_MUTEX_INITIALIZER;

static atomic_ulong dropped_blocks;
static atomic_ulong collections_failed;
static uint64_t seed;
static bool has_cgc;
static bool is_child;

/* ---- helpers ---- */

__attribute__((noreturn)) static void
fail(const char *what, const struct block *block) {
  fprintf(stderr, "model: %s (block %#lx of %zu bytes%s; --seed %llu)\n", what,
          block ? (unsigned long)~block->hidden_addr : 0, block ? block->bytes : 0,
          block && block->is_noscan ? ", noscan" : "", (unsigned long long)seed);
  abort();
}

static void
expect(bool condition, const char *what, const struct block *block) {
  if (!condition)
    fail(what, block);
}

static uint64_t
random_below(struct world *world, uint64_t limit) {
  uint64_t x = world->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  world->random = x;
  return (x >> 11) % limit;
}

static bool
one_in(struct world *world, uint64_t n) {
  return random_below(world, n) == 0;
}

static char *
address_of(const struct block *block) {
  return (char *)~block->hidden_addr;
}

/* Between these two the address of a block that no other holds stands where the collector sees it: in a register or on the
 * stack.  The compiler could else make it anew from the hidden one wherever it is needed. */
static void *
show(void *block) {
  __asm__ volatile("" : "+r"(block));
  return block;
}

static void
keep(const void *block) {
  __asm__ volatile("" ::"g"(block) : "memory");
}

/* Whether the block's first word is its link to the next. */
static bool
has_link(const struct block *block) {
  return !block->is_noscan && block->bytes >= sizeof(void *);
}

static void **
link_of(const struct block *block) {
  return (void **)(void *)address_of(block);
}

/* The word that keeps the block. */
static void **
holder_of(struct chain *chain, unsigned at) {
  return at ? link_of(&chain->blocks[at - 1]) : &chain->root;
}

static void
hold(struct chain *chain, unsigned at) {
  struct block *block = &chain->blocks[at];
  *holder_of(chain, at) = address_of(block) + block->link_offset;
}

/* ---- contents ---- */

static uint64_t
pattern_word(const struct block *block, size_t index) {
  return block->pattern * (2 * index + 1) | 0xff00000000000000;
}

static size_t
pattern_start(const struct block *block) {
  return has_link(block) ? sizeof(void *) : 0;
}

static void
fill(const struct block *block) {
  char *addr = address_of(block);
  for (size_t at = pattern_start(block); at < block->bytes; at += sizeof(uint64_t)) {
    uint64_t word = pattern_word(block, at / sizeof word);
    size_t rest = block->bytes - at;
    memcpy(addr + at, &word, rest < sizeof word ? rest : sizeof word);
  }
}

/* The first bytes of the block: all, or what a smaller new size has left. */
static void
check_contents(const struct block *block, size_t bytes, const char *what) {
  const char *addr = address_of(block);
  for (size_t at = pattern_start(block); at < bytes; at += sizeof(uint64_t)) {
    uint64_t word = pattern_word(block, at / sizeof word);
    size_t rest = bytes - at;
    expect(!memcmp(addr + at, &word, rest < sizeof word ? rest : sizeof word), what, block);
  }
}

static void
check_zero(const struct block *block) {
  const char *addr = address_of(block);
  for (size_t i = 0; i < block->bytes; i++)
    expect(addr[i] == 0, "memory is not zeroed", block);
}

static void
check_chain(struct chain *chain) {
  for (unsigned i = 0; i < chain->count; i++) {
    const struct block *block = &chain->blocks[i];
    expect(*holder_of(chain, i) == address_of(block) + block->link_offset, "the link to a block has changed", block);
    check_contents(block, block->bytes, "contents have changed");
  }
  expect(chain->count || !chain->root, "an empty chain has a root", NULL);
}

/* ---- allocation ---- */

static size_t
random_size(struct world *world) {
  uint64_t kind = random_below(world, 1000);
  if (kind < 600)
    return random_below(world, 200);
  if (kind < 900)
    return random_below(world, 2500);
  if (kind < 990)
    return random_below(world, 40000);
  return random_below(world, 600000);
}

static size_t
random_alignment(struct world *world) {
  return (size_t)8 << random_below(world, one_in(world, 10) ? 14 : 7);
}

struct request {
  size_t bytes, alignment;
  bool is_noscan, is_zeroed;
};

static void *
allocate_with_libc(struct world *world, struct request *request) {
  void *result = NULL;
  size_t bytes = request->bytes;
  switch (random_below(world, 8)) {
    case 0: request->is_zeroed = true; return calloc(1, bytes);
    case 1: request->is_zeroed = true; return calloc((bytes + 6) / 7, 7);
    case 2: return realloc(NULL, bytes);
    case 3: return memalign(request->alignment = random_alignment(world), bytes);
    case 4: return aligned_alloc(request->alignment = random_alignment(world), bytes);
    case 5: return posix_memalign(&result, request->alignment = random_alignment(world), bytes) ? NULL : result;
    default: return malloc(bytes);
  }
}

static void *
allocate_with_cgc(struct world *world, struct request *request) {
  size_t bytes = request->bytes;
  switch (random_below(world, 4)) {
    case 0: request->is_noscan = true; return cgc_malloc_noscan(bytes);
    case 1: request->is_zeroed = true; return cgc_calloc(1, bytes);
    case 2: request->is_zeroed = true; return cgc_realloc(NULL, bytes);
    default: request->is_zeroed = true; return cgc_malloc(bytes);
  }
}

/* A block that is kept by nothing but what is returned. */
static void *
make_block(struct world *world, struct block *block, size_t bytes) {
  struct request request = {.bytes = bytes, .alignment = bytes > 8 ? 16 : 8};
  void *result = show(has_cgc && one_in(world, 3) ? allocate_with_cgc(world, &request)
                                                  : allocate_with_libc(world, &request));
  *block = (struct block){~(uintptr_t)result, bytes, 0, random_below(world, UINT64_MAX), request.is_noscan};
  expect(result, "no memory", block);
  expect((uintptr_t)result % request.alignment == 0, "bad alignment", block);
  expect(malloc_usable_size(result) >= bytes, "the usable size is too small", block);
  if (request.is_zeroed)
    check_zero(block);
  if (one_in(world, 4))
    block->bytes = malloc_usable_size(result);
  block->link_offset = block->bytes && one_in(world, 2) ? random_below(world, block->bytes) : 0;
  fill(block);
  return result;
}

static void
release(struct world *world, const struct block *block) {
  char *addr = show(address_of(block));
  check_contents(block, block->bytes, "contents have changed");
  if (has_cgc && one_in(world, 4))
    cgc_free(addr);
  else if (block->bytes && one_in(world, 8))
    expect(!realloc(addr, 0), "realloc to 0 gave a block", block);
  else
    free(addr);
}

/* ---- steps ---- */

static void
insert_block(struct world *world, struct chain *chain, unsigned at) {
  struct block block;
  if (chain->count == CHAIN_BLOCKS || (at && !has_link(&chain->blocks[at - 1])))
    return;
  size_t bytes = random_size(world);
  if (at < chain->count && bytes < sizeof(void *))
    bytes = sizeof(void *);
  void *made = make_block(world, &block, bytes);
  if (at < chain->count && !has_link(&block)) {
    release(world, &block);   /* without a link it can only be the last */
    keep(made);
    return;
  }
  if (has_link(&block))
    *link_of(&block) = at < chain->count ? *holder_of(chain, at) : NULL;
  memmove(&chain->blocks[at + 1], &chain->blocks[at], (chain->count++ - at) * sizeof block);
  chain->blocks[at] = block;
  hold(chain, at);
  keep(made);
}

static void
forget_block(struct chain *chain, unsigned at) {
  memmove(&chain->blocks[at], &chain->blocks[at + 1], (--chain->count - at) * sizeof chain->blocks[0]);
  memset(&chain->blocks[chain->count], 0, sizeof chain->blocks[0]);
}

static void
free_block(struct world *world, struct chain *chain, unsigned at) {
  const struct block block = chain->blocks[at];
  void *unlinked = show(address_of(&block));
  *holder_of(chain, at) = at + 1 < chain->count ? *link_of(&block) : NULL;
  forget_block(chain, at);
  release(world, &block);
  keep(unlinked);
}

static void
free_chain(struct world *world, struct chain *chain) {
  while (chain->count)
    free_block(world, chain, chain->count - 1);
}

/* From that block on, without free. */
static void
drop_blocks(struct chain *chain, unsigned at) {
  atomic_fetch_add(&dropped_blocks, chain->count - at);
  *holder_of(chain, at) = NULL;
  while (chain->count > at)
    forget_block(chain, chain->count - 1);
}

static void
resize_block(struct world *world, struct chain *chain, unsigned at) {
  struct block *block = &chain->blocks[at];
  bool is_last = at + 1 == chain->count, had_link = has_link(block);
  size_t old = block->bytes, bytes = one_in(world, 3) ? old + random_below(world, old / 4 + 32) : random_size(world);
  if (bytes == 0 || (!is_last && bytes < sizeof(void *)))
    bytes = sizeof(void *);
  void *moved = show(has_cgc && one_in(world, 2) ? cgc_realloc(address_of(block), bytes)
                                                 : realloc(address_of(block), bytes));
  expect(moved, "no memory for realloc", block);
  expect(!has_cgc || malloc_usable_size(moved) <= 2 * bytes + 8192, "a shrunk block keeps its room", block);
  block->hidden_addr = ~(uintptr_t)moved;
  check_contents(block, old < bytes ? old : bytes, "realloc has changed contents");
  if (!is_last)
    expect(*link_of(block) == address_of(block + 1) + block[1].link_offset, "realloc has changed the link", block);
  block->bytes = bytes;
  block->link_offset = random_below(world, bytes);
  if (!had_link && has_link(block))
    *link_of(block) = NULL;
  fill(block);
  hold(chain, at);
  keep(moved);
}

/* Swaps the chain with one that waits for somebody: another thread frees it then. */
static void
exchange_chain(struct world *world, struct chain *chain) {
  static _Thread_local struct chain other;
  if (is_child)
    return;   /* the lock may have been held at the fork */
  struct chain *mail = &mails[random_below(world, MAILS)];
  pthread_mutex_lock(&mail_lock);
  other = *mail;
  *mail = *chain;
  *chain = other;
  pthread_mutex_unlock(&mail_lock);
  memset(&other, 0, sizeof other);
}

static void
collect(void) {
  if (has_cgc && cgc_collect())
    atomic_fetch_add(&collections_failed, 1);
}

static void run_steps(struct world *world, unsigned long steps);

/* A child checks what it has inherited, and goes on with it for a while. */
static void
fork_child(struct world *world) {
  if (is_child)
    return;
  pid_t child = fork();
  expect(child >= 0, "fork failed", NULL);
  if (child == 0) {
    alarm(60);
    is_child = true;
    collect();
    collect();
    run_steps(world, 300);
    for (unsigned i = 0; i < CHAINS; i++)
      check_chain(&world->chains[i]);
    _exit(0);
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    expect(errno == EINTR, "waitpid failed", NULL);
  expect(status == 0, "a forked child failed", NULL);
}

static void
step_rare(struct world *world, struct chain *chain) {
  switch (random_below(world, 6)) {
    case 0: collect(); break;
    case 1:
      if (one_in(world, 8))
        fork_child(world);
      break;
    default: exchange_chain(world, chain); break;
  }
}

static void
step_change(struct world *world, struct chain *chain, uint64_t choice) {
  unsigned at = (unsigned)random_below(world, chain->count);
  if (choice < 62)
    resize_block(world, chain, at);
  else if (choice < 80)
    free_block(world, chain, at);
  else if (choice < 84)
    free_chain(world, chain);
  else if (choice < 88)
    drop_blocks(chain, 0);
  else if (choice < 92)
    drop_blocks(chain, at);
  else
    check_chain(chain);
}

static void
step(struct world *world) {
  struct chain *chain = &world->chains[random_below(world, CHAINS)];
  uint64_t choice = random_below(world, 100);
  if (one_in(world, 300))
    step_rare(world, chain);
  else if (choice < 30)
    insert_block(world, chain, 0);
  else if (choice < 50)
    insert_block(world, chain, chain->count);
  else if (choice < 54 && chain->count)
    insert_block(world, chain, (unsigned)random_below(world, chain->count));
  else if (chain->count)
    step_change(world, chain, choice);
}

static void
run_steps(struct world *world, unsigned long steps) {
  for (unsigned long i = 0; i < steps; i++)
    step(world);
}

/* ---- threads ---- */

static void *
run_thread(void *arg) {
  struct world *world = arg;
  run_steps(world, world->steps);
  for (unsigned i = 0; i < CHAINS; i++)
    check_chain(&world->chains[i]);
  return NULL;
}

/* Threads come and go; the first world is the main thread's. */
static void
run_generation(unsigned threads) {
  pthread_t ids[THREADS_MAX];
  for (unsigned i = 1; i < threads; i++)
    expect(pthread_create(&ids[i], NULL, run_thread, &worlds[i]) == 0, "pthread_create failed", NULL);
  run_thread(&worlds[0]);
  for (unsigned i = 1; i < threads; i++)
    pthread_join(ids[i], NULL);
}

/* ---- the end ---- */

static struct cgc_stats
read_stats(void) {
  struct cgc_stats stats = {.version = CGC_STATS_VERSION};
  if (has_cgc)
    expect(cgc_stats_read(&stats) == 0, "cgc_stats_read failed", NULL);
  return stats;
}

static void
end_chain(struct world *world, struct chain *chain) {
  check_chain(chain);
  if (chain->count && one_in(world, 2))
    drop_blocks(chain, 0);
  else
    free_chain(world, chain);
}

static void
end_all(void) {
  for (unsigned t = 0; t < THREADS_MAX; t++)
    for (unsigned i = 0; i < CHAINS; i++)
      end_chain(&worlds[0], &worlds[t].chains[i]);
  for (unsigned i = 0; i < MAILS; i++)
    end_chain(&worlds[0], &mails[i]);
}

/* Overwrites what calls have left below the stack pointer. */
__attribute__((noinline)) static void
scrub_stack(void) {
  char buffer[64 * 1024];
  memset(buffer, 0, sizeof buffer);
  __asm__ volatile("" ::"r"(buffer) : "memory");
}

/* Words that look like pointers may keep a few. */
static void
check_reclaimed(uint64_t reclaimed_before) {
  for (int i = 0; i < 4; i++) {
    scrub_stack();
    expect(cgc_collect() == 0, "the last collections failed", NULL);
  }
  uint64_t reclaimed = read_stats().reclaimed_blocks - reclaimed_before, dropped = dropped_blocks;
  printf("dropped %llu blocks, reclaimed %llu, collections %llu, failed %lu\n", (unsigned long long)dropped,
         (unsigned long long)reclaimed, (unsigned long long)read_stats().cycles, collections_failed);
  expect(reclaimed <= dropped, "more blocks were reclaimed than dropped", NULL);
  expect(reclaimed + dropped / 20 + 2 * CHAIN_BLOCKS >= dropped, "dropped blocks were not reclaimed", NULL);
}

struct arguments {
  unsigned long steps;
  unsigned threads;
  bool without_cgc;
};

static struct arguments
parse(int argc, char **argv) {
  struct arguments arguments = {.steps = 100000, .threads = 1};
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (!strcmp(argv[i], "--without-cgc")) {
      arguments.without_cgc = true;
      continue;
    }
    if (!strcmp(argv[i], "--seed"))
      seed = strtoull(value, NULL, 0);
    else if (!strcmp(argv[i], "--steps"))
      arguments.steps = strtoul(value, NULL, 0);
    else if (!strcmp(argv[i], "--threads"))
      arguments.threads = (unsigned)strtoul(value, NULL, 0);
    else
      argc = 0;
    i++;
  }
  if (!argc || !arguments.threads || arguments.threads > THREADS_MAX) {
    fprintf(stderr, "usage: model [--seed N] [--steps N] [--threads 1..%d] [--without-cgc]\n", THREADS_MAX);
    exit(2);
  }
  return arguments;
}

int
main(int argc, char **argv) {
  seed = ((uint64_t)time(NULL) << 16) ^ (uint64_t)getpid();
  struct arguments arguments = parse(argc, argv);
  has_cgc = cgc_collect && !arguments.without_cgc;
  expect(has_cgc || arguments.without_cgc, "the library is not there", NULL);
  printf("model --seed %llu --steps %lu --threads %u\n", (unsigned long long)seed, arguments.steps, arguments.threads);
  fflush(stdout);
  uint64_t reclaimed_before = read_stats().reclaimed_blocks;
  for (unsigned i = 0; i < THREADS_MAX; i++) {
    worlds[i].random = (seed + i) * 0x9e3779b97f4a7c15 | 1;
    worlds[i].steps = arguments.steps / arguments.threads / GENERATIONS;
  }
  for (int i = 0; i < GENERATIONS; i++)
    run_generation(arguments.threads);
  end_all();
  if (has_cgc)
    check_reclaimed(reclaimed_before);
  return 0;
}
