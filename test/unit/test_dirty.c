/* SPDX-License-Identifier: MIT */
/* Who watches pages loses all descriptors, Check's among them: each case runs on a thread that ends then, and the main
 * thread judges what it has found. */
#include "unit.h"

#include "base/fault.h"
#include "base/options.h"
#include "world/dirty.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PAGES_MAX = 4096, PAGES = 64 };

static char *memory;                    /* of page_count pages, watched by most cases */
static size_t page_count;
static bool is_written[PAGES_MAX];      /* what dirty_collect is to list */
static struct array ranges;             /* struct dirty_range */

/* ---- the thread ---- */

static const char *failure;
static int failure_line, begin_err;

/* In place of ck_assert, off the main thread: the first that does not hold is reported. */
#define EXPECT(condition) expect((condition), #condition, __LINE__)

static void
expect(bool holds, const char *text, int line) {
  if (holds || failure)
    return;
  failure = text;
  failure_line = line;
}

static void *
run_case(void *arg) {
  void (*const *run)(void) = arg;
  begin_err = dirty_take_descriptors_stw();
  if (!begin_err)
    begin_err = dirty_begin();
  if (begin_err)
    return NULL;
  (*run)();
  dirty_end();
  return NULL;
}

static void
assert_sound(void) {
  ck_assert_msg(!failure, "line %d: not so: %s", failure_line, failure);
  ck_assert_int_eq(dirty_is_available(), begin_err == 0);
  if (begin_err)
    printf("dirty: pages cannot be watched here: %s\n", strerror(begin_err));
}

static void
map_memory(size_t pages) {
  page_count = pages;
  memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(memory, MAP_FAILED);
}

static void
run_on_pages(void (*run)(void), size_t pages) {
  unit_start_heap();
  map_memory(pages);
  pthread_join(unit_start_thread(run_case, &run), NULL);
  assert_sound();
}

/* ---- pages ---- */

static uintptr_t
page_addr(size_t page) {
  return (uintptr_t)memory + page * PAGE_BYTES;
}

static void
write_page(size_t page) {
  *(volatile char *)(page_addr(page) + page * 61 % PAGE_BYTES) = 1;
  is_written[page] = true;
}

static void
read_pages(void) {
  for (size_t i = 0; i < page_count; i++)
    (void)*(volatile char *)page_addr(i);
}

static int
collect_more_pages(size_t from, size_t to) {
  size_t all = SIZE_MAX;
  return dirty_collect(page_addr(from), page_addr(to), &all, &ranges);
}

static int
collect_pages(size_t from, size_t to) {
  ranges.count = 0;
  return collect_more_pages(from, to);
}

static int
collect(void) {
  return collect_pages(0, page_count);
}

/* In order, and neighbours are one. */
static bool
ranges_are_apart(void) {
  const struct dirty_range *range = ranges.items;
  for (size_t i = 0; i < ranges.count; i++)
    if (range[i].start_addr >= range[i].end_addr || (i && range[i - 1].end_addr >= range[i].start_addr))
      return false;
  return true;
}

static bool
is_listed(size_t page) {
  const struct dirty_range *range = ranges.items;
  for (size_t i = 0; i < ranges.count; i++)
    if (range[i].start_addr <= page_addr(page) && page_addr(page) < range[i].end_addr)
      return true;
  return false;
}

/* Collects exactly what has been written. */
static void
expect_written(void) {
  EXPECT(collect() == 0);
  EXPECT(ranges_are_apart());
  for (size_t i = 0; i < page_count; i++)
    EXPECT(is_listed(i) == is_written[i]);
  memset(is_written, 0, sizeof is_written);
}

static void
watch(void) {
  EXPECT(dirty_watch(page_addr(0), page_addr(page_count)) == 0);
  EXPECT(collect() == 0);
}

/* ---- what is written ---- */

static void
collect_all_first(void) {
  write_page(3);
  EXPECT(dirty_watch(page_addr(0), page_addr(PAGES)) == 0);
  memset(is_written, 1, PAGES);
  expect_written();
  expect_written();
}

