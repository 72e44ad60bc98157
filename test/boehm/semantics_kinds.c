/* SPDX-License-Identifier: MIT */
/* Which words of a block count as pointers, and which pointers: typed blocks, kinds, Java's blocks, displacements. */
#include "semantics_common.h"

#include <gc/gc_gcj.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>

#include <stdint.h>
#include <string.h>

enum { WORDS_MAX = 2000, WORD_BITS = 64, KEPT = 16 };

static void **kept;   /* a block of pointers, kept by this variable */

static void
start(void) {
  GC_INIT();
  kept = GC_malloc(KEPT * sizeof *kept);
}

/* ---- a block all of whose words, up to a count, are pointers to blocks watched by the number of the word ---- */

static struct {
  void *(*allocate)(void);
  size_t first, count;   /* words that are filled */
} request;

static void
fill_words(void) {
  void **block = request.allocate();
  EXPECT(block && GC_size(block) >= (request.first + request.count) * sizeof *block);
  for (size_t i = request.first; i < request.first + request.count; i++) {
    block[i] = GC_malloc(40);
    watch((unsigned)i, block[i]);
  }
  *kept = block;
}

/* Exactly the words for which is_pointer is true keep what they point to. */
static void
check_words(void *(*allocate)(void), size_t first, size_t count, bool (*is_pointer)(size_t word)) {
  request.allocate = allocate;
  request.first = first;
  request.count = count;
  unsigned gone = 0;
  deep(fill_words);
  collect();
  for (size_t i = first; i < first + count; i++) {
    gone += !is_pointer(i);
    EXPECT(!is_pointer(i) || !is_gone((unsigned)i));
  }
  EXPECT_GONE(gone);
}

/* ---- typed ---- */

static GC_word bits[WORDS_MAX / WORD_BITS + 1];
static size_t typed_words, block_words, element_words, element_count;
static GC_descr layout;

static bool
has_bit(size_t word) {
  return word < typed_words && GC_get_bit(bits, word);
}

static void *
allocate_typed(void) {
  return GC_malloc_explicitly_typed(block_words * sizeof(void *), layout);
}

static void *
allocate_typed_by_start(void) {
  return GC_malloc_explicitly_typed_ignore_off_page(block_words * sizeof(void *), layout);
}

/* Random bits; the last of them is set, and the first is not. */
static void
make_layout(size_t words) {
  random_start(words);
  memset(bits, 0, sizeof bits);
  for (size_t i = 1; i < words; i++)
    if (random_below(2) || i + 1 == words)
      GC_set_bit(bits, i);
  typed_words = words;
  layout = GC_make_descriptor(bits, words);
}

static void
check_typed(size_t words, size_t more_words) {
  start();
  make_layout(words);
  block_words = words + more_words;
  check_words(allocate_typed, 0, block_words, has_bit);
}

static void
typed_few_words(void) {
  check_typed(7, 0);
}

static void
typed_as_many_words_as_fit_a_descriptor(void) {
  check_typed(62, 0);
}

static void
typed_one_word_more(void) {
  check_typed(63, 0);
}

static void
typed_many_words(void) {
  check_typed(1500, 0);
}

static void
typed_words_behind_the_layout(void) {
  check_typed(9, 30);
}

static void
typed_by_start(void) {
  start();
  make_layout(1500);
  block_words = 1500;
  check_words(allocate_typed_by_start, 0, block_words, has_bit);
}

static bool
never(size_t word) {
  (void)word;
  return false;
}

static bool
always(size_t word) {
  (void)word;
  return true;
}

static void
typed_without_pointers(void) {
  start();
  block_words = 50;
  layout = GC_make_descriptor(bits, 50);
  check_words(allocate_typed, 0, 50, never);
}

static void
typed_full_of_pointers(void) {
  start();
  block_words = 50;
  memset(bits, 0xff, sizeof bits);
  layout = GC_make_descriptor(bits, 50);
  check_words(allocate_typed, 0, 50, always);
}

static void
typed_is_zeroed(void) {
  start();
  make_layout(20);
  for (int round = 0; round < 2000; round++) {
    size_t bytes = 160 + random_below(2000);
    char *block = GC_malloc_explicitly_typed(bytes, layout);
    EXPECT(is_filled(block, 0, bytes));
    memset(block, 0x5a, bytes);
  }
}

/* ---- arrays ---- */

static bool
is_pointer_of_element(size_t word) {
  return GC_get_bit(bits, word % element_words);
}

