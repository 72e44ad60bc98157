/* SPDX-License-Identifier: MIT */
/* Allocation: what blocks are like, what is known of them, and how long they stay. */
#include "semantics_common.h"

#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_MAX = 5000, GRANULE = 16 };

static const size_t large_sizes[] = {8191, 8192, 8193, 32767, 32768, 32769, 65536, 100000, 1 << 20, (1 << 22) + 5};
enum { LARGE_COUNT = sizeof large_sizes / sizeof *large_sizes };

static void **kept;   /* a block of pointers, kept by this variable */

static void
keep_all(size_t count) {
  GC_INIT();
  kept = GC_malloc(count * sizeof *kept);
  EXPECT(kept);
}

/* ---- zeroed ---- */

/* The whole block, for what is behind the bytes that were asked for is scanned, too. */
static void
take_zeroed_and_fill(size_t bytes) {
  char *block = GC_malloc(bytes);
  EXPECT(block && GC_size(block) >= bytes && is_filled(block, 0, GC_size(block)));
  memset(block, 0xa5, bytes ? bytes : 1);
}

static void
take_zeroed_of_all_sizes(void) {
  for (size_t bytes = 0; bytes <= SMALL_MAX; bytes++)
    take_zeroed_and_fill(bytes);
  for (size_t i = 0; i < LARGE_COUNT; i++)
    take_zeroed_and_fill(large_sizes[i]);
}

static void
zeroed(void) {
  GC_INIT();
  take_zeroed_of_all_sizes();
}

/* Each round takes slots that one before has filled. */
static void
zeroed_after_reuse(void) {
  GC_INIT();
  for (int round = 0; round < 4; round++) {
    deep(take_zeroed_of_all_sizes);
    GC_gcollect();
  }
}

static void
zeroed_after_free(void) {
  GC_INIT();
  for (size_t bytes = 1; bytes <= SMALL_MAX; bytes += 7)
    for (int round = 0; round < 3; round++) {
      char *block = GC_malloc(bytes);
      EXPECT(is_filled(block, 0, GC_size(block)));
      memset(block, 0xa5, bytes);
      GC_free(block);
    }
}

static void
zeroed_uncollectable_and_aligned(void) {
  GC_INIT();
  for (size_t bytes = 1; bytes <= 3000; bytes += 11)
    for (int round = 0; round < 2; round++) {
      char *block = GC_malloc_uncollectable(bytes);
      EXPECT(is_filled(block, 0, bytes));
      memset(block, 0xa5, bytes);
      GC_free(block);
      char *aligned = GC_memalign(256, bytes);
      EXPECT(is_filled(aligned, 0, bytes));
      memset(aligned, 0xa5, bytes);
    }
}

/* ---- sizes ---- */

/* A pointer to anywhere in a block leads to it. */
static void
check_block(char *block, size_t bytes) {
  EXPECT(block);
  EXPECT_EQUAL((uintptr_t)block % GRANULE, 0);
  EXPECT(GC_size(block) >= bytes);
  const size_t offsets[] = {0, 1, bytes / 3, bytes / 2, bytes ? bytes - 1 : 0};
  for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
    EXPECT(GC_base(block + offsets[i]) == block);
  EXPECT(GC_is_heap_ptr(block) && GC_is_heap_ptr(block + bytes / 2));
}

static void
check_sizes_of(void *(*allocate)(size_t)) {
  for (size_t bytes = 1; bytes <= SMALL_MAX; bytes++)
    check_block(allocate(bytes), bytes);
  for (size_t i = 0; i < LARGE_COUNT; i++)
    check_block(allocate(large_sizes[i]), large_sizes[i]);
}

static void
sizes(void) {
  GC_INIT();
  check_sizes_of(GC_malloc);
  check_sizes_of(GC_malloc_atomic);
  check_sizes_of(GC_malloc_uncollectable);
  check_sizes_of(GC_malloc_ignore_off_page);
}

