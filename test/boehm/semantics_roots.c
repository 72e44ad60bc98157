/* SPDX-License-Identifier: MIT */
/* What memory is roots, and what is not. */
#include "semantics_common.h"

#include <gc/gc_mark.h>

#include <dirent.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void **kept;   /* a block of pointers, kept by this variable */

static void
start(void) {
  GC_INIT();
  kept = GC_malloc(64 * sizeof *kept);
}

/* Where hold puts a pointer to a new block, which is watched by the number 0 of them or more. */
static void **place;
static unsigned number;

static void
hold_at_place(void) {
  *place = GC_malloc(40);
  watch(number++, *place);
}

static void
hold(void **at) {
  place = at;
  deep(hold_at_place);
  place = NULL;
}

static void
expect_held(void **at) {
  unsigned held = number;
  hold(at);
  collect();
  EXPECT(!is_gone(held));
  *at = NULL;
  collect();
  EXPECT(is_gone(held));
}

static void
expect_not_held(void **at) {
  unsigned held = number;
  hold(at);
  collect();
  EXPECT(is_gone(held));
}

/* ---- static data ---- */

static void *zero_word, *full_word = &full_word;
void *global_word;

static void
static_data(void) {
  static void *inner_word;
  start();
  expect_held(&zero_word);
  expect_held(&full_word);
  expect_held(&global_word);
  expect_held(&inner_word);
}

/* A word of it that was not touched before. */
static void *large_array[1 << 18];

static void
large_static_data(void) {
  start();
  for (size_t i = 0; i < sizeof large_array / sizeof *large_array; i += 12345)
    expect_held(&large_array[i]);
}

/* ---- no roots ---- */

static void
malloc_is_none(void) {
  start();
  void **outside = calloc(10, sizeof *outside);
  expect_not_held(&outside[5]);
  free(outside);
}

static void *
map(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(memory != MAP_FAILED);
  return memory;
}

static void
mapped_memory_is_none(void) {
  start();
  void **mapped = map(4096);
  expect_not_held(&mapped[100]);
}

/* Words of a frame that has been left: not before a call has taken its place, so without a collection in between. */
static void
dead_stack_is_none(void) {
  void *local = NULL;
  start();
  hold(&local);
  EXPECT(!is_gone(0));
  local = NULL;
  GC_reachable_here(local);
  collect();
  EXPECT(is_gone(0));
}

/* ---- ranges ---- */

static void
ranges_added_and_removed(void) {
  start();
  void **outside = calloc(100, sizeof *outside);
  GC_add_roots(&outside[10], &outside[20]);
  expect_held(&outside[10]);
  expect_held(&outside[19]);
  expect_not_held(&outside[9]);
  expect_not_held(&outside[20]);
  GC_remove_roots(&outside[10], &outside[20]);
  expect_not_held(&outside[15]);
}

static void
ranges_added_twice(void) {
  start();
  void **outside = calloc(100, sizeof *outside);
  for (int i = 0; i < 3; i++)
    GC_add_roots(&outside[10], &outside[20]);
  GC_add_roots(&outside[10], &outside[30]);
  expect_held(&outside[12]);
  expect_held(&outside[29]);
  GC_remove_roots(&outside[10], &outside[30]);
  expect_not_held(&outside[12]);
  expect_not_held(&outside[29]);
}

static void
empty_ranges(void) {
  start();
  void **outside = calloc(10, sizeof *outside);
  GC_add_roots(outside, outside);
  GC_remove_roots(outside, outside);
  GC_exclude_static_roots(outside, outside);
  expect_not_held(outside);
}

/* As ecl's, of a word each. */
static void
many_small_ranges(void) {
  enum { RANGES = 1000 };
  start();
  void **outside = calloc(2 * RANGES, sizeof *outside);
  for (unsigned i = 0; i < RANGES; i++) {
    GC_add_roots(&outside[2 * i], &outside[2 * i + 1]);
    hold(&outside[2 * i]);
  }
  collect();
  EXPECT_EQUAL(count_gone(), 0);
  for (unsigned i = 0; i < RANGES; i++)
    outside[2 * i + 1] = outside[2 * i], outside[2 * i] = NULL;
  collect();
  EXPECT_GONE(RANGES);
}

/* As guile's, of what it maps. */
static void
mapped_ranges(void) {
  start();
  char *mapped = map(64 * 4096);
  GC_add_roots(mapped, mapped + 64 * 4096);
  for (unsigned page = 0; page < 64; page += 21)
    expect_held((void **)(mapped + page * 4096 + 8));
}

static void
cleared(void) {
  start();
  void **outside = calloc(10, sizeof *outside);
  GC_add_roots(outside, outside + 10);
  GC_clear_roots();
  GC_add_roots(&zero_word, &zero_word + 1);
  expect_not_held(&outside[3]);
  expect_held(&zero_word);
  GC_add_roots(outside, outside + 10);
  expect_held(&outside[3]);
}

