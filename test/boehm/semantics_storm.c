/* SPDX-License-Identifier: MIT */
/*
 * semantics_storm SEED SECONDS [beside]
 *
 * With the last word no code of the program takes part in collections, so that they can run beside it.
 *
 * Threads that do all at once, at random: graphs of blocks of all kinds, written and checked; finalizers, links of both
 * lengths, weak tables; frees, blocking calls, collections, threads that come and go, forks.
 *
 * Each block knows what it is: its number, how long it is, and a sum of both; what it refers to is checked by that.
 */
#include "semantics_common.h"

#include <gc/gc_disclaim.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROOTS = 64, EDGES = 4, TABLE = 128, BLOCK_BYTES_MAX = 3000, ALIVE_MAX = 4000 };

#define MAGIC UINT64_C(0x5ca1ab1e0ddba11)

/* The pointers are first, so that layouts, bitmaps and procedures can name them. */
struct block {
  struct block *edges[EDGES];
  uint64_t number, bytes, sum;
  uint64_t disguised;   /* the first edge, in a word that holds no pointer: what it leads to may go */
};

static atomic_ulong next_number, finalized, reclaimed, links_cleared, forks, threads_run;
static atomic_int must_end;
/* There freed blocks must have no finalizer, nor must aligned ones, which may not start where a block does. */
static bool is_bdwgc;
/* There threads are gone that were about to do something. */
static bool is_forked;

static GC_descr layout;
static unsigned kind_by_size, kind_by_bitmap, kind_by_procedure, kind_disclaimed;

/* ---- blocks ---- */

static uint64_t
sum_of(uint64_t number, uint64_t bytes) {
  return (number * 31 + bytes) ^ MAGIC;
}

static void
check(const struct block *block) {
  EXPECT(block->sum == sum_of(block->number, block->bytes));
}

static void
check_with_edges(const struct block *block) {
  check(block);
  for (unsigned i = 0; i < EDGES; i++)
    if (block->edges[i])
      check(block->edges[i]);
}

static struct GC_ms_entry *
mark_edges(GC_word *words, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)environment;
  for (unsigned i = 0; i < EDGES; i++)
    if (words[i])
      top = GC_MARK_AND_PUSH((void *)words[i], top, limit, (void **)&words[i]);
  return top;
}

static void
make_kinds(bool is_beside) {
  GC_word bits = (1 << EDGES) - 1, bitmap = bits << (64 - EDGES) | GC_DS_BITMAP;
  GC_word procedure = is_beside ? bitmap : GC_MAKE_PROC(GC_new_proc(mark_edges), 0);
  layout = GC_make_descriptor(&bits, EDGES);
  kind_by_size = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  kind_by_bitmap = GC_new_kind(GC_new_free_list(), bitmap, 0, 1);
  kind_by_procedure = GC_new_kind(GC_new_free_list(), procedure, 0, 1);
  kind_disclaimed = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
}

static struct block *
allocate(size_t bytes) {
  switch (random_below(9)) {
    case 0: return GC_malloc_explicitly_typed(bytes, layout);
    case 1: return GC_generic_malloc(bytes, (int)kind_by_size);
    case 2: return GC_generic_malloc(bytes, (int)kind_by_bitmap);
    case 3: return GC_generic_malloc(bytes, (int)kind_by_procedure);
    case 4: return GC_generic_malloc(bytes, (int)kind_disclaimed);
    case 5: return GC_memalign(is_bdwgc ? 16 : (size_t)16 << random_below(5), bytes);
    case 6: return GC_malloc_ignore_off_page(bytes);
    default: return GC_malloc(bytes);
  }
}

static struct block *
make(void) {
  size_t more_bytes = random_below(100) ? random_below(random_below(8) ? 200 : BLOCK_BYTES_MAX) : random_below(300000);
  size_t bytes = sizeof(struct block) + more_bytes;
  struct block *block = allocate(bytes);
  EXPECT(block && is_filled(block, 0, sizeof *block));
  block->number = atomic_fetch_add(&next_number, 1);
  block->bytes = bytes;
  /* Last, as another thread may fork: in the child a block with a sum is whole. */
  atomic_signal_fence(memory_order_seq_cst);
  block->sum = sum_of(block->number, bytes);
  return block;
}

/* ---- finalizers, links, functions called at the end ---- */

static void
finalize(void *block, void *data) {
  check_with_edges(block);
  EXPECT(!data || ((struct block *)data)->sum == sum_of(((struct block *)data)->number, ((struct block *)data)->bytes));
  atomic_fetch_add(&finalized, 1);
  if (random_below(4) == 0)
    GC_register_finalizer_no_order(block, finalize, NULL, NULL, NULL);
  if (random_below(4) == 0)
    make();
}