static void *
allocate_array(void) {
  return GC_calloc_explicitly_typed(element_count, element_words * sizeof(void *), layout);
}

static void
check_array(size_t words, size_t count) {
  start();
  make_layout(words);
  element_words = words;
  element_count = count;
  check_words(allocate_array, 0, words * count, is_pointer_of_element);
}

static void
array_of_few(void) {
  check_array(3, 4);
}

static void
array_of_one(void) {
  check_array(11, 1);
}

static void
array_of_many(void) {
  check_array(5, 300);
}

static void
array_of_long_elements(void) {
  check_array(70, 25);
}

static void
array_of_pairs(void) {
  check_array(2, 900);
}

static void
array_without_pointers(void) {
  start();
  element_words = 4;
  element_count = 100;
  layout = GC_make_descriptor(bits, 4);
  check_words(allocate_array, 0, 400, never);
}

static void
array_full_of_pointers(void) {
  start();
  element_words = 4;
  element_count = 100;
  memset(bits, 0xff, sizeof bits);
  layout = GC_make_descriptor(bits, 4);
  check_words(allocate_array, 0, 400, always);
}

static void
array_of_too_many(void) {
  start();
  GC_set_warn_proc(GC_ignore_warn_proc);
  layout = GC_make_descriptor(bits, 4);
  volatile size_t count = SIZE_MAX / 8;
  EXPECT(!GC_calloc_explicitly_typed(count, 32, layout));
}

/* ---- kinds ---- */

static unsigned kind;
static size_t kind_words;

static void *
allocate_kind(void) {
  return GC_generic_malloc(kind_words * sizeof(void *), (int)kind);
}

static void
check_kind(GC_word descriptor, int adds_size, size_t words, bool (*is_pointer)(size_t word)) {
  start();
  kind = GC_new_kind(GC_new_free_list(), descriptor, adds_size, 1);
  kind_words = words;
  check_words(allocate_kind, 0, words, is_pointer);
  EXPECT_EQUAL(GC_get_kind_and_size(*kept, NULL), kind);
}

static void
kind_scanned_by_size(void) {
  check_kind(GC_DS_LENGTH, 1, 30, always);
}

static void
kind_scanned_by_size_large(void) {
  check_kind(GC_DS_LENGTH, 1, 4000, always);
}

static bool
is_first_or_second(size_t word) {
  return word < 2;
}

static void
kind_scanned_by_length(void) {
  check_kind(2 * sizeof(void *) | GC_DS_LENGTH, 0, 30, is_first_or_second);
}

static void
kind_without_pointers(void) {
  check_kind(GC_DS_LENGTH, 0, 30, never);
}

static bool
is_third_or_fifth(size_t word) {
  return word == 2 || word == 4;
}

static void
kind_scanned_by_bitmap(void) {
  const GC_word first = (GC_word)1 << (WORD_BITS - 1);
  check_kind(first >> 2 | first >> 4 | GC_DS_BITMAP, 0, 10, is_third_or_fifth);
}

/* By a procedure: the word whose number is the environment. */
static struct GC_ms_entry *
mark_one_word(GC_word *block, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  return GC_MARK_AND_PUSH((void *)block[environment], top, limit, (void **)&block[environment]);
}

static bool
is_seventh(size_t word) {
  return word == 6;
}

static void
kind_scanned_by_procedure(void) {
  start();
  check_kind(GC_MAKE_PROC(GC_new_proc(mark_one_word), 6), 0, 20, is_seventh);
}

static void
kinds_of_several_procedures(void) {
  start();
  unsigned one = GC_new_proc(mark_one_word), other = GC_new_proc(mark_one_word);
  EXPECT(one >= GC_RESERVED_MARK_PROCS && other >= GC_RESERVED_MARK_PROCS && one != other);
  GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(one, 3), 0, 1);
  check_kind(GC_MAKE_PROC(other, 6), 0, 20, is_seventh);
}

/* A chain that each procedure call follows by one link; garbage in the other words. */
static void
make_chain(void) {
  enum { LENGTH = 1000 };
  void **last = NULL;
  for (unsigned i = 0; i < LENGTH; i++) {
    void **block = GC_generic_malloc(64, (int)kind);
    block[6] = last;
    block[1] = GC_malloc(32);
    watch(i, block);
    watch(LENGTH + i, block[1]);
    last = block;
  }
  *kept = last;
}

