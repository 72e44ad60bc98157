/* SPDX-License-Identifier: MIT */
/* Marks are set by hand: which blocks are old depends on them alone. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "gc/old_pages.h"
#include "heap/page_heap.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK_PAGES = 16, CLASS_1024_BYTES = 32, AT = 5 * ARCH_PAGE_BYTES };

static struct dirty_pages pages;

static char *
take_large(bool is_old) {
  char *block = unit_take_large(BLOCK_PAGES * SPAN_PAGE_BYTES, 0);
  ck_assert_ptr_nonnull(block);
  atom_store_rlx(&heap_map_span((uintptr_t)block)->words[0].mark, is_old);
  return block;
}

static bool
is_told(const char *at) {
  const struct dirty_range *ranges = pages.parts[0].ranges;
  for (size_t i = 0; i < pages.parts[0].count; i++)
    if (ranges[i].start_addr <= (uintptr_t)at && (uintptr_t)at < ranges[i].end_addr)
      return true;
  return false;
}

static size_t
count_told(const char *block) {
  size_t count = 0;
  for (size_t at = 0; at < BLOCK_PAGES * SPAN_PAGE_BYTES; at += ARCH_PAGE_BYTES)
    count += is_told(block + at);
  return count;
}

/* False if the system does not let pages be watched so. */
static bool
collect(void) {
  int err = old_pages_collect_stw(&pages);
  if (err)
    printf("old_pages: no watch here: error %d\n", err);
  return err == 0;
}

static size_t
count_descriptors(void) {
  size_t count = 0;
  DIR *directory = opendir("/proc/self/fd");
  while (directory && readdir(directory))
    count++;
  closedir(directory);
  return count;
}

START_TEST(old_pages_tells_all_of_an_old_block_once_then_where_it_was_written) {
  unit_start_heap();
  char *old = take_large(true), *fresh = take_large(false);
  size_t descriptors = count_descriptors();
  if (!collect())
    return;
  ck_assert_uint_eq(count_told(old), BLOCK_PAGES * SPAN_PAGE_BYTES / ARCH_PAGE_BYTES);
  ck_assert_uint_eq(count_told(fresh), 0);
  for (int i = 0; i < 3; i++) {
    old[AT] = fresh[AT] = (char)i;
    ck_assert(collect());
    ck_assert_uint_eq(count_told(old), 1);
    ck_assert(is_told(old + AT));
    ck_assert_uint_eq(pages.page_count, 1);
    ck_assert(collect());
    ck_assert_uint_eq(pages.page_count, 0);
  }
  ck_assert_uint_eq(count_descriptors(), descriptors);
}
END_TEST

START_TEST(old_pages_tells_all_of_a_block_that_has_become_old) {
  unit_start_heap();
  char *block = take_large(false);
  if (!collect())
    return;
  atom_store_rlx(&heap_map_span((uintptr_t)block)->words[0].mark, 1);
  ck_assert(collect());
  ck_assert_uint_eq(count_told(block), BLOCK_PAGES * SPAN_PAGE_BYTES / ARCH_PAGE_BYTES);
  ck_assert(collect());
  ck_assert_uint_eq(pages.page_count, 0);
}
END_TEST

/* A span of which a few blocks are old is told all the time, one of which most are is not. */
START_TEST(old_pages_leaves_spans_with_few_old_blocks_unwatched) {
  unit_start_heap();
  unsigned span_class = span_class_of(CLASS_1024_BYTES, 0);
  struct cgc_span *span = page_heap_alloc(span_class, span_class_size(span_class)->page_count, 1);
  atom_store_rlx(&span->words[0].mark, 1);
  for (int i = 0; i < 3; i++) {
    if (!collect())
      return;
    ck_assert_uint_eq(pages.page_count, span_bytes(span) / ARCH_PAGE_BYTES);
  }
  atom_store_rlx(&span->words[0].mark, UINT64_MAX);
  ck_assert(collect());
  ck_assert(collect());
  ck_assert_uint_eq(pages.page_count, 0);
}
END_TEST

/* Little that is new is not watched, much is. */
START_TEST(old_pages_tells_what_is_new_to_the_heap) {
  unit_start_heap();
  char *old = take_large(true);
  if (!collect())
    return;
  for (int i = 0; i < 40; i++) {
    char *more = take_large(true);
    ck_assert(collect());
    ck_assert_uint_eq(count_told(more), BLOCK_PAGES * SPAN_PAGE_BYTES / ARCH_PAGE_BYTES);
    old[AT] = 1;
    ck_assert(collect());
    ck_assert_uint_eq(count_told(old), 1);
  }
}
END_TEST

START_TEST(old_pages_after_forgetting_tells_all_again) {
  unit_start_heap();
  char *old = take_large(true);
  for (int i = 0; i < 3; i++) {
    if (!collect())
      return;
    ck_assert_uint_eq(count_told(old), BLOCK_PAGES * SPAN_PAGE_BYTES / ARCH_PAGE_BYTES);
    old_pages_forget();
  }
}
END_TEST

static int
judge_child(const char *old) {
  old_pages_adopt_fork();
  bool all = collect() && count_told(old) == BLOCK_PAGES * SPAN_PAGE_BYTES / ARCH_PAGE_BYTES;
  return all && collect() && !pages.page_count ? 0 : 1;
}

START_TEST(old_pages_in_a_forked_child_are_watched_anew) {
  int status = 0;
  unit_start_heap();
  char *old = take_large(true);
  if (!collect())
    return;
  pid_t child = fork();
  if (child == 0)
    _exit(judge_child(old));
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  ck_assert(collect());
  ck_assert_uint_eq(pages.page_count, 0);
}
END_TEST

START_TEST(old_pages_clears_marks_that_were_kept) {
  unit_start_heap();
  char *old = take_large(true);
  ck_assert(!old_pages_has_marks());
  old_pages_note_kept();
  ck_assert(old_pages_has_marks());
  old_pages_clear_marks();
  ck_assert(!old_pages_has_marks());
  ck_assert_uint_eq(atom_load_rlx(&heap_map_span((uintptr_t)old)->words[0].mark), 0);
}
END_TEST

Suite *
old_pages_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("old_pages", &tests);
  tcase_add_test(tests, old_pages_tells_all_of_an_old_block_once_then_where_it_was_written);
  tcase_add_test(tests, old_pages_tells_all_of_a_block_that_has_become_old);
  tcase_add_test(tests, old_pages_leaves_spans_with_few_old_blocks_unwatched);
  tcase_add_test(tests, old_pages_tells_what_is_new_to_the_heap);
  tcase_add_test(tests, old_pages_after_forgetting_tells_all_again);
  tcase_add_test(tests, old_pages_in_a_forked_child_are_watched_anew);
  tcase_add_test(tests, old_pages_clears_marks_that_were_kept);
  return suite;
}