/* ---- exclusions ---- */

static struct {
  void *before[512];
  void *excluded[1024];
  void *behind[512];
} paged __attribute__((aligned(4096)));

static void
excluded_pages(void) {
  start();
  GC_exclude_static_roots(paged.excluded, paged.behind);
  expect_held(&paged.before[511]);
  expect_not_held(&paged.excluded[0]);
  expect_not_held(&paged.excluded[1023]);
  expect_held(&paged.behind[0]);
}

static void
excluded_words(void) {
  start();
  GC_exclude_static_roots(&paged.excluded[10], &paged.excluded[14]);
  expect_held(&paged.excluded[9]);
  expect_not_held(&paged.excluded[10]);
  expect_not_held(&paged.excluded[13]);
  expect_held(&paged.excluded[14]);
}

static void
exclusions_cleared(void) {
  start();
  GC_exclude_static_roots(paged.excluded, paged.behind);
  expect_not_held(&paged.excluded[100]);
  GC_clear_exclusion_table();
  expect_held(&paged.excluded[100]);
}

/* ---- libraries ---- */

struct library {
  void *handle;
  void **word;
  void **(*thread_word)(void);
};

static struct library
load(const char *variable) {
  const char *path = getenv(variable);
  EXPECT(path);
  struct library library = {.handle = dlopen(path, RTLD_NOW)};
  EXPECT(library.handle);
  library.word = dlsym(library.handle, "library_word");
  *(void **)&library.thread_word = dlsym(library.handle, "library_thread_word");
  EXPECT(library.word && library.thread_word);
  return library;
}

static void
library_loaded_before(void) {
  struct library library = load("SEMANTICS_LIBRARY");
  start();
  expect_held(library.word);
}

static void
library_loaded_later(void) {
  start();
  collect();
  struct library library = load("SEMANTICS_LIBRARY");
  expect_held(library.word);
  struct library second = load("SEMANTICS_SECOND_LIBRARY");
  expect_held(second.word);
  expect_held(library.word);
}

static void
library_loaded_by_the_function(void) {
  start();
  void *handle = GC_dlopen(getenv("SEMANTICS_LIBRARY"), RTLD_NOW);
  EXPECT(handle);
  expect_held(dlsym(handle, "library_word"));
}

static void
library_closed(void) {
  start();
  for (unsigned i = 0; i < 4; i++) {
    struct library library = load(i % 2 ? "SEMANTICS_SECOND_LIBRARY" : "SEMANTICS_LIBRARY");
    hold(library.word);
    collect();
    EXPECT(!is_gone(i));
    EXPECT_EQUAL(dlclose(library.handle), 0);
    collect();
    EXPECT(is_gone(i));
  }
}

static void
library_not_wanted(void) {
  GC_set_no_dls(1);
  EXPECT_EQUAL(GC_get_no_dls(), 1);
  struct library before = load("SEMANTICS_LIBRARY");
  start();
  struct library later = load("SEMANTICS_SECOND_LIBRARY");
  expect_not_held(before.word);
  expect_not_held(later.word);
}

/* As ecl and neko do. */
static void
nothing_but_what_is_named(void) {
  GC_set_no_dls(1);
  GC_INIT();
  GC_clear_roots();
  void **outside = calloc(10, sizeof *outside);
  GC_add_roots(outside, outside + 10);
  expect_held(&outside[3]);
  expect_not_held(&zero_word);
}

static unsigned asked;

static int
has_roots(const char *name, void *start_of_segment, size_t bytes) {
  EXPECT(start_of_segment && bytes);
  asked++;
  return !name || !strstr(name, "second_library");
}

static void
libraries_chosen(void) {
  start();
  GC_register_has_static_roots_callback(has_roots);
  struct library library = load("SEMANTICS_LIBRARY"), second = load("SEMANTICS_SECOND_LIBRARY");
  expect_held(library.word);
  expect_not_held(second.word);
  EXPECT(asked > 0);
}

/* ---- variables of threads ---- */

static __thread void *thread_word, *thread_words[3000];

static void
thread_variables(void) {
  start();
  expect_held(&thread_word);
  expect_held(&thread_words[0]);
  expect_held(&thread_words[2999]);
}

static void
thread_variables_of_a_library(void) {
  start();
  struct library library = load("SEMANTICS_LIBRARY");
  expect_held(library.thread_word());
}

static struct library library_of_thread;
static int thread_is_ready, thread_must_end;

