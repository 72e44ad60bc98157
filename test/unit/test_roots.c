/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/fault.h"
#include "gc/runtime.h"
#include "world/named_roots.h"
#include "world/roots.h"
#include "world/stop.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096 };

static struct root_list roots;

/* With this function's caller's frame as the top of the stack. */
static void
list(void) {
  ck_assert_int_eq(roots_list_stw((uintptr_t)__builtin_frame_address(0), &roots), 0);
  size_t bytes = 0;
  for (size_t i = 0; i < roots.count; i++)
    bytes += roots.roots[i].end_addr - roots.roots[i].start_addr;
  ck_assert_uint_eq(bytes, roots.bytes);
}

/* How many roots hold the address. */
static unsigned
count_at(uintptr_t addr) {
  unsigned count = 0;
  for (size_t i = 0; i < roots.count; i++)
    count += roots.roots[i].start_addr <= addr && addr < roots.roots[i].end_addr;
  return count;
}

static const struct root *
root_at(const volatile void *pointer) {
  uintptr_t addr = (uintptr_t)pointer;
  for (size_t i = 0; i < roots.count; i++)
    if (roots.roots[i].start_addr <= addr && addr < roots.roots[i].end_addr)
      return &roots.roots[i];
  return NULL;
}

/* Memory that is no root by itself. */
static char *
map_file(size_t pages) {
  int fd = memfd_create("unit", MFD_CLOEXEC);
  ck_assert_int_eq(ftruncate(fd, (off_t)(pages * PAGE)), 0);
  char *addr = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ck_assert_ptr_ne(addr, MAP_FAILED);
  close(fd);
  return addr;
}

static volatile uintptr_t static_word = 1;

/* ---- what is listed ---- */

START_TEST(roots_static_data_is_data) {
  unit_start_runtime();
  static_word = 2;
  list();
  ck_assert_ptr_nonnull(root_at(&static_word));
  ck_assert_int_eq(root_at(&static_word)->kind, ROOT_DATA);
}
END_TEST

START_TEST(roots_stack_from_the_stack_pointer_up_is_stack) {
  unit_start_runtime();
  volatile uintptr_t local = 1;
  list();
  ck_assert_ptr_nonnull(root_at(&local));
  ck_assert_int_eq(root_at(&local)->kind, ROOT_STACK);
}
END_TEST

START_TEST(roots_shared_with_children_are_data_unless_roots_are_named) {
  unit_start_runtime();
  uintptr_t *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(shared, MAP_FAILED);
  list();
  ck_assert_ptr_nonnull(root_at(shared));
  ck_assert_int_eq(root_at(shared)->kind, ROOT_DATA);
  roots_policy.are_named = true;
  list();
  ck_assert_ptr_null(root_at(shared));
}
END_TEST

static uintptr_t dead_stack_addr;

__attribute__((noinline)) static void
touch_deep_stack(void) {
  volatile char buffer[256 * 1024];
  for (size_t i = 0; i < sizeof buffer; i += PAGE)
    buffer[i] = 1;
  dead_stack_addr = (uintptr_t)&buffer[PAGE];
}

START_TEST(roots_dead_part_of_the_stack_is_left_out) {
  unit_start_runtime();
  touch_deep_stack();
  list();
  ck_assert_uint_eq(count_at(dead_stack_addr), 0);
  ck_assert_uint_eq(count_at((uintptr_t)__builtin_frame_address(0)), 1);
}
END_TEST

START_TEST(roots_are_words_disjoint_and_outside_of_the_heap) {
  unit_start_runtime();
  list();
  for (size_t i = 0; i < roots.count; i++) {
    const struct root *root = &roots.roots[i];
    ck_assert_uint_eq(root->start_addr % sizeof(void *), 0);
    ck_assert_uint_eq(root->end_addr % sizeof(void *), 0);
    ck_assert_uint_lt(root->start_addr, root->end_addr);
    ck_assert(root->end_addr <= hull.heap_addr || root->start_addr >= hull.end_addr);
    /* Pieces of one range share the word at their border. */
    bool follows = i && roots.roots[i - 1].end_addr == root->start_addr + sizeof(void *);
    ck_assert_uint_eq(count_at(root->start_addr), follows ? 2 : 1);
  }
}
END_TEST

/* ---- another thread ---- */

static atom_int must_end;
static atom_word local_addr;