/* Just past the end, too, as C lets pointers be, for that keeps a block that is collected (gc.h). */
static void
room_for_a_pointer_past_the_end(void) {
  GC_INIT();
  for (size_t bytes = 1; bytes <= SMALL_MAX; bytes++) {
    char *block = GC_malloc(bytes), *atomic = GC_malloc_atomic(bytes);
    EXPECT(GC_base(block + bytes) == block && GC_base(atomic + bytes) == atomic);
  }
  for (size_t i = 0; i < LARGE_COUNT; i++) {
    char *block = GC_malloc(large_sizes[i]);
    EXPECT(GC_base(block + large_sizes[i]) == block);
  }
}

static void
sizes_are_not_wasteful(void) {
  GC_INIT();
  for (size_t bytes = 1; bytes <= 100000; bytes += bytes / 16 + 1) {
    size_t block_bytes = GC_size(GC_malloc(bytes)), rounded = (bytes + GRANULE) / GRANULE * GRANULE;
    EXPECT(block_bytes <= rounded + rounded / 2 || block_bytes - rounded < 8192);
  }
}

static int static_word;

static void
no_blocks(void) {
  GC_INIT();
  char *outside = malloc(100);
  int local = 0;
  void *const addresses[] = {NULL, (void *)1, (void *)-1L, &local, &static_word, outside, (void *)(uintptr_t)no_blocks};
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    EXPECT(!GC_base(addresses[i]));
    EXPECT(!GC_is_heap_ptr(addresses[i]));
  }
  free(outside);
}

static void
kinds_and_sizes_told(void) {
  GC_INIT();
  void *const blocks[] = {GC_malloc_atomic(40), GC_malloc(40), GC_malloc_uncollectable(40),
                          GC_malloc_atomic_uncollectable(40)};
  for (int kind = 0; kind < 4; kind++) {
    size_t bytes = 0;
    EXPECT_EQUAL(GC_get_kind_and_size(blocks[kind], &bytes), kind);
    EXPECT_EQUAL(bytes, GC_size(blocks[kind]));
  }
}

/* ---- absurd sizes ---- */

static unsigned warnings;

static void
count_warning(char *format, GC_word word) {
  (void)format, (void)word;
  warnings++;
}

static void
huge(void) {
  static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2 + 1,
                                 SIZE_MAX / 2, SIZE_MAX / 2 - 4095, (size_t)1 << 47};
  GC_INIT();
  GC_set_warn_proc(count_warning);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    volatile size_t bytes = sizes[i];
    char *block = GC_malloc(10);
    strcpy(block, "content");
    EXPECT(!GC_malloc(bytes));
    EXPECT(!GC_malloc_atomic(bytes));
    EXPECT(!GC_malloc_uncollectable(bytes));
    EXPECT(!GC_malloc_ignore_off_page(bytes));
    EXPECT(!GC_malloc_atomic_ignore_off_page(bytes));
    EXPECT(!GC_generic_malloc(bytes, 1));
    EXPECT(!GC_memalign(64, bytes));
    EXPECT(!GC_realloc(block, bytes) && !strcmp(block, "content"));
  }
  EXPECT(warnings > 0);
  EXPECT(GC_malloc(100));
}

/* ---- realloc ---- */

static void
fill(char *block, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    block[i] = (char)(i % 251 + 1);
}

static bool
has_filling(const char *block, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (block[i] != (char)(i % 251 + 1))
      return false;
  return true;
}

static void
check_resized(char *block, size_t content_bytes, size_t bytes) {
  EXPECT(block && GC_size(block) >= bytes);
  EXPECT(has_filling(block, content_bytes));
  EXPECT(is_filled(block + content_bytes, 0, GC_size(block) - content_bytes));
}

static void
realloc_grows(void) {
  GC_INIT();
  for (size_t step = 1; step < 5000; step = step * 3 + 1) {
    char *block = GC_malloc(1);
    size_t bytes = 1;
    fill(block, 0, bytes);
    while (bytes < 200000) {
      size_t more = bytes + step + bytes / 8;
      block = GC_realloc(block, more);
      check_resized(block, bytes, more);
      fill(block, bytes, more);
      bytes = more;
    }
  }
}