static void *
hold_in_thread(void *arg) {
  hold(&thread_word);
  hold(library_of_thread.thread_word());
  pthread_setspecific(*(pthread_key_t *)arg, GC_strdup("specific"));
  __atomic_store_n(&thread_is_ready, 1, __ATOMIC_RELEASE);
  while (!__atomic_load_n(&thread_must_end, __ATOMIC_ACQUIRE))
    ;
  EXPECT(!strcmp(pthread_getspecific(*(pthread_key_t *)arg), "specific"));
  return NULL;
}

/* Who has joined a thread may still find it in the kernel, and the collector then looks at what it has. */
static void
await_single_thread(void) {
  for (unsigned tasks = 2; tasks > 1;) {
    DIR *directory = opendir("/proc/self/task");
    EXPECT(directory);
    tasks = 0;
    for (const struct dirent *entry; (entry = readdir(directory));)
      tasks += entry->d_name[0] != '.';
    closedir(directory);
  }
}

static void
run_thread_with_variables(pthread_key_t *key) {
  pthread_t thread;
  thread_is_ready = thread_must_end = 0;
  EXPECT_EQUAL(GC_pthread_create(&thread, NULL, hold_in_thread, key), 0);
  while (!__atomic_load_n(&thread_is_ready, __ATOMIC_ACQUIRE))
    ;
  collect();
  EXPECT(!is_gone(number - 2) && !is_gone(number - 1));
  for (int i = 0; i < 1000; i++)
    memset(GC_malloc_atomic(9), 'x', 9);
  __atomic_store_n(&thread_must_end, 1, __ATOMIC_RELEASE);
  EXPECT_EQUAL(GC_pthread_join(thread, NULL), 0);
  await_single_thread();
  collect();
}

/* Memory that libc has freed is not cleared, and may lie behind variables of another thread's, of which the collector
 * does not know how many there are: a few blocks may stay. */
static void
thread_variables_of_threads(void) {
  enum { THREADS = 8, BLOCKS = 2 * THREADS };
  pthread_key_t key;
  start();
  library_of_thread = load("SEMANTICS_LIBRARY");
  EXPECT_EQUAL(pthread_key_create(&key, NULL), 0);
  for (int i = 0; i < THREADS; i++)
    run_thread_with_variables(&key);
  EXPECT(count_gone() >= BLOCKS * 3 / 4);
}

/* ---- stacks and registers ---- */

__attribute__((noinline)) static void
hold_on_stack(void) {
  void *volatile local = GC_malloc(40);
  watch(0, local);
  collect();
  EXPECT(!is_gone(0));
}

static void
stack(void) {
  start();
  deep(hold_on_stack);
  collect();
  EXPECT(is_gone(0));
}