__attribute__((noinline)) static void
spin(void) {
  volatile uintptr_t local = 1;
  touch_deep_stack();
  atom_store_rel(&local_addr, (uintptr_t)&local);
  while (!atom_int_load_acq(&must_end))
    ;
}

/* As the interposed pthread_create starts a thread. */
static void *
spin_on_known_stack(void *arg) {
  runtime_leave(runtime_enter());
  thread_note_stack();
  spin();
  return arg;
}

static const struct cgc_thread *
other_thread(void) {
  const struct cgc_thread *thread = thread_first();
  while (thread && (thread == thread_self() || !atom_int_load_rlx(&thread->tid)))
    thread = thread->next;
  return thread;
}

START_TEST(roots_of_a_stopped_thread_are_its_stack_and_registers) {
  struct stop_result result;
  pthread_t thread;
  unit_start_runtime();
  ck_assert_int_eq(pthread_create(&thread, NULL, spin_on_known_stack, NULL), 0);
  while (!atom_load_acq(&local_addr))
    sched_yield();
  int err = stop_world_begin(&result);
  const struct cgc_thread *other = other_thread();
  const ucontext_t *context = other->context;
  int list_err = roots_list_stw((uintptr_t)__builtin_frame_address(0), &roots);
  const struct root *stack = root_at((void *)atom_load_rlx(&local_addr)), *dead = root_at((void *)dead_stack_addr);
  const struct root *registers = root_at(&context->uc_mcontext.gregs[REG_RBX]);
  const struct root *vectors = root_at(context->uc_mcontext.fpregs), *pointer = root_at(&other->stack_pointer);
  stop_world_end();
  atom_int_store_rel(&must_end, 1);
  pthread_join(thread, NULL);
  ck_assert_int_eq(err | list_err, 0);
  ck_assert(stack && stack->kind == ROOT_STACK);
  ck_assert(registers && registers->kind == ROOT_STACK);
  ck_assert(vectors && pointer);
  ck_assert_ptr_null(dead);
}
END_TEST

/* ---- registered ---- */

static void
assert_registered(const char *start, size_t pages, const char *expected) {
  list();
  for (size_t i = 0; i < pages; i++)
    ck_assert_msg((count_at((uintptr_t)start + i * PAGE) > 0) == (expected[i] == '+'), "page %zu of %s", i, expected);
}

static int
add(const char *start, size_t from, size_t to) {
  return roots_add((uintptr_t)start + from * PAGE, (uintptr_t)start + to * PAGE);
}

static int
take_back(const char *start, size_t from, size_t to) {
  return roots_remove((uintptr_t)start + from * PAGE, (uintptr_t)start + to * PAGE);
}

START_TEST(roots_registered_are_listed_until_removed) {
  unit_start_runtime();
  char *file = map_file(4);
  assert_registered(file, 4, "----");
  ck_assert_int_eq(add(file, 1, 3), 0);
  assert_registered(file, 4, "-++-");
  ck_assert_int_eq(take_back(file, 1, 3), 0);
  assert_registered(file, 4, "----");
}
END_TEST

START_TEST(roots_removed_in_part_are_cut) {
  unit_start_runtime();
  char *file = map_file(8);
  ck_assert_int_eq(add(file, 0, 8), 0);
  ck_assert_int_eq(take_back(file, 3, 5), 0);
  assert_registered(file, 8, "+++--+++");
  ck_assert_int_eq(take_back(file, 0, 1), 0);
  assert_registered(file, 8, "-++--+++");
  ck_assert_int_eq(take_back(file, 7, 8), 0);
  assert_registered(file, 8, "-++--++-");
  ck_assert_int_eq(take_back(file, 2, 6), 0);
  assert_registered(file, 8, "-+----+-");
  ck_assert_int_eq(take_back(file, 0, 8), 0);
  assert_registered(file, 8, "--------");
}
END_TEST

START_TEST(roots_registered_at_random_equal_a_plain_array) {
  enum { PAGES = 64 };
  struct unit_random random = unit_random_start();
  char expected[PAGES + 1] = "";
  unit_start_runtime();
  char *file = map_file(PAGES);
  memset(expected, '-', PAGES);
  for (int i = 0; i < 300; i++) {
    size_t from = unit_random_below(&random, PAGES), to = from + 1 + unit_random_below(&random, PAGES - from);
    bool adds = unit_random_below(&random, 2);
    ck_assert_int_eq(adds ? add(file, from, to) : take_back(file, from, to), 0);
    memset(expected + from, adds ? '+' : '-', to - from);
    assert_registered(file, PAGES, expected);
  }
}
END_TEST

