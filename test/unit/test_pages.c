/* SPDX-License-Identifier: MIT */
/* Each test runs with what the kernel offers, and (in builds that can inject failures) with the fallbacks of
 * kernels before 6.7, and of processes that may not read their pagemap. */
#include "unit.h"

#include "base/fault.h"
#include "base/hull.h"
#include "base/meta.h"
#include "heap/heap_map.h"
#include "world/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static struct page_ranges pages;

enum way { BY_SCAN, BY_PAGEMAP, BY_SMAPS };

static enum way way;

static void
start(enum way wanted) {
  unit_start_heap();
  way = wanted;
  if (way == BY_PAGEMAP)
    ck_assert(fault_configure("page-scan:1+"));
}

/* The first file to be opened is the pagemap, the second is smaps. */
static void
refuse_pagemap(void) {
  static unsigned opened;
  char specification[32];
  snprintf(specification, sizeof specification, "open:%u", opened + 1);
  opened += 2;
  ck_assert(fault_configure(specification));
}

static void
list(void) {
  if (way == BY_SMAPS)
    refuse_pagemap();
  ck_assert_int_eq(pages_list(&pages), 0);
  ck_assert_uint_gt(pages.count, 0);
}

static bool
is_listed(const volatile void *pointer) {
  uintptr_t addr = (uintptr_t)pointer;
  for (size_t i = 0; i < pages.count; i++)
    if (pages.ranges[i].start_addr <= addr && addr < pages.ranges[i].end_addr)
      return true;
  return false;
}

static char *
map_pages(size_t count, int flags) {
  char *addr = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(addr, MAP_FAILED);
  return addr;
}

static volatile uintptr_t word_in_data = 1;
static volatile uintptr_t word_in_bss;
static __thread volatile uintptr_t word_in_tls;

START_TEST(pages_with_private_data_are_listed) {
  start((enum way)_i);
  word_in_data = 2;
  word_in_bss = 2;
  word_in_tls = 2;
  volatile uintptr_t local = 2;
  char *mapped = map_pages(1, MAP_PRIVATE);
  void *block = malloc(100), *large = malloc(1 << 20);
  *mapped = 1;
  memset(large, 1, 1 << 20);
  list();
  ck_assert(is_listed(&word_in_data) && is_listed(&word_in_bss) && is_listed(&word_in_tls) && is_listed(&local));
  ck_assert(is_listed(mapped) && is_listed(mapped + PAGE - 1));
  ck_assert(is_listed(block) && is_listed(large));   /* of libc's heap, and mapped by it */
}
END_TEST

START_TEST(pages_of_any_protection_are_listed) {
  static const int protections[] = {PROT_READ, PROT_NONE, PROT_WRITE, PROT_READ | PROT_EXEC};
  start((enum way)_i);
  for (size_t i = 0; i < CGC_COUNT(protections); i++) {
    char *mapped = map_pages(1, MAP_PRIVATE);
    *mapped = 1;
    ck_assert_int_eq(mprotect(mapped, PAGE, protections[i]), 0);
    list();
    ck_assert_msg(is_listed(mapped), "protection %d", protections[i]);
  }
}
END_TEST

START_TEST(pages_without_data_of_ones_own_are_not_listed) {
  start((enum way)_i);
  char *untouched = map_pages(8, MAP_PRIVATE), *shared = map_pages(1, MAP_SHARED), *holes = map_pages(5, MAP_PRIVATE);
  *shared = 1;
  holes[0 * PAGE] = holes[2 * PAGE] = holes[4 * PAGE] = 1;
  int fd = open("/proc/self/exe", O_RDONLY);
  volatile char *file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  ck_assert_int_eq(file[0], 0x7f);
  list();
  ck_assert(!is_listed(untouched) && !is_listed(untouched + 7 * PAGE));
  ck_assert(!is_listed(shared) && !is_listed(file));
  ck_assert(is_listed(holes) && !is_listed(holes + PAGE) && is_listed(holes + 2 * PAGE));
  ck_assert(!is_listed(holes + 3 * PAGE) && is_listed(holes + 4 * PAGE));
}
END_TEST

