/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "world/exported_symbol.h"
#include "world/loaded_objects.h"

#include <dlfcn.h>
#include <elf.h>
#include <gnu/lib-names.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const ElfW(Addr) *
pointer_of(const struct link_map *map, ElfW(Sxword) tag) {
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == tag)
      return &entry->d_un.d_ptr;
  return NULL;
}

static const char *
names_of(const struct link_map *map) {
  return (const char *)*pointer_of(map, DT_STRTAB);
}

/* glibc keeps the old table beside the new one, which tells how many symbols there are. */
static uint32_t
symbol_count(const struct link_map *map) {
  const ElfW(Addr) *hash = pointer_of(map, DT_HASH);
  ck_assert_ptr_nonnull(hash);
  return ((const uint32_t *)*hash)[1];
}

static bool
is_in(const struct link_map *map, const char *name) {
  return exported_symbol_is_any_in(map, &name, 1);
}

START_TEST(exported_symbol_of_all_that_a_library_defines) {
  const struct link_map *map = dlopen(LIBC_SO, RTLD_NOW);
  const ElfW(Sym) *symbols = (const ElfW(Sym) *)*pointer_of(map, DT_SYMTAB);
  unsigned defined = 0, undefined = 0;
  for (uint32_t i = 1; i < symbol_count(map); i++) {
    bool is_defined = symbols[i].st_shndx != SHN_UNDEF;
    ck_assert_msg(is_in(map, names_of(map) + symbols[i].st_name) == is_defined, "%s",
                  names_of(map) + symbols[i].st_name);
    *(is_defined ? &defined : &undefined) += 1;
  }
  ck_assert_uint_gt(defined, 1000);
  ck_assert_uint_gt(undefined, 0);
}
END_TEST

/* Many of them pass the filter, and some have the bucket of another one. */
START_TEST(exported_symbol_of_names_that_nobody_has) {
  const struct link_map *map = dlopen(LIBC_SO, RTLD_NOW);
  for (unsigned i = 0; i < 20000; i++) {
    char name[32];
    snprintf(name, sizeof name, "no_such_%u", i);
    ck_assert_msg(!is_in(map, name), "%s", name);
  }
  ck_assert(!is_in(map, "") && !is_in(map, "mallo") &&
            !is_in(map, "mallocc"));
}
END_TEST

START_TEST(exported_symbol_of_objects_without_tables_or_not_relocated) {
  const struct link_map *libc = dlopen(LIBC_SO, RTLD_NOW);
  ElfW(Dyn) section[64];
  size_t count = 0;
  do {
    ck_assert_uint_lt(count, CGC_COUNT(section));
    section[count] = libc->l_ld[count];
    if (section[count].d_tag == DT_GNU_HASH || section[count].d_tag == DT_SYMTAB || section[count].d_tag == DT_STRTAB)
      section[count].d_un.d_ptr -= libc->l_addr;
  } while (section[count++].d_tag != DT_NULL);
  struct link_map map = {.l_addr = libc->l_addr, .l_ld = section};
  ck_assert(is_in(&map, "malloc") && !is_in(&map, "mallocc"));
  ElfW(Dyn) empty = {.d_tag = DT_NULL};
  map.l_ld = &empty;
  ck_assert(!is_in(&map, "malloc"));
  map.l_ld = NULL;
  ck_assert(!is_in(&map, "malloc"));
}
END_TEST

/* As in the middle of dlclose. */
START_TEST(exported_symbol_of_an_object_whose_memory_is_gone) {
  const struct link_map *libc = dlopen(LIBC_SO, RTLD_NOW);
  char *gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(gone, MAP_FAILED);
  ck_assert_int_eq(munmap(gone, 4096), 0);
  struct link_map map = {.l_addr = libc->l_addr, .l_ld = (ElfW(Dyn) *)(void *)gone};
  ck_assert(!is_in(&map, "malloc"));
  for (int lost = 0; lost < 3; lost++) {
    const ElfW(Sxword) tags[] = {DT_GNU_HASH, DT_SYMTAB, DT_STRTAB};
    ElfW(Dyn) section[4] = {{.d_tag = DT_NULL}, {.d_tag = DT_NULL}, {.d_tag = DT_NULL}, {.d_tag = DT_NULL}};
    for (int i = 0; i < 3; i++)
      section[i] = (ElfW(Dyn)){tags[i], {.d_ptr = i == lost ? (uintptr_t)gone : *pointer_of(libc, tags[i])}};
    map.l_ld = section;
    ck_assert_msg(!is_in(&map, "malloc"), "%d", lost);
  }
}
END_TEST

START_TEST(exported_symbol_of_any_loaded_object) {
  const char *names[] = {"no_such_function", "nor_this_one", "_dl_allocate_tls"};
  ck_assert(loaded_objects_export_any_stw(names, 3) && !loaded_objects_export_any_stw(names, 2));
}
END_TEST

Suite *
exported_symbol_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("exported_symbol", &tests);
  tcase_add_test(tests, exported_symbol_of_all_that_a_library_defines);
  tcase_add_test(tests, exported_symbol_of_names_that_nobody_has);
  tcase_add_test(tests, exported_symbol_of_objects_without_tables_or_not_relocated);
  tcase_add_test(tests, exported_symbol_of_an_object_whose_memory_is_gone);
  tcase_add_test(tests, exported_symbol_of_any_loaded_object);
  return suite;
}