START_TEST(dirty_all_of_a_new_range_counts_as_written_once) {
  run_on_pages(collect_all_first, PAGES);
}
END_TEST

static void
collect_patterns(void) {
  static const struct {
    size_t first, count, step;
  } patterns[] = {{0, 1, 1},  {PAGES - 1, 1, 1}, {0, 2, PAGES - 1}, {17, 1, 1},  {5, 3, 1},
                  {1, 20, 3}, {0, PAGES / 2, 2}, {1, PAGES / 2, 2}, {0, PAGES, 1}};
  watch();
  for (size_t i = 0; i < CGC_COUNT(patterns); i++) {
    for (size_t k = 0; k < patterns[i].count; k++)
      write_page(patterns[i].first + k * patterns[i].step);
    expect_written();
    expect_written();   /* nothing */
  }
}

START_TEST(dirty_lists_exactly_the_pages_written_since) {
  run_on_pages(collect_patterns, PAGES);
}
END_TEST

static void
collect_neighbours(void) {
  const struct dirty_range *range;
  watch();
  for (size_t i = 0; i < 6; i++)
    write_page(10 + i);
  write_page(17);
  EXPECT(collect() == 0);
  range = ranges.items;
  EXPECT(ranges.count == 2);
  EXPECT(range[0].start_addr == page_addr(10) && range[0].end_addr == page_addr(16));
  EXPECT(range[1].start_addr == page_addr(17) && range[1].end_addr == page_addr(18));
  write_page(29);
  write_page(30);
  EXPECT(collect_pages(20, 30) == 0);
  EXPECT(collect_more_pages(30, 40) == 0);
  EXPECT(ranges.count == 1 && is_listed(29) && is_listed(30));
}

START_TEST(dirty_neighbours_make_one_range) {
  run_on_pages(collect_neighbours, PAGES);
}
END_TEST

static size_t
count_listed(void) {
  size_t count = 0;
  for (size_t i = 0; i < page_count; i++)
    count += is_listed(i);
  return count;
}

/* What is beyond the limit is told by the next call. */
static void
collect_some_only(void) {
  size_t left = 10;
  watch();
  for (size_t i = 0; i < PAGES; i += 3)
    write_page(i);
  write_page(1);
  size_t written = (PAGES + 2) / 3 + 1;
  ranges.count = 0;
  EXPECT(dirty_collect(page_addr(0), page_addr(PAGES), &left, &ranges) == 0);
  EXPECT(left == 0 && count_listed() == 10 && is_listed(0) && is_listed(1));
  EXPECT(collect() == 0 && count_listed() == written - 10 && !is_listed(0));
  write_page(5);
  left = 10;
  ranges.count = 0;
  EXPECT(dirty_collect(page_addr(0), page_addr(PAGES), &left, &ranges) == 0);
  EXPECT(left == 9 && count_listed() == 1 && is_listed(5));
}

START_TEST(dirty_collects_no_more_pages_than_asked_for) {
  run_on_pages(collect_some_only, PAGES);
}
END_TEST

/* More ranges than the kernel is asked for at a time. */
static void
collect_many(void) {
  struct unit_random random = unit_random_start();
  watch();
  for (size_t i = 0; i < PAGES_MAX; i += 2)
    write_page(i);
  expect_written();
  for (int turn = 0; turn < 5; turn++) {
    for (size_t i = 0; i < PAGES_MAX; i++)
      if (unit_random_below(&random, 3) == 0)
        write_page(i);
    expect_written();
  }
}

static void
collect_many_of_huge_pages(void) {
  madvise(memory, PAGES_MAX * PAGE_BYTES, MADV_HUGEPAGE);   /* if there are any */
  memset(memory, 1, PAGES_MAX * PAGE_BYTES);
  collect_many();
}

START_TEST(dirty_lists_any_number_of_ranges) {
  run_on_pages(_i ? collect_many_of_huge_pages : collect_many, PAGES_MAX);
}
END_TEST

