/* SPDX-License-Identifier: MIT */
/* Roots by name: static data of objects, less what is excluded, and variables of threads. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "gc/runtime.h"
#include "world/named_roots.h"
#include "world/roots.h"
#include "world/stop.h"

#include <errno.h>
#include <link.h>
#include <sys/mman.h>

enum { PAGE = 4096, WORDS = PAGE / sizeof(uintptr_t) };

static uintptr_t zero_word, full_word = 1;
static __thread uintptr_t thread_word = 1;
static const uintptr_t constant_word = 1;

/* ---- static data ---- */

static struct array ranges;

static bool
has(const struct array *list, const volatile void *pointer) {
  const struct page_range *range = list->items;
  for (size_t i = 0; i < list->count; i++)
    if (range[i].start_addr <= (uintptr_t)pointer && (uintptr_t)pointer < range[i].end_addr)
      return true;
  return false;
}

static void
list_static(static_data_filter *filter) {
  ranges.count = 0;
  ck_assert(static_data_note_stw(filter) && static_data_list_stw(&ranges));
}

START_TEST(static_data_is_what_can_be_written) {
  unit_start_runtime();
  uintptr_t local = 0, *outside = malloc(sizeof *outside);
  list_static(NULL);
  ck_assert(has(&ranges, &zero_word) && has(&ranges, &full_word) && has(&ranges, &environ));
  ck_assert(!has(&ranges, &local) && !has(&ranges, outside) && !has(&ranges, &constant_word));
  ck_assert(!has(&ranges, (const void *)(uintptr_t)list_static));
  free(outside);
}
END_TEST

/* As the dynamic linker itself tells it. */
static int
check_object(struct dl_phdr_info *object, size_t bytes, void *data) {
  (void)bytes, (void)data;
  uintptr_t relro = 0, relro_end = 0;
  for (unsigned i = 0; i < object->dlpi_phnum; i++)
    if (object->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
      relro = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
      relro_end = relro + object->dlpi_phdr[i].p_memsz;
    }
  for (unsigned i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + header->p_vaddr;
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_W))
      continue;
    for (uintptr_t at = start; at < start + header->p_memsz; at += sizeof(uintptr_t)) {
      bool is_constant = at >= relro && at < (relro_end & ~(uintptr_t)(PAGE - 1));
      if (has(&ranges, (void *)at) == is_constant)   /* an assertion per word would take half a minute */
        ck_abort_msg("%s at %#lx", object->dlpi_name, at);
    }
  }
  return 0;
}

START_TEST(static_data_is_that_of_all_objects) {
  unit_start_runtime();
  list_static(NULL);
  dl_iterate_phdr(check_object, NULL);
}
END_TEST

static unsigned asked;

static bool
is_named_libc(const char *name, uintptr_t start_addr, size_t bytes) {
  asked++;
  ck_assert(start_addr && bytes);
  return strstr(name, "/libc.so") != NULL;
}

START_TEST(static_data_is_filtered) {
  unit_start_runtime();
  list_static(is_named_libc);
  ck_assert_uint_gt(asked, 1);
  ck_assert(has(&ranges, &environ) || has(&ranges, stdout));
  ck_assert(!has(&ranges, &zero_word));
}
END_TEST

START_TEST(static_data_of_a_thread_is_its_variables) {
  unit_start_runtime();
  ranges.count = 0;
  ck_assert(static_data_list_thread_stw((uintptr_t)pthread_self(), &ranges));
  ck_assert(has(&ranges, &thread_word));
  ck_assert(!has(&ranges, &zero_word));
}
END_TEST

/* ---- selected from the pages there are ---- */

static struct {
  uintptr_t before[WORDS], excluded[4 * WORDS], behind[WORDS];
} paged CGC_ALIGNED(PAGE);

/* Touched, so that they are pages of our own. */
static void
start_named(void) {
  unit_start_runtime();
  memset(&paged, 1, sizeof paged);
  zero_word = full_word = 3;
  roots_policy.are_named = true;
}

static bool
is_selected(const volatile void *pointer) {
  struct page_ranges named, pages, selected;
  ck_assert(named_roots_list_stw(&named));
  ck_assert_int_eq(pages_list_wanted(&named, &pages), 0);
  ck_assert(named_roots_select_stw(&pages, &selected));
  for (size_t i = 0; i < selected.count; i++) {
    const struct page_range *range = &selected.ranges[i];
    ck_assert_uint_le(range->start_addr, range->end_addr);
    ck_assert(i == 0 || selected.ranges[i - 1].end_addr <= range->start_addr);
    if (range->start_addr <= (uintptr_t)pointer && (uintptr_t)pointer < range->end_addr)
      return true;
  }
  return false;
}

START_TEST(named_roots_are_static_data_and_variables_of_threads) {
  start_named();
  uintptr_t *mapped = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(mapped, MAP_FAILED);
  uintptr_t *outside = malloc(1000000);
  mapped[8 * WORDS] = outside[1000] = thread_word = 7;
  ck_assert(is_selected(&zero_word) && is_selected(&full_word) && is_selected(&thread_word));
  ck_assert(!is_selected(&outside[1000]));
  free(outside);
}
END_TEST

START_TEST(named_roots_without_static_data) {
  start_named();
  roots_policy.have_static_data = false;
  thread_word = 7;
  ck_assert(!is_selected(&zero_word) && !is_selected(&full_word));
  ck_assert(is_selected(&thread_word));
}
END_TEST

static void
assert_excluded(const char *expected) {
  for (size_t page = 0; page < 6; page++)
    ck_assert_msg(is_selected((char *)&paged + page * PAGE + 8) == (expected[page] == '+'), "page %zu of %s", page,
                  expected);
}

static void
exclude(size_t from_page, size_t to_page) {
  uintptr_t start = (uintptr_t)&paged;
  ck_assert_int_eq(named_roots_exclude(start + from_page * PAGE, start + to_page * PAGE), 0);
}

START_TEST(named_roots_less_what_is_excluded) {
  start_named();
  assert_excluded("++++++");
  exclude(1, 2);
  assert_excluded("+-++++");
  exclude(3, 5);
  assert_excluded("+-+--+");
  exclude(0, 4);
  assert_excluded("-----+");
  named_roots_exclude_nothing();
  assert_excluded("++++++");
  ck_assert_int_eq(named_roots_exclude(8, 8), EINVAL);
  ck_assert_int_eq(named_roots_exclude(16, 8), EINVAL);
}
END_TEST

START_TEST(named_roots_of_a_stopped_thread) {
  struct stop_result result;
  unit_start_runtime();
  roots_policy.are_named = true;
  thread_word = 7;
  ck_assert_int_eq(stop_world_begin(&result), 0);
  bool is_there = is_selected(&thread_word);
  stop_world_end();
  ck_assert(is_there);
}
END_TEST

Suite *
named_roots_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("named_roots", &tests);
  tcase_add_test(tests, static_data_is_what_can_be_written);
  tcase_add_test(tests, static_data_is_that_of_all_objects);
  tcase_add_test(tests, static_data_is_filtered);
  tcase_add_test(tests, static_data_of_a_thread_is_its_variables);
  tcase_add_test(tests, named_roots_are_static_data_and_variables_of_threads);
  tcase_add_test(tests, named_roots_without_static_data);
  tcase_add_test(tests, named_roots_less_what_is_excluded);
  tcase_add_test(tests, named_roots_of_a_stopped_thread);
  return suite;
}