static void
chain_of_procedures(void) {
  start();
  kind = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(mark_one_word), 6), 0, 1);
  deep(make_chain);
  collect();
  for (unsigned i = 0; i < 1000; i++)
    EXPECT(!is_gone(i));
  EXPECT_GONE(1000);
}

/* What a procedure marks by may change without a write to any block: it is asked in each collection. */
static void *hidden_outside[4];

static struct GC_ms_entry *
mark_outside(GC_word *block, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)environment;
  void *pointer = block[0] ? GC_REVEAL_POINTER(hidden_outside[block[0] - 1]) : NULL;
  return GC_MARK_AND_PUSH(pointer, top, limit, (void **)block);
}

static void
hide_new_one(void) {
  static unsigned number;
  void *block = GC_malloc(20);
  watch(number++, block);
  hidden_outside[2] = (void *)GC_HIDE_POINTER(block);
}

static void
procedure_is_asked_each_time(void) {
  start();
  kind = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(mark_outside), 0), 0, 1);
  GC_word *block = GC_generic_malloc(16, (int)kind);
  *kept = block;
  *block = 3;
  for (unsigned i = 0; i < 10; i++) {
    deep(hide_new_one);
    collect();
    EXPECT(!is_gone(i));
    EXPECT_GONE(i);
  }
}

/* The descriptor is the first word of each block. */
static void *
allocate_own_descriptor(void) {
  GC_word *block = GC_generic_malloc(80, (int)kind);
  *block = (GC_word)1 << (WORD_BITS - 1 - 2) | (GC_word)1 << (WORD_BITS - 1 - 4) | GC_DS_BITMAP;
  return block;
}

static void
kind_scanned_by_own_descriptor(void) {
  start();
  kind = GC_new_kind(GC_new_free_list(), 0 | GC_DS_PER_OBJECT, 0, 1);
  check_words(allocate_own_descriptor, 1, 9, is_third_or_fifth);
}

static void
kind_is_zeroed(void) {
  start();
  kind = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  for (int i = 0; i < 5000; i++) {
    size_t bytes = 1 + random_below(random_below(20) ? 500 : 50000);
    char *block = GC_generic_malloc(bytes, (int)kind);
    EXPECT(is_filled(block, 0, bytes));
    memset(block, 0x5a, bytes);
    if (i % 3 == 0)
      GC_free(block);
  }
}

static void
kinds_are_told_apart(void) {
  start();
  unsigned numbers[5];
  for (unsigned i = 0; i < 5; i++) {
    numbers[i] = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
    EXPECT(numbers[i] >= 4 && (i == 0 || numbers[i] > numbers[i - 1]));
  }
  for (size_t bytes = 1; bytes < 100000; bytes = bytes * 2 + 1)
    for (unsigned i = 0; i < 5; i++) {
      void *block = GC_generic_malloc(bytes, (int)numbers[i]);
      EXPECT_EQUAL(GC_get_kind_and_size(block, NULL), numbers[i]);
      EXPECT_EQUAL(GC_get_kind_and_size(GC_malloc(bytes), NULL), 1);
    }
}

/* Blocks of a kind as in guile's lists. */
static void
make_list_of_kind(void) {
  GC_generic_malloc_many(48, (int)kind, kept);
  unsigned count = 0;
  for (void **block = *kept; block; block = GC_NEXT(block)) {
    EXPECT_EQUAL(GC_get_kind_and_size(block, NULL), kind);
    watch(count++, block);
  }
  EXPECT(count > 0);
}

static void
list_of_kind(void) {
  start();
  kind = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  deep(make_list_of_kind);
  collect();
  EXPECT_EQUAL(count_gone(), 0);
}

/* ---- Java's ---- */

static GC_word table[3];

static void *
allocate_gcj(void) {
  return GC_gcj_malloc(10 * sizeof(void *), table);
}

static void
start_gcj(GC_word descriptor) {
  start();
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)mark_one_word);
  table[1] = descriptor;
}

static void
gcj_scanned_by_bitmap(void) {
  start_gcj((GC_word)1 << (WORD_BITS - 1 - 2) | (GC_word)1 << (WORD_BITS - 1 - 4) | GC_DS_BITMAP);
  check_words(allocate_gcj, 1, 9, is_third_or_fifth);
  EXPECT(*(void **)*kept == table);
  EXPECT_EQUAL(GC_get_kind_and_size(*kept, NULL), GC_gcj_kind);
}