static void
realloc_shrinks(void) {
  GC_INIT();
  for (size_t start = 10; start < 300000; start = start * 2 + 3) {
    char *block = GC_malloc(start);
    fill(block, 0, start);
    for (size_t bytes = start - start / 9; bytes > 4; bytes -= bytes / 5 + 1) {
      block = GC_realloc(block, bytes);
      check_resized(block, bytes, bytes);
    }
  }
}

/* What was cut off is not there when the block grows again. */
static void
realloc_shrinks_and_grows(void) {
  GC_INIT();
  random_start(7);
  char *block = GC_malloc(100);
  size_t bytes = 100;
  fill(block, 0, bytes);
  for (int i = 0; i < 4000; i++) {
    size_t wanted = 1 + random_below(i % 100 ? 3000 : 300000);
    size_t content = wanted < bytes ? wanted : bytes;
    block = GC_realloc(block, wanted);
    check_resized(block, content, wanted);
    fill(block, content, wanted);
    bytes = wanted;
  }
}

static void
realloc_keeps_the_kind(void) {
  GC_INIT();
  unsigned made = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  for (int kind = 0; kind < 5; kind++) {
    int wanted = kind < 4 ? kind : (int)made;
    char *block = GC_generic_or_special_malloc(20, wanted);
    strcpy(block, "content");
    for (size_t bytes = 30; bytes < 100000; bytes *= 3) {
      block = GC_realloc(block, bytes);
      EXPECT(!strcmp(block, "content"));
      EXPECT_EQUAL(GC_get_kind_and_size(block, NULL), wanted);
    }
  }
}

static void
realloc_ends(void) {
  GC_INIT();
  char *block = GC_realloc(NULL, 50);
  check_block(block, 50);
  EXPECT(is_filled(block, 0, 50));
  EXPECT(!GC_realloc(block, 0));
}

/* An uncollectable block stays one, and the old one does not. */
static void
grow_uncollectable(void) {
  void **block = GC_malloc_uncollectable(sizeof *block);
  *block = GC_malloc(100);
  watch(0, *block);
  block = GC_realloc(block, 10000);
  kept = (void **)GC_HIDE_POINTER(block);
}

static void
realloc_keeps_uncollectable(void) {
  GC_INIT();
  deep(grow_uncollectable);
  collect();
  EXPECT(!is_gone(0));
  GC_free(GC_REVEAL_POINTER(kept));
  collect();
  EXPECT(is_gone(0));
}

/* ---- alignment ---- */

static void
check_aligned(size_t alignment, size_t bytes) {
  char *block = GC_memalign(alignment, bytes);
  EXPECT(block);
  EXPECT_EQUAL((uintptr_t)block % alignment, 0);
  EXPECT(is_filled(block, 0, bytes));
  memset(block, 0x5a, bytes);
  void *other = NULL;
  EXPECT_EQUAL(GC_posix_memalign(&other, alignment, bytes), 0);
  EXPECT(other && (uintptr_t)other % alignment == 0);
}

static void
aligned(void) {
  GC_INIT();
  for (size_t alignment = 8; alignment <= 4096; alignment *= 2)
    for (size_t bytes = 1; bytes < 50000; bytes = bytes * 2 + 1)
      check_aligned(alignment, bytes);
}

static void
aligned_to_more_than_pages(void) {
  GC_INIT();
  for (size_t alignment = 8192; alignment <= 1 << 20; alignment *= 2)
    check_aligned(alignment, alignment / 2 + 1);
}

static void
aligned_wrongly(void) {
  void *block = &block;
  GC_INIT();
  EXPECT_EQUAL(GC_posix_memalign(&block, 4, 10), EINVAL);
  EXPECT_EQUAL(GC_posix_memalign(&block, 24, 10), EINVAL);
  EXPECT(block == &block);
}

