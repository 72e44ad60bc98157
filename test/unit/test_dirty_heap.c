/* SPDX-License-Identifier: MIT */
/* On a thread that ends then, as for dirty: the main one judges what it has noted. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "gc/dirty_heap.h"
#include "heap/page_heap.h"

enum { BLOCK_PAGES = 64, MORE_PAGES = 8192 /* twice what is ever mapped ahead */ };

static int errs[8], begin_err;
static char *old, *noscan, *more;
static struct {
  bool old_again, old_written, noscan_written, new_of_more, more_again, more_written;
  size_t again_pages, written_pages;
} seen;
static struct {
  bool is_cut, is_rest_found, is_all_found, is_complete;
} limited;

static char *
take(size_t pages, unsigned kind) {
  struct cgc_span *span = page_heap_alloc(span_class_of(SIZE_CLASS_LARGE, kind), pages, 1);
  return span ? (char *)span->base_addr : NULL;
}

/* Within one list, in which ranges ascend. */
static bool
part_has_all(const struct dirty_pages *pages, unsigned part, const char *from, size_t bytes) {
  uintptr_t addr = (uintptr_t)from, end = addr + bytes;
  const struct dirty_range *ranges = pages->parts[part].ranges;
  for (size_t i = 0; i < pages->parts[part].count && addr < end; i++)
    if (ranges[i].start_addr <= addr && addr < ranges[i].end_addr)
      addr = ranges[i].end_addr;
  return addr >= end;
}

static bool
has_all(const struct dirty_pages *pages, const char *from, size_t bytes) {
  for (unsigned part = 0; part < pages->part_count; part++)
    if (part_has_all(pages, part, from, bytes))
      return true;
  return false;
}

static bool
has_page_of(const struct dirty_pages *pages, const char *at) {
  return has_all(pages, at, 1);
}

static void
look_at_what_is_there(void) {
  struct dirty_pages pages;
  errs[0] = dirty_heap_collect(false, &pages);
  seen.old_again = has_page_of(&pages, old);
  seen.again_pages = pages.page_count;
  old[5 * ARCH_PAGE_BYTES] = noscan[5 * ARCH_PAGE_BYTES] = 1;
  errs[1] = dirty_heap_collect(false, &pages);
  seen.old_written = has_page_of(&pages, old + 5 * ARCH_PAGE_BYTES);
  seen.noscan_written = has_page_of(&pages, noscan + 5 * ARCH_PAGE_BYTES);
  seen.written_pages = pages.page_count;
}

static void
look_at_what_is_new(void) {
  struct dirty_pages pages;
  size_t bytes = MORE_PAGES * SPAN_PAGE_BYTES;
  more = take(MORE_PAGES, 0);
  errs[2] = dirty_heap_collect(false, &pages);
  seen.new_of_more = has_all(&pages, more + bytes / 2, bytes / 2);
  errs[3] = dirty_heap_collect(false, &pages);
  seen.more_again = has_page_of(&pages, more + bytes / 2);
  more[bytes - 1] = 1;
  errs[4] = dirty_heap_collect(false, &pages);
  seen.more_written = has_page_of(&pages, more + bytes - 1);
}

/* Of every other page of `old`. */
static size_t
count_old_pages(const struct dirty_pages *pages) {
  size_t count = 0;
  for (size_t i = 0; i < BLOCK_PAGES * SPAN_PAGE_BYTES; i += 2 * ARCH_PAGE_BYTES)
    count += has_page_of(pages, old + i);
  return count;
}

/* In a stop: neither more pages than asked for nor new memory; all of it is found afterwards. */
static void
look_at_no_more_than_asked_for(void) {
  struct dirty_pages pages;
  for (size_t i = 0; i < BLOCK_PAGES * SPAN_PAGE_BYTES; i += 2 * ARCH_PAGE_BYTES)
    old[i] = 2;
  char *newest = take(MORE_PAGES, 0);
  errs[5] = dirty_heap_collect_by_crew(10, &pages);
  limited.is_cut = !pages.is_complete && pages.page_count >= 10 && pages.page_count <= 10 * pages.part_count;
  size_t found = count_old_pages(&pages);
  errs[6] = dirty_heap_collect(false, &pages);
  limited.is_rest_found = pages.is_complete && has_page_of(&pages, newest + MORE_PAGES * SPAN_PAGE_BYTES - 1);
  limited.is_all_found = found + count_old_pages(&pages) == BLOCK_PAGES;
  *old = 3;
  errs[7] = dirty_heap_collect_by_crew(10, &pages);
  limited.is_complete = pages.is_complete && pages.page_count == 1 && has_page_of(&pages, old);
}

static void *
look(void *arg) {
  begin_err = dirty_heap_begin(0);
  if (begin_err)
    return arg;
  look_at_what_is_there();
  look_at_what_is_new();
  look_at_no_more_than_asked_for();
  dirty_heap_end();
  return arg;
}

/* Two cycles: nothing of the first is left to the second. */
START_TEST(dirty_heap_lists_what_is_written_and_what_is_new) {
  unit_start_heap();
  for (int cycle = 0; cycle < 2; cycle++) {
    memset(&seen, 0, sizeof seen);
    memset(&limited, 0, sizeof limited);
    old = take(BLOCK_PAGES, 0);
    noscan = take(BLOCK_PAGES, SPAN_KIND_NOSCAN);
    ck_assert(old && noscan);
    pthread_join(unit_start_thread(look, NULL), NULL);
    ck_assert_int_eq(dirty_is_available(), begin_err == 0);
    if (begin_err) {
      printf("dirty_heap: pages cannot be watched here: %s\n", strerror(begin_err));
      return;
    }
    for (size_t i = 0; i < CGC_COUNT(errs); i++)
      ck_assert_int_eq(errs[i], 0);
    ck_assert_ptr_nonnull(more);
    ck_assert(!seen.old_again && seen.again_pages == 0);
    ck_assert(seen.old_written && seen.written_pages == 1 && !seen.noscan_written);
    ck_assert(seen.new_of_more);
    ck_assert(!seen.more_again && seen.more_written);
    ck_assert(limited.is_cut);
    ck_assert(limited.is_rest_found);
    ck_assert(limited.is_all_found);
    ck_assert(limited.is_complete);
  }
}
END_TEST

Suite *
dirty_heap_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("dirty_heap", &tests);
  tcase_add_test(tests, dirty_heap_lists_what_is_written_and_what_is_new);
  return suite;
}