static void
collect_after_reads(void) {
  write_page(7);
  is_written[7] = false;
  watch();
  read_pages();
  expect_written();
  write_page(9);
  read_pages();
  expect_written();
}

START_TEST(dirty_reads_do_not_count) {
  run_on_pages(collect_after_reads, PAGES);
}
END_TEST

static void
collect_a_part(void) {
  watch();
  write_page(2);
  write_page(30);
  EXPECT(collect_pages(0, 20) == 0);
  EXPECT(ranges.count == 1 && is_listed(2));
  EXPECT(collect_pages(0, 20) == 0);
  EXPECT(ranges.count == 0);
  EXPECT(collect_pages(20, PAGES) == 0);
  EXPECT(ranges.count == 1 && is_listed(30));
}

START_TEST(dirty_collects_what_it_is_asked_for_only) {
  run_on_pages(collect_a_part, PAGES);
}
END_TEST

static void
collect_after_kernel_writes(void) {
  int zero = open("/dev/zero", O_RDONLY), fds[2];
  EXPECT(zero >= 0 && pipe(fds) == 0);
  write_page(5);
  write_page(40);
  watch();
  memset(is_written, 0, sizeof is_written);
  EXPECT(read(zero, (char *)page_addr(5) + 100, 10) == 10);
  EXPECT(read(zero, (char *)page_addr(20) - 5, 10) == 10);   /* into two that have never been touched */
  EXPECT(write(fds[1], "abc", 3) == 3);
  EXPECT(read(fds[0], (void *)page_addr(40), 3) == 3);
  is_written[5] = is_written[19] = is_written[20] = is_written[40] = true;
  expect_written();
  close(zero);
  close(fds[0]);
  close(fds[1]);
}

START_TEST(dirty_what_the_kernel_writes_counts) {
  run_on_pages(collect_after_kernel_writes, PAGES);
}
END_TEST

static void *
write_page_3(void *arg) {
  write_page(3);
  return arg;
}

static void
collect_after_another_thread(void) {
  watch();
  pthread_join(unit_start_thread(write_page_3, NULL), NULL);
  expect_written();
}

START_TEST(dirty_what_other_threads_write_counts) {
  run_on_pages(collect_after_another_thread, PAGES);
}
END_TEST

/* ---- what else happens to pages ---- */

/* Whether a dropped page is listed is the kernel's affair. */
static void
collect_after_drop(void) {
  for (size_t i = 0; i < PAGES; i++)
    write_page(i);
  watch();
  memset(is_written, 0, sizeof is_written);
  EXPECT(madvise((void *)page_addr(8), 8 * PAGE_BYTES, MADV_DONTNEED) == 0);
  write_page(10);
  EXPECT(collect() == 0);
  EXPECT(is_listed(10) && !is_listed(7) && !is_listed(16));
  write_page(10);
  write_page(12);
  EXPECT(collect() == 0);
  EXPECT(is_listed(10) && is_listed(12));
}

START_TEST(dirty_page_written_after_it_was_dropped_is_listed) {
  run_on_pages(collect_after_drop, PAGES);
}
END_TEST

