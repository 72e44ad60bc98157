/* SPDX-License-Identifier: MIT */
/* Each test runs with what the kernel offers, and (in builds that can inject failures) as with kernels before 6.11. */
#include "unit.h"

#include "base/fault.h"
#include "world/pages.h"
#include "world/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
enum way { BY_QUERY, BY_MAPS, WAYS };

static struct array ranges;   /* struct page_range */

static void
start(enum way way) {
  unit_start_heap();
  if (way == BY_MAPS)
    ck_assert(fault_configure("mapping:1+"));
}

static void
list(void) {
  ranges.count = 0;
  ck_assert_int_eq(shared_memory_list_stw(&ranges), 0);
}

static bool
is_listed(const volatile void *pointer) {
  const struct page_range *range = ranges.items;
  for (size_t i = 0; i < ranges.count; i++)
    if (range[i].start_addr <= (uintptr_t)pointer && (uintptr_t)pointer < range[i].end_addr)
      return true;
  return false;
}

static char *
map_bytes(size_t bytes, int flags) {
  char *addr = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(addr, MAP_FAILED);
  return addr;
}

START_TEST(small_shared_memory_is_listed_whole) {
  start((enum way)_i);
  char *page = map_bytes(PAGE, MAP_SHARED), *most = map_bytes(SHARED_MEMORY_BYTES_MAX, MAP_SHARED);
  list();
  ck_assert(is_listed(page) && is_listed(page + PAGE - 1));
  ck_assert(is_listed(most) && is_listed(most + SHARED_MEMORY_BYTES_MAX - 1));
}
END_TEST

static char *
map_file(const char *name) {
  char path[4096];
  char *dir = strcpy(path, "/tmp/cgc-unit-shared.XXXXXX");
  ck_assert_ptr_ne(mkdtemp(dir), NULL);
  size_t dir_length = strlen(dir);
  sprintf(path + dir_length, "/%s", name);
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(ftruncate(fd, PAGE), 0);
  char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ck_assert_ptr_ne(file, MAP_FAILED);
  close(fd);
  unlink(path);
  path[dir_length] = 0;
  rmdir(path);
  return file;
}

START_TEST(other_memory_is_not_listed) {
  start((enum way)_i);
  char *private = map_bytes(PAGE, MAP_PRIVATE), *large = map_bytes(SHARED_MEMORY_BYTES_MAX + PAGE, MAP_SHARED);
  char *file = map_file("file"), *block = unit_take_large(SPAN_PAGE_BYTES, 0);
  *private = *large = *file = *block = 1;
  list();
  ck_assert(!is_listed(private) && !is_listed(large) && !is_listed(file) && !is_listed(block) && !is_listed(&ranges));
}
END_TEST

START_TEST(memory_behind_files_with_long_names_is_listed) {
  char name[256];
  start((enum way)_i);
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  char *pages[64];
  for (size_t i = 0; i < CGC_COUNT(pages); i++)
    pages[i] = i % 2 ? map_bytes(PAGE, MAP_SHARED) : map_file(name);
  list();
  for (size_t i = 0; i < CGC_COUNT(pages); i++)
    ck_assert_int_eq(is_listed(pages[i]), i % 2);
}
END_TEST

START_TEST(memory_of_any_protection_is_listed_as_long_as_it_is_mapped) {
  static const int protections[] = {PROT_READ, PROT_NONE, PROT_WRITE};
  start((enum way)_i);
  char *page = map_bytes(PAGE, MAP_SHARED);
  for (size_t i = 0; i < CGC_COUNT(protections); i++) {
    ck_assert_int_eq(mprotect(page, PAGE, protections[i]), 0);
    list();
    ck_assert_msg(is_listed(page), "protection %d", protections[i]);
  }
  munmap(page, PAGE);
  list();
  ck_assert(!is_listed(page));
}
END_TEST

START_TEST(memory_with_a_name_is_listed) {
  start((enum way)_i);
  char *page = map_bytes(PAGE, MAP_SHARED);
  prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, page, PAGE, "workers");   /* or not, before Linux 6.2: then it has none */
  list();
  ck_assert(is_listed(page));
}
END_TEST

/* The child's page tables do not tell of it. */
START_TEST(memory_of_the_parent_is_listed_in_a_child) {
  start((enum way)_i);
  char *page = map_bytes(PAGE, MAP_SHARED);
  *page = 1;
  pid_t child = fork();
  if (child == 0) {
    list();
    _exit(is_listed(page) ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(memory_that_cannot_be_told_is_an_error) {
  start(BY_QUERY);
  ck_assert(fault_configure("open:1+"));
  ck_assert_int_eq(shared_memory_list_stw(&ranges), EMFILE);
}
END_TEST

Suite *
shared_memory_suite(void) {
  int ways = CGC_CONFIG_FAULTS ? WAYS : 1;
  TCase *tests;
  Suite *suite = unit_suite("shared_memory", &tests);
  tcase_add_loop_test(tests, small_shared_memory_is_listed_whole, 0, ways);
  tcase_add_loop_test(tests, other_memory_is_not_listed, 0, ways);
  tcase_add_loop_test(tests, memory_behind_files_with_long_names_is_listed, 0, ways);
  tcase_add_loop_test(tests, memory_of_any_protection_is_listed_as_long_as_it_is_mapped, 0, ways);
  tcase_add_loop_test(tests, memory_with_a_name_is_listed, 0, ways);
  tcase_add_loop_test(tests, memory_of_the_parent_is_listed_in_a_child, 0, ways);
  if (CGC_CONFIG_FAULTS)
    tcase_add_test(tests, memory_that_cannot_be_told_is_an_error);
  return suite;
}