START_TEST(roots_registered_unaligned_cover_the_whole_words_inside) {
  unit_start_runtime();
  uintptr_t file = (uintptr_t)map_file(1);
  ck_assert_int_eq(roots_add(file + 1, file + 23), 0);
  list();
  ck_assert_uint_eq(count_at(file), 0);
  ck_assert_uint_eq(count_at(file + 8), 1);
  ck_assert_uint_eq(count_at(file + 15), 1);
  ck_assert_uint_eq(count_at(file + 16), 0);
}
END_TEST

START_TEST(roots_registered_empty_or_backwards_are_refused) {
  unit_start_runtime();
  ck_assert_int_eq(roots_add(4096, 4096), EINVAL);
  ck_assert_int_eq(roots_add(8192, 4096), EINVAL);
  ck_assert_int_eq(roots_remove(8192, 4096), EINVAL);
}
END_TEST

/* ---- reading ---- */

START_TEST(roots_read_copies_memory_of_any_protection) {
  static const int protections[] = {PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE};
  for (size_t i = 0; i < CGC_COUNT(protections); i++) {
    char *mapped = map_file(1), copy[100];
    memset(mapped, 0x5a, PAGE);
    ck_assert_int_eq(mprotect(mapped, PAGE, protections[i]), 0);
    ck_assert_int_eq(roots_read(copy, (uintptr_t)mapped + 10, sizeof copy), sizeof copy);
    ck_assert_int_eq(copy[0], 0x5a);
    ck_assert_int_eq(copy[99], 0x5a);
  }
}
END_TEST

START_TEST(roots_read_stops_where_memory_ends) {
  static char copy[3 * PAGE];
  char *mapped = map_file(3);
  munmap(mapped + PAGE, PAGE);
  ck_assert_int_eq(roots_read(copy, (uintptr_t)mapped + 96, sizeof copy - 96), PAGE - 96);
  ck_assert_int_eq(roots_read(copy, (uintptr_t)mapped + PAGE, PAGE), 0);
}
END_TEST

START_TEST(roots_read_refused_by_the_system_is_an_error) {
  char copy[8];
  ck_assert(fault_configure("read-memory:1+") && fault_configure("open:1+"));
  ck_assert_int_lt(roots_read(copy, (uintptr_t)&static_word, sizeof copy), 0);
}
END_TEST

START_TEST(roots_read_falls_back_to_the_file_of_memory) {
  uintptr_t copy = 0;
  static_word = 0x1234567;
  ck_assert(fault_configure("read-memory:1+"));
  ck_assert_int_eq(roots_read(&copy, (uintptr_t)&static_word, sizeof copy), sizeof copy);
  ck_assert_uint_eq(copy, static_word);
}
END_TEST

Suite *
roots_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("roots", &tests);
  tcase_add_test(tests, roots_static_data_is_data);
  tcase_add_test(tests, roots_stack_from_the_stack_pointer_up_is_stack);
  tcase_add_test(tests, roots_shared_with_children_are_data_unless_roots_are_named);
  tcase_add_test(tests, roots_dead_part_of_the_stack_is_left_out);
  tcase_add_test(tests, roots_are_words_disjoint_and_outside_of_the_heap);
  tcase_add_test(tests, roots_of_a_stopped_thread_are_its_stack_and_registers);
  tcase_add_test(tests, roots_registered_are_listed_until_removed);
  tcase_add_test(tests, roots_removed_in_part_are_cut);
  tcase_add_test(tests, roots_registered_at_random_equal_a_plain_array);
  tcase_add_test(tests, roots_registered_unaligned_cover_the_whole_words_inside);
  tcase_add_test(tests, roots_registered_empty_or_backwards_are_refused);
  tcase_add_test(tests, roots_read_copies_memory_of_any_protection);
  tcase_add_test(tests, roots_read_stops_where_memory_ends);
  if (CGC_CONFIG_FAULTS) {
    tcase_add_test(tests, roots_read_refused_by_the_system_is_an_error);
    tcase_add_test(tests, roots_read_falls_back_to_the_file_of_memory);
  }
  return suite;
}