/* A register that calls preserve, and nothing else, holds the block. */
__attribute__((noinline)) static void
hold_in_register(void) {
  void *block = GC_malloc(40);
  watch(0, block);
  __asm__ volatile("mov %0, %%r15\n\txor %0, %0" : "+r"(block) : : "r15");
  __asm__ volatile("call *%0"
                   :
                   : "b"(GC_gcollect)
                   : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
  EXPECT(!is_gone(0));
}

static void
registers(void) {
  start();
  deep(hold_in_register);
}

/* Another thread computes with the block in registers only. */
static void *
spin_with_registers(void *arg) {
  uintptr_t *block = GC_malloc(40);
  (void)arg;
  *block = 12345;
  watch(0, block);
  uintptr_t hidden = ~(uintptr_t)block;
  __asm__ volatile("" : : "r"(block) : "memory");
  block = NULL;
  __asm__ volatile("mov %[hidden], %%r14\n\t"
                   "not %%r14\n\t"
                   "movl $1, %[ready]\n"
                   "1:\tpause\n\t"
                   "cmpl $0, %[end]\n\t"
                   "je 1b\n\t"
                   "movq (%%r14), %[hidden]\n\t"
                   "xor %%r14, %%r14"
                   : [hidden] "+r"(hidden), [ready] "=m"(thread_is_ready)
                   : [end] "m"(thread_must_end)
                   : "r14", "memory", "cc");
  EXPECT_EQUAL(hidden, 12345);
  return block;
}

static void
registers_of_threads(void) {
  pthread_t thread;
  start();
  EXPECT_EQUAL(GC_pthread_create(&thread, NULL, spin_with_registers, NULL), 0);
  while (!__atomic_load_n(&thread_is_ready, __ATOMIC_ACQUIRE))
    ;
  collect();
  EXPECT(!is_gone(0));
  for (int i = 0; i < 1000; i++)
    memset(GC_malloc(40), 0xff, 40);
  __atomic_store_n(&thread_must_end, 1, __ATOMIC_RELEASE);
  EXPECT_EQUAL(GC_pthread_join(thread, NULL), 0);
}

/* ---- pushed by the program ---- */

extern GC_push_other_roots_proc GC_push_other_roots;

static void **pushed;
static GC_push_other_roots_proc pushed_before;
static unsigned push_count;

static void
push_range(void) {
  push_count++;
  GC_push_all(&pushed[10], &pushed[20]);
  GC_push_all(&pushed[30], &pushed[30]);
  if (pushed_before)
    pushed_before();
}

static void
push_eagerly(void) {
  push_count++;
  GC_push_all_eager(&pushed[10], &pushed[20]);
  if (pushed_before)
    pushed_before();
}

static void
push_if_changed(void) {
  push_count++;
  GC_push_conditional(&pushed[10], &pushed[20], 1);
  if (pushed_before)
    pushed_before();
}

static void
check_pushed(void) {
  expect_held(&pushed[10]);
  expect_held(&pushed[19]);
  expect_not_held(&pushed[9]);
  expect_not_held(&pushed[20]);
  EXPECT(push_count > 0);
}

static void
pushed_by_setter(void) {
  start();
  pushed = calloc(100, sizeof *pushed);
  pushed_before = GC_get_push_other_roots();
  GC_set_push_other_roots(push_range);
  check_pushed();
  GC_set_push_other_roots(push_eagerly);
  check_pushed();
  GC_set_push_other_roots(push_if_changed);
  check_pushed();
  GC_set_push_other_roots(pushed_before);
  expect_not_held(&pushed[10]);
}

static void
pushed_by_variable(void) {
  start();
  pushed = calloc(100, sizeof *pushed);
  pushed_before = GC_push_other_roots;
  GC_push_other_roots = push_range;
  check_pushed();
}

/* As ecl keeps its stacks: blocks without pointers, marked by hand and scanned up to their tops. */
static void **stack_block;

static void
push_stack_block(void) {
  GC_push_conditional(stack_block, stack_block + 10, 1);
  GC_set_mark_bit(stack_block);
  if (pushed_before)
    pushed_before();
}

static void
make_stack_block(void) {
  stack_block = GC_malloc_atomic_ignore_off_page(300000);
  memset(stack_block, 0, 300000);
  watch(number++, stack_block);
  for (unsigned i = 0; i < 20; i++) {
    stack_block[i] = GC_malloc(30);
    watch(number++, stack_block[i]);
  }
}

static void
marked_by_hand(void) {
  start();
  pushed_before = GC_get_push_other_roots();
  stack_block = NULL;
  GC_exclude_static_roots(&stack_block, &stack_block + 1);
  deep(make_stack_block);
  GC_set_push_other_roots(push_stack_block);
  for (unsigned i = 0; i < 5; i++) {
    collect();
    for (unsigned j = 0; j <= 10; j++)
      EXPECT(!is_gone(j));
    EXPECT_GONE(10);
  }
}

/* In all interior_pointers' absence, eagerly pushed words are as those of stacks. */
static void
hold_interior(void) {
  pushed[12] = (char *)GC_malloc(400) + 333;
  watch(number++, (char *)pushed[12] - 333);
}

static void
pushed_interior(void) {
  GC_set_all_interior_pointers(0);
  start();
  pushed = calloc(100, sizeof *pushed);
  pushed_before = GC_get_push_other_roots();
  GC_set_push_other_roots(push_eagerly);
  deep(hold_interior);
  collect();
  EXPECT(!is_gone(0));
  GC_set_push_other_roots(push_range);
  collect();
  EXPECT(is_gone(0));
}

static const struct test_case cases[] = {
  CASE(static_data, ANYONES),
  CASE(large_static_data, ANYONES),
  CASE(malloc_is_none, ANYONES),
  CASE(mapped_memory_is_none, ANYONES),
  CASE(dead_stack_is_none, ANYONES),
  CASE(ranges_added_and_removed, ANYONES),
  CASE(ranges_added_twice, ANYONES),
  CASE(empty_ranges, ANYONES),
  CASE(many_small_ranges, ANYONES),
  CASE(mapped_ranges, ANYONES),
  CASE(cleared, ANYONES),
  CASE(excluded_pages, ANYONES),
  CASE(excluded_words, ANYONES),
  CASE(exclusions_cleared, OURS),
  CASE(library_loaded_before, ANYONES),
  CASE(library_loaded_later, ANYONES),
  CASE(library_loaded_by_the_function, ANYONES),
  CASE(library_closed, ANYONES),
  CASE(library_not_wanted, ANYONES),
  CASE(nothing_but_what_is_named, ANYONES),
  CASE(libraries_chosen, ANYONES),
  CASE(thread_variables, OURS),
  CASE(thread_variables_of_a_library, OURS),
  CASE(thread_variables_of_threads, OURS),
  CASE(stack, ANYONES),
  CASE(registers, ANYONES),
  CASE(registers_of_threads, ANYONES),
  CASE(pushed_by_setter, ANYONES),
  CASE(pushed_by_variable, ANYONES),
  CASE(marked_by_hand, ANYONES),
  CASE(pushed_interior, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