static void
take_aligned(void) {
  for (unsigned i = 0; i < 10; i++) {
    kept[i] = GC_memalign((size_t)16 << i % 9, (size_t)100 << i);
    watch(i, GC_base(kept[i]));
  }
}

static void
aligned_is_kept_and_goes(void) {
  keep_all(10);
  deep(take_aligned);
  collect();
  EXPECT_EQUAL(count_gone(), 0);
  kept = NULL;
  collect();
  EXPECT_GONE(10);
}

/* ---- lists ---- */

static unsigned list_count;

/* Distinct blocks, zero but for the link; all are watched. */
static void
check_list(void *list, size_t bytes, bool is_cleared) {
  EXPECT(list);
  for (void *block = list; block; block = GC_NEXT(block)) {
    EXPECT(GC_base(block) == block && GC_size(block) >= bytes);
    EXPECT(!is_cleared || is_filled((char *)block + sizeof(void *), 0, GC_size(block) - sizeof(void *)));
    EXPECT(list_count < WATCHED_MAX);
    watch(list_count++, block);
  }
}

static void
take_list(void) {
  *kept = GC_malloc_many(100);
  check_list(*kept, 100, true);
}

/* The first one keeps all, as each refers to the next. */
static void
many(void) {
  keep_all(1);
  deep(take_list);
  EXPECT(list_count > 1);
  collect();
  EXPECT_EQUAL(count_gone(), 0);
  unsigned count = 0;
  for (void *block = *kept; block; block = GC_NEXT(block))
    EXPECT(block == watched(count++));
  EXPECT_EQUAL(count, list_count);
  kept = NULL;
  collect();
  EXPECT_GONE(list_count);
}

static void
many_of_all_sizes(void) {
  GC_INIT();
  for (size_t bytes = 1; bytes <= 2000; bytes += 13) {
    list_count = 0;
    void *list = GC_malloc_many(bytes);
    for (void *block = list; block; block = GC_NEXT(block))
      EXPECT(GC_size(block) >= bytes && is_filled((char *)block + 8, 0, GC_size(block) - 8));
  }
}

/* As guile and gc_inline.h do, with sizes that are exactly used. */
static void
generic_many(void) {
  keep_all(1);
  for (int kind = 0; kind <= 1; kind++)
    for (size_t bytes = GRANULE; bytes <= 24 * GRANULE; bytes += GRANULE) {
      unsigned count = 0;
      GC_generic_malloc_many(bytes, kind, kept);
      for (void *block = *kept, *next; block; block = next, count++) {
        next = GC_NEXT(block);
        EXPECT(GC_size(block) >= bytes);
        EXPECT_EQUAL(GC_get_kind_and_size(block, NULL), kind);
        EXPECT(!kind || is_filled((char *)block + sizeof(void *), 0, bytes - sizeof(void *)));
        memset(block, 0x77, bytes);
      }
      EXPECT(count >= 1);
    }
}

static void *inline_lists[GC_TINY_FREELISTS];

/* Without collections meanwhile, which would find the lists of pointer-free blocks by their heads alone. */
static void
inlined(void) {
  enum { ROUNDS = 200 };
  keep_all(ROUNDS * 30);
  for (int kind = GC_I_PTRFREE; kind <= GC_I_NORMAL; kind++) {
    memset(inline_lists, 0, sizeof inline_lists);
    GC_disable();
    for (unsigned i = 0; i < ROUNDS * 30; i++) {
      size_t granules = i % 30;
      char *block;
      GC_FAST_MALLOC_GRANS(block, granules, inline_lists, 0, kind, GC_malloc_kind(granules * GRANULE + 1, kind),
                           *(void **)block = NULL);
      EXPECT(block && (kind == GC_I_PTRFREE || is_filled(block, 0, granules * GRANULE)));
      memset(block, (int)i, granules * GRANULE);
      kept[i] = block;
    }
    GC_enable();
    collect();
    for (unsigned i = 0; i < ROUNDS * 30; i++)
      EXPECT(is_filled(kept[i], (unsigned char)i, i % 30 * GRANULE));
  }
}