static int
disclaim(void *base) {
  const struct block *block = base;
  if (!block->sum)
    return 0;
  check(block);
  atomic_fetch_add(&reclaimed, 1);
  return 0;
}

/* Weak: hidden pointers, each cleared by a link, and read under the lock. */
static GC_hidden_pointer table[TABLE];

static void *
read_slot(void *slot) {
  GC_hidden_pointer pointer = *(GC_hidden_pointer *)slot;
  return pointer ? GC_REVEAL_POINTER(pointer) : NULL;
}

struct entry {
  GC_hidden_pointer *slot;
  struct block *block;
};

static void *
write_slot(void *data) {
  const struct entry *entry = data;
  *entry->slot = entry->block ? GC_HIDE_POINTER(entry->block) : 0;
  return NULL;
}

/* Each thread writes slots of its own, and reads all.  A slot without a link must be empty, or full of what is kept. */
static void
use_table(unsigned thread, struct block *block) {
  struct entry entry = {&table[random_below(TABLE / THREADS) * THREADS + thread], NULL};
  void **link = (void **)entry.slot;
  if (!*entry.slot)
    atomic_fetch_add(&links_cleared, 1);
  GC_call_with_alloc_lock(write_slot, &entry);
  GC_unregister_disappearing_link(link);
  GC_unregister_long_link(link);
  entry.block = block;
  GC_call_with_alloc_lock(write_slot, &entry);
  if (random_below(2))
    EXPECT_EQUAL(GC_general_register_disappearing_link(link, block), GC_SUCCESS);
  else
    EXPECT_EQUAL(GC_register_long_link(link, block), GC_SUCCESS);
  const struct block *found = GC_call_with_alloc_lock(read_slot, &table[random_below(TABLE)]);
  if (found)
    check(found);
}

/* After a fork a slot may be full whose thread had no time to register its link. */
static void
clear_slots_of_others(unsigned thread) {
  for (unsigned i = 0; i < TABLE; i++)
    if (i % THREADS != thread) {
      table[i] = 0;
      GC_unregister_disappearing_link((void **)&table[i]);
      GC_unregister_long_link((void **)&table[i]);
    }
}

/* ---- what threads do ---- */

struct worker {
  unsigned number;
  unsigned steps;
  struct block *roots[ROOTS];
};

static void
connect(struct worker *worker) {
  struct block *from = worker->roots[random_below(ROOTS)], *to = worker->roots[random_below(ROOTS)];
  if (from && to) {
    unsigned edge = random_below(EDGES);
    from->edges[edge] = to;
    if (edge == 0)
      from->disguised = GC_HIDE_POINTER(to);
    GC_end_stubborn_change(from);
  }
}

static void
walk(const struct worker *worker) {
  const struct block *block = worker->roots[random_below(ROOTS)];
  for (unsigned i = 0; block && i < 50; i++) {
    check_with_edges(block);
    EXPECT(!block->edges[0] || block->disguised == GC_HIDE_POINTER(block->edges[0]));
    block = block->edges[random_below(EDGES)];
  }
}

static void
register_finalizer(struct block *block, struct block *data) {
  switch (random_below(4)) {
    case 0: GC_register_finalizer(block, finalize, data, NULL, NULL); break;
    case 1: GC_register_finalizer_ignore_self(block, finalize, NULL, NULL, NULL); break;
    case 2: GC_register_finalizer_unreachable(block, finalize, NULL, NULL, NULL); break;
    default: GC_register_finalizer_no_order(block, finalize, data, NULL, NULL);
  }
}

/* Of a block that its thread is about to free. */
static void
finalize_forsaken(void *block, void *data) {
  (void)block, (void)data;
  EXPECT(is_forked);
}

/* Blocks that nobody else has seen are freed. */
static void
free_new_one(void) {
  struct block *block = make();
  if (random_below(3) == 0)
    GC_register_finalizer(block, is_bdwgc ? NULL : finalize_forsaken, NULL, NULL, NULL);
  block->sum = 0;
  GC_free(block);
}

static void
resize(void) {
  size_t bytes = 1 + random_below(BLOCK_BYTES_MAX), wanted = 1 + random_below(BLOCK_BYTES_MAX);
  unsigned char *block = random_below(2) ? GC_malloc(bytes) : GC_malloc_atomic(bytes);
  memset(block, 0x3c, bytes);
  block = GC_realloc(block, wanted);
  EXPECT(is_filled(block, 0x3c, bytes < wanted ? bytes : wanted));
}

static void *
sleep_a_little(void *data) {
  usleep(random_below(300));
  return data;
}

static void *
allocate_inside(void *data) {
  check(make());
  return data;
}

static void *
call_back(void *data) {
  return GC_call_with_gc_active(allocate_inside, data);
}

static void *run_worker(void *arg);