START_TEST(pages_of_a_file_are_listed_once_written) {
  char path[] = "/tmp/cgc-unit-pages.XXXXXX";
  start((enum way)_i);
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  unlink(path);
  ck_assert_int_eq(ftruncate(fd, 2 * PAGE), 0);
  char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  ck_assert_ptr_ne(file, MAP_FAILED);
  file[PAGE] = 1;
  list();
  ck_assert(!is_listed(file) && is_listed(file + PAGE));
}
END_TEST

START_TEST(pages_of_the_library_are_not_listed) {
  start((enum way)_i);
  char *block = unit_take_large(SPAN_PAGE_BYTES, 0), *meta = meta_alloc(100);
  *block = *meta = 1;
  list();
  ck_assert(!is_listed(block) && !is_listed(meta));
  ck_assert(!is_listed(heap_map_entry((uintptr_t)block)) && !is_listed((void *)hull.span_table_addr));
  ck_assert(!is_listed((void *)hull.meta_addr));
}
END_TEST

/* Whole mappings, but none of ours. */
START_TEST(pages_of_the_library_are_not_listed_by_smaps_either) {
  start(BY_SMAPS);
  char *block = unit_take_large(SPAN_PAGE_BYTES, 0), *untouched = map_pages(8, MAP_PRIVATE);
  char *shared = map_pages(1, MAP_SHARED);
  *block = *shared = 1;
  mprotect(untouched, PAGE, PROT_READ);   /* no neighbour's */
  list();
  ck_assert(!is_listed(block) && !is_listed((void *)hull.meta_addr) && !is_listed(shared) && !is_listed(untouched));
}
END_TEST