/* ---- what keeps blocks ---- */

static void
take_unreferenced(void) {
  for (unsigned i = 0; i < 100; i++) {
    watch(i, GC_malloc(i * 20 + 1));
    watch(100 + i, GC_malloc_atomic(i * 20 + 1));
    watch(200 + i, GC_malloc_ignore_off_page(i * 500 + 1));
  }
}

static void
unreachable_goes(void) {
  GC_INIT();
  deep(take_unreferenced);
  collect_once();
  EXPECT_GONE(300);
}

static void
take_cycle(void) {
  void **one = GC_malloc(64), **other = GC_malloc(64);
  one[3] = other;
  other[5] = one;
  watch(0, one);
  watch(1, other);
}

static void
cycle_goes(void) {
  GC_INIT();
  deep(take_cycle);
  collect_once();
  EXPECT_GONE(2);
}

static void
take_chain(void) {
  enum { LENGTH = 1000 };
  void **last = NULL;
  for (unsigned i = 0; i < LENGTH; i++) {
    void **block = GC_malloc(16 + i % 100 * 8);
    block[i % 100] = last;
    watch(i, block);
    last = block;
  }
  *kept = last;
}

static void
reachable_stays(void) {
  keep_all(1);
  deep(take_chain);
  collect();
  EXPECT_EQUAL(count_gone(), 0);
}

static void
take_held_by_pointer_free(void) {
  void **holder = GC_malloc_atomic(64);
  memset(holder, 0, 64);
  holder[2] = GC_malloc(10);
  watch(0, holder);
  watch(1, holder[2]);
  *kept = holder;
}

static void
pointer_free_holds_nothing(void) {
  keep_all(1);
  deep(take_held_by_pointer_free);
  collect();
  EXPECT(!is_gone(0) && is_gone(1));
}

static void
take_interior(void) {
  for (unsigned i = 0; i < 60; i++) {
    char *block = GC_malloc(i * 37 + 1);
    watch(i, block);
    kept[i] = block + (i % 3 == 0 ? i * 37 + 1 : i % 3 == 1 ? i * 37 : i * 17);   /* just behind, last, inside */
  }
}

static void
interior_pointers_keep(void) {
  keep_all(60);
  deep(take_interior);
  collect();
  EXPECT_EQUAL(count_gone(), 0);
  kept = NULL;
  collect();
  EXPECT_GONE(60);
}

/* By numbers: uncollectable, and what it refers to; the same without pointers. */
static void
take_uncollectable(void) {
  void **block = GC_malloc_uncollectable(100), **atomic = GC_malloc_atomic_uncollectable(100);
  memset(atomic, 0, 100);
  block[4] = GC_malloc(10);
  atomic[4] = GC_malloc(10);
  watch(0, block);
  watch(1, block[4]);
  watch(2, atomic);
  watch(3, atomic[4]);
}

static void
free_uncollectable(void) {
  void *block = watched(0), *atomic = watched(2);
  unwatch(0);
  unwatch(2);
  GC_free(block);
  GC_free(atomic);
}

static void
uncollectable(void) {
  GC_INIT();
  deep(take_uncollectable);
  collect();
  EXPECT(!is_gone(0) && !is_gone(1) && !is_gone(2) && is_gone(3));
  deep(free_uncollectable);
  collect();
  EXPECT(is_gone(1));
}

static void
take_by_start(void) {
  enum { BYTES = 1 << 20 };
  for (unsigned i = 0; i < 4; i++) {
    char *block = i < 2 ? GC_malloc_ignore_off_page(BYTES) : GC_malloc_atomic_ignore_off_page(BYTES);
    watch(i, block);
    kept[i] = block + (i % 2 ? BYTES / 2 : 0);
  }
}

static void
ignore_off_page(void) {
  keep_all(4);
  deep(take_by_start);
  collect();
  EXPECT(!is_gone(0) && is_gone(1) && !is_gone(2) && is_gone(3));
  kept = NULL;
  collect();
  EXPECT_GONE(4);
}