static void
gcj_scanned_by_length(void) {
  start_gcj(10 * sizeof(void *) | GC_DS_LENGTH);
  check_words(allocate_gcj, 1, 9, always);
}

static void
gcj_scanned_by_procedure(void) {
  start();
  unsigned number = GC_new_proc(mark_one_word);
  start_gcj(GC_MAKE_PROC(number, 6));
  check_words(allocate_gcj, 1, 9, is_seventh);
}

/* ---- blocks seen from outside ---- */

static unsigned kept_seen, dropped_seen;

static void
count_seen(void *block, size_t bytes, void *data) {
  EXPECT(!data && bytes == GC_size(block));
  kept_seen += block == *kept;
  dropped_seen += GC_HIDE_POINTER(block) == (GC_word)hidden_outside[0];
}

static void *
enumerate(void *data) {
  GC_enumerate_reachable_objects_inner(count_seen, data);
  return NULL;
}

static void
drop_one(void) {
  *kept = GC_malloc(50);
  hidden_outside[0] = (void *)GC_HIDE_POINTER(GC_malloc(50));
}

static void
enumerated(void) {
  start();
  deep(drop_one);
  collect();
  GC_call_with_alloc_lock(enumerate, NULL);
  EXPECT_EQUAL(kept_seen, 1);
  EXPECT_EQUAL(dropped_seen, 0);
}

/* ---- displacements ---- */

static const size_t offsets[] = {0, 1, 3, 8, 16, 40, 100, 2000};
enum { OFFSETS = sizeof offsets / sizeof *offsets };

static void
take_by_offsets(void) {
  for (unsigned i = 0; i < OFFSETS; i++) {
    char *block = GC_malloc(3000);
    watch(i, block);
    kept[i] = block + offsets[i];
  }
}

static void
start_without_interior(void) {
  GC_set_all_interior_pointers(0);
  start();
  EXPECT_EQUAL(GC_get_all_interior_pointers(), 0);
}

static void
displacements_not_registered(void) {
  start_without_interior();
  deep(take_by_offsets);
  collect();
  for (unsigned i = 0; i < OFFSETS; i++)
    EXPECT_EQUAL(is_gone(i), offsets[i] != 0);
}

static void
displacements_registered(void) {
  start_without_interior();
  GC_register_displacement(1);
  GC_register_displacement(40);
  GC_register_displacement(2000);
  deep(take_by_offsets);
  collect();
  for (unsigned i = 0; i < OFFSETS; i++)
    EXPECT_EQUAL(is_gone(i), offsets[i] != 0 && offsets[i] != 1 && offsets[i] != 40 && offsets[i] != 2000);
}

static char *static_interior;

static void
take_static_interior(void) {
  char *block = GC_malloc(3000);
  watch(0, block);
  static_interior = block + 24;
}

static void
displacements_in_static_data(void) {
  start_without_interior();
  deep(take_static_interior);
  collect();
  EXPECT(is_gone(0));
}

/* From stacks any pointer into a block counts. */
__attribute__((noinline)) static void
hold_by_stack(void) {
  char *volatile inside = (char *)GC_malloc(3000) + 1234;
  watch(0, inside - 1234);
  collect();
  EXPECT(!is_gone(0));
  memset(inside - 1234, 1, 3000);
}

static void
displacements_on_the_stack(void) {
  start_without_interior();
  deep(hold_by_stack);
  collect();
  EXPECT(is_gone(0));
}

/* No byte is added, and none is missing. */
static void
displacements_sizes(void) {
  enum { BYTES_MAX = 40000 };
  start_without_interior();
  for (size_t bytes = 1; bytes <= BYTES_MAX; bytes += bytes < 5000 ? 1 : 97) {
    void *const blocks[] = {GC_malloc(bytes), GC_malloc_atomic(bytes), GC_malloc_uncollectable(bytes),
                            GC_memalign(64, bytes), GC_realloc(GC_malloc(10), bytes)};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
      EXPECT(blocks[i] && GC_size(blocks[i]) >= bytes);
    GC_free(blocks[2]);
  }
  for (size_t bytes = 16; bytes <= 128; bytes += 16)
    EXPECT_EQUAL(GC_size(GC_malloc(bytes)), bytes);
}

/* Neighbours that are filled to their ends do not touch each other. */
static void
displacements_neighbours(void) {
  enum { COUNT = 200 };
  unsigned char *blocks[COUNT];
  start_without_interior();
  for (size_t bytes = 100; bytes < 5000; bytes += bytes < 600 ? 1 : 31) {
    for (unsigned i = 0; i < COUNT; i++)
      memset(blocks[i] = GC_malloc_atomic(bytes), (int)i, bytes);
    for (unsigned i = 0; i < COUNT; i++)
      EXPECT(is_filled(blocks[i], (int)i, bytes));
  }
}