static char *
map_at(uintptr_t addr) {
  char *mapped = mmap((void *)addr, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ck_assert_ptr_eq(mapped, (void *)addr);
  *mapped = 1;
  return mapped;
}

START_TEST(pages_of_the_program_within_the_hull_are_listed) {
  start((enum way)_i);
  unit_take_large(SPAN_PAGE_BYTES, 0);
  uintptr_t arena_end = hull.heap_addr + ARENA_BYTES;
  char *in_arena = map_at(arena_end - PAGE), *behind_arena = map_at(arena_end);
  char *far = map_at(hull.heap_addr + 100 * GIB), *in_meta = map_at(hull.heap_addr - PAGE);
  list();
  ck_assert(is_listed(in_arena) && is_listed(behind_arena) && is_listed(far) && is_listed(in_meta));
}
END_TEST

static uintptr_t
meta_end(void) {
  uintptr_t start_addr, end_addr = 0;
  for (unsigned i = 0; meta_piece(i, &start_addr, &end_addr); i++)
    ;
  return end_addr;
}

/* Metadata goes on behind it. */
START_TEST(pages_of_the_program_in_the_way_of_metadata_are_listed) {
  start((enum way)_i);
  meta_alloc(64);
  char *in_the_way = map_at(meta_end());
  char *meta = meta_alloc(4 * MIB);
  ck_assert(meta && meta > in_the_way);
  *meta = 1;
  list();
  ck_assert(is_listed(in_the_way) && !is_listed(meta));
}
END_TEST

START_TEST(pages_are_listed_in_order_however_many) {
  enum { COUNT = 5000 };   /* more than fit the first list, and one answer of the kernel */
  start((enum way)_i);
  char *mapped = map_pages(2 * COUNT, MAP_PRIVATE);
  for (size_t i = 0; i < COUNT; i++)
    mapped[2 * i * PAGE] = 1;
  list();
  ck_assert_uint_ge(pages.count, COUNT);
  for (size_t i = 0; i < pages.count; i++) {
    ck_assert_uint_lt(pages.ranges[i].start_addr, pages.ranges[i].end_addr);
    if (i)
      ck_assert_uint_gt(pages.ranges[i].start_addr, pages.ranges[i - 1].end_addr);
  }
  size_t listed = 0;
  for (size_t i = 0; i < pages.count; i++)
    listed += pages.ranges[i].start_addr >= (uintptr_t)mapped && pages.ranges[i].end_addr <= (uintptr_t)mapped + 2 * COUNT * PAGE;
  ck_assert_uint_eq(listed, COUNT);
}
END_TEST

/* ---- the fallback's own ---- */

/* A mapping whose line in /proc/self/maps is longer than the reader's buffer. */
static void *
map_file_with_long_path(void) {
  char part[202], cwd[256];
  memset(part, '\n', 200);   /* shown as four characters */
  part[200] = 'x';
  part[201] = 0;
  ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
  char top[] = "/tmp/cgc-unit-path.XXXXXX";
  ck_assert_ptr_nonnull(mkdtemp(top));
  ck_assert_int_eq(chdir(top), 0);
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(mkdir(part, 0700) | chdir(part), 0);
  int fd = open("file", O_RDWR | O_CREAT, 0600);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(ftruncate(fd, PAGE), 0);
  char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  ck_assert_ptr_ne(file, MAP_FAILED);
  unlink("file");
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(chdir("..") | rmdir(part), 0);
  ck_assert_int_eq(chdir(cwd) | rmdir(top), 0);
  file[0] = 1;
  return file;
}

START_TEST(pages_behind_a_mapping_with_a_long_path_are_listed) {
  start((enum way)_i);
  volatile uintptr_t local = 1;   /* the stack comes after all files */
  void *file = map_file_with_long_path();
  list();
  ck_assert(is_listed(&local));
  ck_assert(is_listed(file));
}
END_TEST

/* The read to fail, plus SMAPS_READ for one of smaps. */
enum { SMAPS_READ = 100 };

START_TEST(pages_that_cannot_be_told_are_an_error) {
  char specification[32];
  start(_i < SMAPS_READ ? BY_PAGEMAP : BY_SMAPS);
  if (way == BY_SMAPS)
    refuse_pagemap();
  snprintf(specification, sizeof specification, "read:%d", _i % SMAPS_READ);
  ck_assert(fault_configure(specification));
  ck_assert_int_ne(pages_list(&pages), 0);   /* never a part of the list */
}
END_TEST

START_TEST(pages_without_a_descriptor_are_an_error) {
  start(BY_SCAN);
  ck_assert(fault_configure("open:1+"));
  ck_assert_int_eq(pages_list(&pages), EMFILE);
}
END_TEST

Suite *
pages_suite(void) {
  /* By smaps whole mappings are listed. */
  int ways = CGC_CONFIG_FAULTS ? 3 : 1, exact_ways = CGC_CONFIG_FAULTS ? 2 : 1;
  TCase *tests;
  Suite *suite = unit_suite("pages", &tests);
  tcase_add_loop_test(tests, pages_with_private_data_are_listed, 0, ways);
  tcase_add_loop_test(tests, pages_of_any_protection_are_listed, 0, ways);
  tcase_add_loop_test(tests, pages_without_data_of_ones_own_are_not_listed, 0, exact_ways);
  tcase_add_loop_test(tests, pages_of_a_file_are_listed_once_written, 0, exact_ways);
  tcase_add_loop_test(tests, pages_of_the_library_are_not_listed, 0, ways);
  tcase_add_loop_test(tests, pages_of_the_program_within_the_hull_are_listed, 0, ways);
  tcase_add_loop_test(tests, pages_of_the_program_in_the_way_of_metadata_are_listed, 0, ways);
  tcase_add_loop_test(tests, pages_are_listed_in_order_however_many, 0, exact_ways);
  if (CGC_CONFIG_FAULTS) {
    tcase_add_test(tests, pages_of_the_library_are_not_listed_by_smaps_either);
    tcase_add_loop_test(tests, pages_behind_a_mapping_with_a_long_path_are_listed, BY_PAGEMAP, BY_SMAPS + 1);
    tcase_add_loop_test(tests, pages_that_cannot_be_told_are_an_error, 1, 20);
    tcase_add_loop_test(tests, pages_that_cannot_be_told_are_an_error, SMAPS_READ + 1, SMAPS_READ + 6);
    tcase_add_test(tests, pages_without_a_descriptor_are_an_error);
  }
  return suite;
}
