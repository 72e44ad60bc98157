/* SPDX-License-Identifier: MIT */
/* On a thread that ends then, as for dirty: the main one judges what it has noted. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "gc/dirty_roots.h"
#include "heap/heap_map.h"
#include "world/dirty.h"

#include <sys/mman.h>

enum { PAGES = 256, BYTES = PAGES * (int)ARCH_PAGE_BYTES };

static char *mapping, *other;
static struct array ranges;
static int begin_err, wrong_line;

static void
expect(bool is_so, int line) {
  if (!is_so && !wrong_line)
    wrong_line = line;
}
#define EXPECT(condition) expect(condition, __LINE__)

static char *
map_pages(void *at, size_t bytes, int flags) {
  void *mapped = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return mapped == MAP_FAILED ? NULL : mapped;
}

/* So that each is a mapping of its own. */
static char *
map_apart(size_t bytes) {
  char *mapped = map_pages(NULL, bytes + 2 * ARCH_PAGE_BYTES, 0);
  if (!mapped)
    return NULL;
  mprotect(mapped, ARCH_PAGE_BYTES, PROT_NONE);
  mprotect(mapped + ARCH_PAGE_BYTES + bytes, ARCH_PAGE_BYTES, PROT_NONE);
  return memset(mapped + ARCH_PAGE_BYTES, 1, bytes);
}

static struct root
root_of(const char *at, size_t bytes, enum root_kind kind) {
  return (struct root){(uintptr_t)at, (uintptr_t)at + bytes, kind};
}

static bool
has(const char *at, size_t bytes) {
  struct root root = root_of(at, bytes, ROOT_DATA);
  return dirty_roots_has(&root);
}

static bool
is_listed(const char *at) {
  const struct dirty_range *range = ranges.items;
  for (size_t i = 0; i < ranges.count; i++)
    if (range[i].start_addr <= (uintptr_t)at && (uintptr_t)at < range[i].end_addr)
      return true;
  return false;
}

static void
collect(void) {
  size_t all_pages = SIZE_MAX;
  ranges.count = 0;
  EXPECT(dirty_roots_collect(&all_pages, &ranges) == 0);
}

/* Both mappings hold roots, after a stack in one of them. */
static void
watch(size_t bytes_of_roots) {
  char *first = mapping < other ? mapping : other, *second = mapping < other ? other : mapping;
  struct root roots[] = {root_of(other, 64, ROOT_STACK), root_of(first, bytes_of_roots, ROOT_DATA),
                         root_of(second, bytes_of_roots, ROOT_DATA)};
  struct root_list list = {roots, CGC_COUNT(roots), 1, 2 * bytes_of_roots};
  ranges.count = 0;
  dirty_roots_watch_stw(&list);
  dirty_roots_arm(&ranges);
}

static void
look_at_written_pages(void) {
  watch(BYTES);
  EXPECT(has(mapping, BYTES) && has(other, BYTES) && has(mapping + 8, 16));
  EXPECT(!has(mapping - 8, 16) && !has(mapping + BYTES - 8, 16) && !has(mapping + BYTES, 8));
  EXPECT(dirty_roots_bytes() == 2 * BYTES);
  for (size_t i = 0; i < PAGES; i++)
    EXPECT(is_listed(mapping + i * ARCH_PAGE_BYTES));   /* to be scanned the first time */
  collect();
  EXPECT(ranges.count == 0);
  mapping[7 * ARCH_PAGE_BYTES] = other[5] = 2;
  collect();
  EXPECT(ranges.count == 2 && is_listed(mapping + 7 * ARCH_PAGE_BYTES) && is_listed(other));
  collect();
  EXPECT(ranges.count == 0);
  dirty_roots_forget();
  EXPECT(!has(mapping, BYTES) && dirty_roots_bytes() == 0);
}

/* What the list does not name, as it was written later, is to be scanned as well. */
static void
look_at_pages_written_since_they_were_listed(void) {
  watch(BYTES - 4 * ARCH_PAGE_BYTES);
  EXPECT(is_listed(mapping + BYTES - 1));
  dirty_roots_forget();
}

static void
look_at_little(void) {
  watch(1024);
  EXPECT(CGC_CONFIG_HOSTILE || (!has(mapping, 8) && ranges.count == 0));
  dirty_roots_forget();
}

/* In its place comes one that nobody watches. */
static void
look_at_a_mapping_replaced(void) {
  watch(BYTES);
  collect();
  char *middle = mapping + 16 * ARCH_PAGE_BYTES;
  EXPECT(map_pages(middle, ARCH_PAGE_BYTES, MAP_FIXED) == middle);
  collect();
  EXPECT(!has(mapping, BYTES) && has(other, BYTES) && dirty_roots_bytes() == BYTES);
  *other = 3;
  collect();
  EXPECT(ranges.count == 1 && is_listed(other));
  dirty_roots_forget();
}

static void
look_at_no_more_than_asked_for(void) {
  size_t left = 3;
  watch(BYTES);
  memset(mapping, 4, BYTES);
  *other = 4;
  ranges.count = 0;
  EXPECT(dirty_roots_collect(&left, &ranges) == 0 && left == 0);
  collect();
  EXPECT(is_listed(mapping < other ? other : mapping + BYTES - 1));
  dirty_roots_forget();
}

static void *
look(void *scenario) {
  begin_err = dirty_take_descriptors_stw();
  if (!begin_err)
    begin_err = dirty_begin();
  if (begin_err)
    return NULL;
  ((void (*)(void))scenario)();
  dirty_end();
  return NULL;
}

static void
run(void (*scenario)(void)) {
  unit_start_heap();
  mapping = map_apart(BYTES);
  other = map_apart(BYTES);
  ck_assert(mapping && other);
  pthread_join(unit_start_thread(look, (void *)scenario), NULL);
  if (begin_err)
    printf("dirty_roots: pages cannot be watched here: %s\n", strerror(begin_err));
  ck_assert_msg(wrong_line == 0, "line %d: not so", wrong_line);
}

static void (*const scenarios[])(void) = {
  look_at_written_pages, look_at_pages_written_since_they_were_listed, look_at_little,
  look_at_a_mapping_replaced, look_at_no_more_than_asked_for,
};

START_TEST(dirty_roots_scenario) {
  run(scenarios[_i]);
}
END_TEST

Suite *
dirty_roots_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("dirty_roots", &tests);
  tcase_add_loop_test(tests, dirty_roots_scenario, 0, CGC_COUNT(scenarios));
  return suite;
}