static void
displacements_of_aligned(void) {
  start_without_interior();
  for (unsigned i = 0; i < 9; i++) {
    kept[i] = GC_memalign((size_t)16 << i, 300);
    memset(kept[i], (int)i, 300);
  }
  collect();
  for (unsigned i = 0; i < 200; i++)
    memset(GC_malloc(300), 0xff, 300);
  for (unsigned i = 0; i < 9; i++)
    EXPECT(is_filled(kept[i], (int)i, 300));
}

/* ---- checked pointers ---- */

static unsigned complaints;

static void
complain_of_two(void *one, void *other) {
  (void)one, (void)other;
  complaints++;
}

static void
complain(void *at) {
  (void)at;
  complaints++;
}

static void
pointers_checked(void) {
  start_without_interior();
  GC_register_displacement(8);
  GC_register_displacement(16);
  GC_same_obj_print_proc = complain_of_two;
  GC_is_valid_displacement_print_proc = complain;
  char *block = GC_malloc(100), *other = GC_malloc(100);
  EXPECT(GC_same_obj(block + 90, block) == block + 90);
  EXPECT(GC_is_valid_displacement(block) == block);
  char *at = block;
  EXPECT(GC_pre_incr((void **)&at, 8) == block + 8 && at == block + 8);
  EXPECT(GC_post_incr((void **)&at, 8) == block + 8 && at == block + 16);
  EXPECT(GC_is_visible(&static_interior) == &static_interior);
  EXPECT_EQUAL(complaints, 0);
  GC_same_obj(block, other);
  EXPECT_EQUAL(complaints, 1);
  GC_is_valid_displacement(block + 24);
  EXPECT_EQUAL(complaints, 2);
  GC_pre_incr((void **)&at, 8);
  EXPECT_EQUAL(complaints, 3);
}

static const struct test_case cases[] = {
  CASE(typed_few_words, ANYONES),
  CASE(typed_as_many_words_as_fit_a_descriptor, ANYONES),
  CASE(typed_one_word_more, ANYONES),
  CASE(typed_many_words, ANYONES),
  CASE(typed_words_behind_the_layout, ANYONES),
  CASE(typed_by_start, ANYONES),
  CASE(typed_without_pointers, ANYONES),
  CASE(typed_full_of_pointers, ANYONES),
  CASE(typed_is_zeroed, ANYONES),
  CASE(array_of_few, ANYONES),
  CASE(array_of_one, ANYONES),
  CASE(array_of_many, ANYONES),
  CASE(array_of_long_elements, ANYONES),
  CASE(array_of_pairs, ANYONES),
  CASE(array_without_pointers, ANYONES),
  CASE(array_full_of_pointers, ANYONES),
  CASE(array_of_too_many, ANYONES),
  CASE(kind_scanned_by_size, ANYONES),
  CASE(kind_scanned_by_size_large, ANYONES),
  CASE(kind_scanned_by_length, ANYONES),
  CASE(kind_without_pointers, ANYONES),
  CASE(kind_scanned_by_bitmap, ANYONES),
  CASE(kind_scanned_by_procedure, ANYONES),
  CASE(kinds_of_several_procedures, ANYONES),
  CASE(chain_of_procedures, ANYONES),
  CASE(procedure_is_asked_each_time, ANYONES),
  CASE(kind_scanned_by_own_descriptor, ANYONES),
  CASE(kind_is_zeroed, ANYONES),
  CASE(kinds_are_told_apart, ANYONES),
  CASE(list_of_kind, ANYONES),
  CASE(gcj_scanned_by_bitmap, ANYONES),
  CASE(gcj_scanned_by_length, ANYONES),
  CASE(gcj_scanned_by_procedure, ANYONES),
  CASE(enumerated, ANYONES),
  CASE(displacements_not_registered, ANYONES),
  CASE(displacements_registered, ANYONES),
  CASE(displacements_in_static_data, ANYONES),
  CASE(displacements_on_the_stack, ANYONES),
  CASE(displacements_sizes, ANYONES),
  CASE(displacements_neighbours, ANYONES),
  CASE(displacements_of_aligned, ANYONES),
  CASE(pointers_checked, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