static void
collect_after_protection(void) {
  write_page(4);
  watch();
  memset(is_written, 0, sizeof is_written);
  for (int turn = 0; turn < 3; turn++) {
    EXPECT(mprotect(memory, PAGES * PAGE_BYTES, PROT_READ) == 0);
    expect_written();
    EXPECT(mprotect(memory, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    expect_written();
    write_page(4);
    write_page(5);
    EXPECT(mprotect(memory, PAGES * PAGE_BYTES, PROT_READ) == 0);
    EXPECT(mprotect(memory, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    expect_written();
  }
}

START_TEST(dirty_pages_that_are_read_only_for_a_while_stay_watched) {
  run_on_pages(collect_after_protection, PAGES);
}
END_TEST

/* ---- what is not watched ---- */

static void
collect_unwatched(void) {
  EXPECT(collect() == EPERM);
  watch();
  EXPECT(collect() == 0);
  dirty_unwatch(page_addr(0), page_addr(PAGES));
  EXPECT(collect() == EPERM);
}

START_TEST(dirty_range_that_is_not_watched_cannot_be_told) {
  run_on_pages(collect_unwatched, PAGES);
}
END_TEST

static void
collect_half_watched(void) {
  EXPECT(dirty_watch(page_addr(0), page_addr(20)) == 0);
  EXPECT(collect() == EPERM);
  watch();
  dirty_unwatch(page_addr(20), page_addr(40));
  EXPECT(collect() == EPERM);
  EXPECT(collect_pages(0, 20) == 0);
  EXPECT(collect_pages(40, PAGES) == 0);
  write_page(50);
  EXPECT(collect_pages(40, PAGES) == 0);
  EXPECT(ranges.count == 1 && is_listed(50));
}

START_TEST(dirty_range_that_is_watched_in_part_cannot_be_told) {
  run_on_pages(collect_half_watched, PAGES);
}
END_TEST

static void
collect_with_mapping_in_place(void) {
  watch();
  void *other = mmap((void *)page_addr(10), 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  EXPECT(other == (void *)page_addr(10));
  write_page(11);
  EXPECT(collect() == EPERM);
  EXPECT(collect_pages(0, 10) == 0);
  EXPECT(collect_pages(12, PAGES) == 0);
}

START_TEST(dirty_range_with_another_mapping_in_place_cannot_be_told) {
  run_on_pages(collect_with_mapping_in_place, PAGES);
}
END_TEST

static void
collect_after_end(void) {
  watch();
  dirty_end();
  for (int fd = 0; fd < 10; fd++)
    EXPECT(fcntl(fd, F_GETFD) < 0);
  EXPECT(dirty_begin() == 0);
  EXPECT(collect() == EPERM);
  watch();
  write_page(1);
  expect_written();
}

START_TEST(dirty_end_of_watching_is_the_end_for_all_ranges) {
  run_on_pages(collect_after_end, PAGES);
}
END_TEST

/* ---- forked children ---- */

enum { CHILD_IS_CLEAN, CHILD_BEGIN_FAILED, CHILD_TOLD, CHILD_DID_NOT_TRACK };

/* Ends the child: what its parent watched is not watched, and can be. */
static void
run_child(void) {
  if (dirty_take_descriptors_stw() || dirty_begin())
    _exit(CHILD_BEGIN_FAILED);
  if (collect() != EPERM)
    _exit(CHILD_TOLD);
  watch();
  memset(is_written, 0, sizeof is_written);
  write_page(6);
  expect_written();
  _exit(failure ? CHILD_DID_NOT_TRACK : CHILD_IS_CLEAN);
}

/* Not by fork(3): handlers of libc would look for descriptors. */
static void
fork_while_watching(void) {
  int status = -1;
  watch();
  write_page(2);
  pid_t child = (pid_t)syscall(SYS_fork);
  if (child == 0)
    run_child();
  EXPECT(child > 0 && waitpid(child, &status, 0) == child);
  EXPECT(status != CHILD_BEGIN_FAILED << 8);
  EXPECT(status != CHILD_TOLD << 8);
  EXPECT(status != CHILD_DID_NOT_TRACK << 8);
  EXPECT(status == 0);
  expect_written();   /* the parent's own */
}

START_TEST(dirty_child_watches_nothing_until_it_begins) {
  run_on_pages(fork_while_watching, PAGES);
}
END_TEST

/* ---- descriptors ---- */

enum { LINK_BYTES = 128, FDS_MAX = 256 };

struct fd_list {
  size_t count;
  char links[FDS_MAX][LINK_BYTES];
};

static struct fd_list before, during;
static atom_int is_watching, may_end;

/* Of the main thread, without the one that lists them; by number, as long as numbers are small. */
static void
list_fds(struct fd_list *list) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/fd", getpid());
  DIR *directory = opendir(path);
  ck_assert_ptr_nonnull(directory);
  memset(list, 0, sizeof *list);
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(directory))
      continue;
    ck_assert_int_lt(fd, FDS_MAX);
    ck_assert_int_gt(readlinkat(dirfd(directory), entry->d_name, list->links[fd], LINK_BYTES - 1), 0);
    list->count++;
  }
  closedir(directory);
}

static void
wait_watching(void) {
  watch();
  atom_int_store_rel(&is_watching, 1);
  unit_await(&may_end);
}

static void *
run_case_and_say_so(void *arg) {
  run_case(arg);
  atom_int_store_rel(&is_watching, 1);   /* also if it cannot be */
  return NULL;
}

START_TEST(dirty_descriptors_of_the_program_stay_and_it_sees_no_other) {
  void (*run)(void) = wait_watching;
  unit_start_heap();
  map_memory(PAGES);
  int lowest = open("/dev/null", O_RDONLY), fds[2];
  close(lowest);
  ck_assert_int_eq(pipe(fds), 0);
  list_fds(&before);
  pthread_t thread = unit_start_thread(run_case_and_say_so, &run);
  unit_await(&is_watching);
  list_fds(&during);
  ck_assert_uint_gt(before.count, 2);
  ck_assert_mem_eq(&before, &during, sizeof before);
  close(fds[0]);
  ck_assert_int_eq(open("/dev/null", O_RDONLY), lowest);   /* no other has taken the number */
  atom_int_store_rel(&may_end, 1);
  pthread_join(thread, NULL);
  list_fds(&during);
  ck_assert_uint_eq(before.count, during.count);
  assert_sound();
}
END_TEST

/* ---- whether it is there ---- */

START_TEST(dirty_is_not_available_if_the_option_says_so) {
  unit_start_heap();
  ck_assert(dirty_is_available());
  ck_assert(options_set("dirty=stop", strlen("dirty=stop")));
  ck_assert(!dirty_is_available());
}
END_TEST

static void
collect_nothing(void) {
  bool begins_without_what_it_needs = true;
  EXPECT(!begins_without_what_it_needs);
}

START_TEST(dirty_that_cannot_begin_is_not_available_any_more) {
  static const char *const specifications[] = {"close-range:1", "watch:1", "open:1"};
  ck_assert(fault_configure(specifications[_i]));
  run_on_pages(collect_nothing, PAGES);
  ck_assert_int_ne(begin_err, 0);
}
END_TEST

Suite *
dirty_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("dirty", &tests);
  tcase_add_test(tests, dirty_all_of_a_new_range_counts_as_written_once);
  tcase_add_test(tests, dirty_lists_exactly_the_pages_written_since);
  tcase_add_test(tests, dirty_neighbours_make_one_range);
  tcase_add_loop_test(tests, dirty_lists_any_number_of_ranges, 0, 2);
  tcase_add_test(tests, dirty_reads_do_not_count);
  tcase_add_test(tests, dirty_collects_what_it_is_asked_for_only);
  tcase_add_test(tests, dirty_collects_no_more_pages_than_asked_for);
  tcase_add_test(tests, dirty_what_the_kernel_writes_counts);
  tcase_add_test(tests, dirty_what_other_threads_write_counts);
  tcase_add_test(tests, dirty_page_written_after_it_was_dropped_is_listed);
  tcase_add_test(tests, dirty_pages_that_are_read_only_for_a_while_stay_watched);
  tcase_add_test(tests, dirty_range_that_is_not_watched_cannot_be_told);
  tcase_add_test(tests, dirty_range_that_is_watched_in_part_cannot_be_told);
  tcase_add_test(tests, dirty_range_with_another_mapping_in_place_cannot_be_told);
  tcase_add_test(tests, dirty_end_of_watching_is_the_end_for_all_ranges);
  tcase_add_test(tests, dirty_child_watches_nothing_until_it_begins);
  tcase_add_test(tests, dirty_descriptors_of_the_program_stay_and_it_sees_no_other);
  tcase_add_test(tests, dirty_is_not_available_if_the_option_says_so);
  if (CGC_CONFIG_FAULTS)
    tcase_add_loop_test(tests, dirty_that_cannot_begin_is_not_available_any_more, 0, 3);
  return suite;
}