/* Reads, as a program may, all of a large block whose start alone is kept. */
static void
ignore_off_page_holds(void) {
  enum { WORDS = 1 << 15 };
  keep_all(1);
  void **block = *kept = GC_malloc_ignore_off_page(WORDS * sizeof *block);
  for (unsigned i = 0; i < 100; i++)
    watch(i, block[i * (WORDS / 100)] = GC_malloc(50));
  collect();
  EXPECT_EQUAL(count_gone(), 0);
}

/* ---- strings ---- */

static void
strings(void) {
  GC_INIT();
  const char *text = "a text";
  char *copy = GC_strdup(text), *part = GC_strndup(text, 3), *all = GC_strndup(text, 100);
  EXPECT(copy != text && !strcmp(copy, text) && !strcmp(part, "a t") && !strcmp(all, text));
  EXPECT_EQUAL(GC_get_kind_and_size(copy, NULL), 0);
  EXPECT(!GC_strdup(NULL));
}

/* ---- free ---- */

static void
freed_is_not_collected_again(void) {
  GC_INIT();
  GC_free(NULL);
  for (int round = 0; round < 20; round++) {
    void *blocks[200];
    for (unsigned i = 0; i < 200; i++) {
      blocks[i] = GC_malloc(i * i);
      memset(blocks[i], (int)i, i * i);
    }
    for (unsigned i = 0; i < 200; i += 2)
      GC_free(blocks[i]);
    if (round % 5 == 0)
      GC_gcollect();
    for (unsigned i = 1; i < 200; i += 2)
      EXPECT(is_filled(blocks[i], (int)i, i * i));
  }
}

static void
memory_is_bounded(void) {
  GC_INIT();
  size_t total_bytes = 0;
  while (total_bytes < (size_t)1 << 30) {
    size_t bytes = 1 + random_below(random_below(50) ? 500 : 100000);
    char *block = GC_malloc(bytes);
    block[bytes - 1] = 1;
    total_bytes += bytes;
  }
  EXPECT(GC_get_gc_no() > 3);
  EXPECT(GC_get_heap_size() < (size_t)200 << 20);
}

static const struct test_case cases[] = {
  CASE(zeroed, ANYONES),
  CASE(zeroed_after_reuse, ANYONES),
  CASE(zeroed_after_free, ANYONES),
  CASE(zeroed_uncollectable_and_aligned, ANYONES),
  CASE(sizes, ANYONES),
  CASE(room_for_a_pointer_past_the_end, ANYONES),
  CASE(sizes_are_not_wasteful, ANYONES),
  CASE(no_blocks, ANYONES),
  CASE(kinds_and_sizes_told, ANYONES),
  CASE(huge, ANYONES),
  CASE(realloc_grows, ANYONES),
  CASE(realloc_shrinks, ANYONES),
  CASE(realloc_shrinks_and_grows, ANYONES),
  CASE(realloc_keeps_the_kind, ANYONES),
  CASE(realloc_ends, ANYONES),
  CASE(realloc_keeps_uncollectable, ANYONES),
  CASE(aligned, ANYONES),
  CASE(aligned_to_more_than_pages, OURS),
  CASE(aligned_wrongly, ANYONES),
  CASE(aligned_is_kept_and_goes, ANYONES),
  CASE(many, ANYONES),
  CASE(many_of_all_sizes, ANYONES),
  CASE(generic_many, ANYONES),
  CASE(inlined, ANYONES),
  CASE(unreachable_goes, ANYONES),
  CASE(cycle_goes, ANYONES),
  CASE(reachable_stays, ANYONES),
  CASE(pointer_free_holds_nothing, ANYONES),
  CASE(interior_pointers_keep, ANYONES),
  CASE(uncollectable, ANYONES),
  CASE(ignore_off_page, ANYONES),
  CASE(ignore_off_page_holds, ANYONES),
  CASE(strings, ANYONES),
  CASE(freed_is_not_collected_again, ANYONES),
  CASE(memory_is_bounded, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