static void
run_child_thread(unsigned number) {
  struct worker *child = GC_malloc(sizeof *child);
  *child = (struct worker){.number = number, .steps = 200};
  pthread_t thread;
  if (GC_pthread_create(&thread, NULL, run_worker, child))
    return;
  atomic_fetch_add(&threads_run, 1);
  const struct block *result = NULL;
  EXPECT_EQUAL(GC_pthread_join(thread, (void **)&result), 0);
  if (result)
    check(result);
}

static void steps(struct worker *worker, bool is_child);

static void
run_child_process(struct worker *worker) {
  pid_t pid = fork();
  EXPECT(pid >= 0);
  if (!pid) {
    is_forked = true;
    clear_slots_of_others(worker->number);
    worker->steps = 300;
    steps(worker, true);
    GC_gcollect();
    _exit(0);
  }
  int status;
  EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
  EXPECT_EQUAL(status, 0);
  atomic_fetch_add(&forks, 1);
}

static void
rare_step(struct worker *worker, bool is_child) {
  switch (random_below(is_child ? 4 : 6)) {
    case 0: GC_gcollect(); break;
    case 1: GC_do_blocking(sleep_a_little, NULL); break;
    case 2: GC_do_blocking(call_back, NULL); break;
    case 3: GC_invoke_finalizers(); break;
    case 4: run_child_thread(worker->number); break;
    default:
      if (random_below(10) == 0)
        run_child_process(worker);
  }
}

static void
step(struct worker *worker, bool is_child) {
  struct block **root = &worker->roots[random_below(ROOTS)];
  switch (random_below(16)) {
    case 0: case 1: case 2: case 3: *root = make(); break;
    case 4: *root = NULL; break;
    case 5: case 6: case 7: connect(worker); break;
    case 8: case 9: walk(worker); break;
    case 10:
      if (*root)
        register_finalizer(*root, worker->roots[random_below(ROOTS)]);
      break;
    case 11:
      if (*root)
        use_table(worker->number, *root);
      break;
    case 12: free_new_one(); break;
    case 13: resize(); break;
    case 14: *root = NULL; break;
    default:
      if (random_below(20) == 0)
        rare_step(worker, is_child);
  }
}

/* Now and then all is dropped, or the graphs would grow together. */
static void
steps(struct worker *worker, bool is_child) {
  for (unsigned i = 0; i < worker->steps && !atomic_load(&must_end); i++) {
    step(worker, is_child);
    if (i % ALIVE_MAX == ALIVE_MAX - 1)
      memset(worker->roots, 0, sizeof worker->roots);
  }
}

static void *
run_worker(void *arg) {
  struct worker *worker = arg;
  random_start(atomic_fetch_add(&next_number, 1));
  steps(worker, worker->steps < 1000);
  return worker->roots[0];
}

/* The collector's signal ends a sleep, as any does. */
static void
sleep_for(unsigned seconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += seconds;
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL))
    ;
}

static void
report(unsigned long seed) {
  printf("seed %lu: %lu blocks, %lu finalized, %lu reclaimed, %lu links cleared, %lu threads, %lu forks, "
         "%lu collections\n",
         seed, next_number, finalized, reclaimed, links_cleared, threads_run, forks, GC_get_gc_no());
}

static void
ignore_warning(char *format, GC_word word) {
  (void)format, (void)word;
}

static void
start(unsigned long seed, bool is_beside) {
  GC_set_handle_fork(1);
  GC_set_java_finalization(1);
  GC_INIT();
  GC_set_warn_proc(ignore_warning);   /* of cycles of finalizers */
  atomic_store(&next_number, seed);
  make_kinds(is_beside);
  if (!is_beside)
    GC_register_disclaim_proc((int)kind_disclaimed, disclaim, 1);
}

int
main(int argc, char **argv) {
  unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : (unsigned long)time(NULL);
  unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
  pthread_t threads[THREADS];
  is_bdwgc = getenv("BOEHM_SLACK");
  bool is_beside = argc > 3 && !strcmp(argv[3], "beside");
  printf("semantics_storm %lu %u%s\n", seed, seconds, is_beside ? " beside" : "");
  fflush(stdout);
  start(seed, is_beside);
  for (unsigned i = 0; i < THREADS; i++) {
    struct worker *worker = GC_malloc_uncollectable(sizeof *worker);
    *worker = (struct worker){.number = i, .steps = UINT32_MAX};
    EXPECT_EQUAL(GC_pthread_create(&threads[i], NULL, run_worker, worker), 0);
  }
  sleep_for(seconds);
  atomic_store(&must_end, 1);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(GC_pthread_join(threads[i], NULL), 0);
  report(seed);
  EXPECT(finalized > 0 && (is_beside || reclaimed > 0) && links_cleared > 0 && threads_run > 0 && GC_get_gc_no() > 0);
  return 0;
}
