/* SPDX-License-Identifier: MIT */
/* Small graphs made by hand, and large random ones against a plain search.  The roots are an array of
 * the test's: nothing is found by accident. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "gc/assist.h"
#include "gc/limbo.h"
#include "gc/mark.h"
#include "gc/shadow.h"
#include "gc/sweep.h"
#include "gc/trace_phase.h"
#include "heap/page_heap.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

static struct thread_cache cache;
static uintptr_t root_words[16];

enum { CLASS_32_BYTES = 4, CLASS_48_BYTES = 5, CLASS_256_BYTES = 18 };

/* A block whose words are zero. */
static void *
take_kind(unsigned size_class, unsigned kind) {
  void *block = unit_take(&cache, span_class_of(size_class, kind));
  return memset(block, 0, size_class_rows[size_class].slot_bytes);
}

static void *
take(unsigned size_class) {
  return take_kind(size_class, 0);
}

static void
mark_all(const struct root *root) {
  static struct marker marker;
  marker_init(&marker, true, false);
  mark_root(&marker, root);
  do
    mark_drain(&marker);
  while (mark_steal(&marker));
  ck_assert_int_eq(marker.err, 0);
}

/* With that word as the only root. */
static void
mark_from(uintptr_t word, enum root_kind kind) {
  memset(root_words, 0, sizeof root_words);
  root_words[5] = word;
  mark_all(&(struct root){(uintptr_t)root_words, (uintptr_t)(root_words + CGC_COUNT(root_words)), kind});
}

static bool
is_marked(const void *block) {
  struct cgc_span *span = heap_map_span((uintptr_t)block);
  size_t slot = span_slot_of(span, (uintptr_t)block);
  return atom_load_rlx(&span->words[slot / 64].mark) >> slot % 64 & 1;
}

static unsigned
count_marks(const struct cgc_span *span) {
  unsigned count = 0;
  for (unsigned i = 0; i < span_word_count(span); i++)
    count += (unsigned)__builtin_popcountll(atom_load_rlx(&span->words[i].mark));
  return count;
}

static struct cgc_span *
span_of(const void *block) {
  return heap_map_span((uintptr_t)block);
}

/* ---- one word ---- */

START_TEST(mark_pointer_anywhere_into_a_block_marks_it) {
  static const size_t offsets[] = {0, 1, 8, 17, 255};
  unit_start_heap();
  take(CLASS_256_BYTES);
  char *block = take(CLASS_256_BYTES);
  take(CLASS_256_BYTES);
  mark_from((uintptr_t)block + offsets[_i], ROOT_DATA);
  ck_assert(is_marked(block));
  ck_assert_uint_eq(count_marks(span_of(block)), 1);
}
END_TEST

START_TEST(mark_word_that_is_no_pointer_marks_nothing) {
  unit_start_heap();
  void *block = take(CLASS_32_BYTES);
  uintptr_t end = hull.heap_addr + atom_load_rlx(&heap_map.extent_bytes);
  const uintptr_t words[] = {0, 1, UINTPTR_MAX, hull.heap_addr - 1, end, end - 1, hull.end_addr, hull.base_addr,
                             hull.meta_addr, (uintptr_t)root_words, unit_hide(block)};
  for (size_t i = 0; i < CGC_COUNT(words); i++)
    mark_from(words[i], ROOT_DATA);
  ck_assert_uint_eq(count_marks(span_of(block)), 0);
}
END_TEST

START_TEST(mark_pointer_to_a_free_slot_marks_nothing) {
  unit_start_heap();
  char *block = take(CLASS_256_BYTES);
  struct cgc_span *span = span_of(block);
  thread_cache_flush(&cache);
  mark_from((uintptr_t)block + 256, ROOT_DATA);   /* free by the owner's bit */
  span_free_remote(span, 0);
  mark_from((uintptr_t)block, ROOT_DATA);         /* freed by another thread */
  ck_assert_uint_eq(count_marks(span), 0);
}
END_TEST

START_TEST(mark_pointer_to_the_tail_of_a_span_marks_nothing) {
  unit_start_heap();
  struct cgc_span *span = span_of(take(CLASS_48_BYTES));
  ck_assert_uint_lt(span_slot_addr(span, span->slot_count), span->base_addr + span_bytes(span));
  mark_from(span_slot_addr(span, span->slot_count), ROOT_DATA);
  mark_from(span->base_addr + span_bytes(span) - 1, ROOT_DATA);
  ck_assert_uint_eq(count_marks(span), 0);
  span_check(span);
}
END_TEST

START_TEST(mark_pointer_to_free_pages_marks_nothing) {
  unit_start_heap();
  char *block = unit_take_large(10 * SPAN_PAGE_BYTES, 0);
  unit_take_large(SPAN_PAGE_BYTES, 0);
  page_heap_free(span_of(block));
  for (size_t at = 0; at < 10 * SPAN_PAGE_BYTES; at += 1000)
    mark_from((uintptr_t)block + at, ROOT_STACK);
  page_heap_check();
  ck_assert_uint_eq(atom_load_rlx(&span_of(block)->owner), 0);
}
END_TEST

/* ---- just past the end ---- */

START_TEST(mark_pointer_past_the_end_keeps_the_block_from_stacks_only) {
  unit_start_heap();
  char *block = take(CLASS_256_BYTES), *next = take(CLASS_256_BYTES);
  ck_assert_ptr_eq(next, block + 256);
  option_values[OPTION_PAST_END] = _i != 2;
  mark_from((uintptr_t)next, _i == 1 ? ROOT_DATA : ROOT_STACK);
  ck_assert(is_marked(next));
  ck_assert_int_eq(is_marked(block), _i == 0);
}
END_TEST

START_TEST(mark_pointer_past_the_end_of_the_whole_heap_keeps_the_block) {
  unit_start_heap();
  const size_t bytes = ARENA_BYTES - SPAN_PAGE_BYTES;   /* the first page stays empty */
  char *block = unit_take_large(bytes, 0);
  ck_assert_uint_eq((uintptr_t)block + bytes, hull.heap_addr + atom_load_rlx(&heap_map.extent_bytes));
  mark_from((uintptr_t)block + bytes, ROOT_STACK);
  ck_assert(is_marked(block));
}
END_TEST

/* ---- disguises ---- */

START_TEST(mark_pointer_with_a_tag_above_the_address_marks_if_tagged) {
  unit_start_heap();
  void *block = take(CLASS_32_BYTES);
  option_values[OPTION_TAGGED] = (uint64_t)_i;
  mark_from((uintptr_t)block | 0xfff8000000000000, ROOT_DATA);
  ck_assert_int_eq(is_marked(block), _i);
}
END_TEST

/* As glibc's setjmp does it. */
static uintptr_t
mangle(const void *pointer) {
  uintptr_t word = (uintptr_t)pointer ^ arch_pointer_guard();
  return word << 17 | word >> 47;
}

START_TEST(mark_mangled_pointer_in_roots_marks_from_demangle_1_on) {
  unit_start_heap();
  void *block = take(CLASS_32_BYTES);
  option_values[OPTION_DEMANGLE] = (uint64_t)_i;
  mark_from(mangle(block), ROOT_DATA);
  ck_assert_int_eq(is_marked(block), _i >= 1);
}
END_TEST

START_TEST(mark_mangled_pointer_in_blocks_marks_with_demangle_2) {
  unit_start_heap();
  void **block = take(CLASS_32_BYTES), *target = take(CLASS_256_BYTES);
  block[1] = (void *)mangle(target);
  option_values[OPTION_DEMANGLE] = (uint64_t)_i;
  mark_from((uintptr_t)block, ROOT_DATA);
  ck_assert(is_marked(block));
  ck_assert_int_eq(is_marked(target), _i == 2);
}
END_TEST

/* A pointer in a packed structure: at an address divisible by 4 only. */
START_TEST(mark_pointer_across_two_words_of_a_block_marks_if_packed) {
  unit_start_heap();
  char *block = take(CLASS_256_BYTES);
  void *targets[] = {take(CLASS_32_BYTES), take(CLASS_32_BYTES), take(CLASS_32_BYTES)};
  static const size_t offsets[] = {4, 100, 244};
  for (size_t i = 0; i < CGC_COUNT(targets); i++)
    memcpy(block + offsets[i], &targets[i], sizeof targets[i]);
  option_values[OPTION_PACKED] = (uint64_t)_i;
  mark_from((uintptr_t)block, ROOT_DATA);
  for (size_t i = 0; i < CGC_COUNT(targets); i++)
    ck_assert_int_eq(is_marked(targets[i]), _i);
}
END_TEST

/* ---- graphs ---- */

START_TEST(mark_follows_pointers_in_blocks) {
  enum { COUNT = 3000 };
  static void **blocks[COUNT];
  unit_start_heap();
  for (int i = 0; i < COUNT; i++)
    blocks[i] = take(CLASS_32_BYTES);
  for (int i = 0; i + 2 < COUNT; i++)
    blocks[i][3] = (char *)blocks[i + 2] + 5;   /* two chains */
  mark_from((uintptr_t)blocks[0], ROOT_DATA);
  for (int i = 0; i < COUNT; i++)
    ck_assert_int_eq(is_marked(blocks[i]), i % 2 == 0);
}
END_TEST

START_TEST(mark_ends_on_cycles) {
  unit_start_heap();
  void **a = take(CLASS_32_BYTES), **b = take(CLASS_256_BYTES), **self = take(CLASS_32_BYTES);
  *a = b;
  b[31] = a;
  b[30] = self;
  *self = self;
  mark_from((uintptr_t)a, ROOT_DATA);
  ck_assert(is_marked(a) && is_marked(b) && is_marked(self));
}
END_TEST

START_TEST(mark_looks_at_first_and_last_word_of_blocks_of_every_class) {
  unit_start_heap();
  for (unsigned i = 1; i < SIZE_CLASS_COUNT; i++) {
    size_t words = size_class_rows[i].slot_bytes / sizeof(void *);
    void **first = take(i), **last = take(i), *target = take(CLASS_32_BYTES), *other = take(CLASS_32_BYTES);
    first[0] = target;
    last[words - 1] = other;
    mark_from((uintptr_t)first, ROOT_DATA);
    ck_assert(is_marked(target) && !is_marked(other));
    mark_from((uintptr_t)last, ROOT_DATA);
    ck_assert(is_marked(other));
  }
}
END_TEST

START_TEST(mark_does_not_look_into_noscan_blocks) {
  unit_start_heap();
  void **noscan = take_kind(CLASS_32_BYTES, SPAN_KIND_NOSCAN), *target = take(CLASS_32_BYTES);
  void **large = unit_take_large(5 * SPAN_PAGE_BYTES, SPAN_KIND_NOSCAN | SPAN_KIND_COLLECTED);
  *noscan = *large = target;
  mark_from((uintptr_t)noscan, ROOT_DATA);
  mark_from((uintptr_t)large, ROOT_DATA);
  ck_assert(is_marked(noscan) && is_marked(large));
  ck_assert(!is_marked(target));
}
END_TEST

START_TEST(mark_looks_at_every_piece_of_a_large_block) {
  enum { BYTES = 1024 * 1024, PIECES = BYTES / (int)MARK_PIECE_BYTES };
  unit_start_heap();
  void **block = unit_take_large(BYTES + SPAN_PAGE_BYTES, 0), *targets[2 * PIECES + 1];
  size_t words = (BYTES + SPAN_PAGE_BYTES) / sizeof *block, step = MARK_PIECE_BYTES / sizeof *block;
  for (size_t i = 0; i < PIECES; i++) {
    block[i * step] = targets[2 * i] = take(CLASS_32_BYTES);
    block[i * step + step - 1] = targets[2 * i + 1] = take(CLASS_32_BYTES);
  }
  block[words - 1] = targets[2 * PIECES] = take(CLASS_32_BYTES);
  mark_from((uintptr_t)block + BYTES / 2 + 3, ROOT_DATA);
  ck_assert(is_marked(block));
  for (size_t i = 0; i < CGC_COUNT(targets); i++)
    ck_assert(is_marked(targets[i]));
  ck_assert_uint_eq(atom_int_load_rlx(&span_of(block)->is_grey), 0);
}
END_TEST

START_TEST(mark_finds_a_packed_pointer_across_the_border_of_two_pieces) {
  unit_start_heap();
  char *block = unit_take_large(4 * MARK_PIECE_BYTES, 0);
  void *target = take(CLASS_32_BYTES);
  memcpy(block + MARK_PIECE_BYTES - 4, &target, sizeof target);
  mark_from((uintptr_t)block, ROOT_DATA);
  ck_assert(is_marked(target));
}
END_TEST

/* ---- once more ---- */

static void
set_mark(const void *block) {
  struct cgc_span *span = span_of(block);
  size_t slot = span_slot_of(span, (uintptr_t)block);
  atom_or_full(&span->words[slot / 64].mark, (uint64_t)1 << slot % 64);
}

/* As for pages that have been written to. */
static void
rescan(uintptr_t start_addr, uintptr_t end_addr) {
  static struct marker marker;
  marker_init(&marker, true, false);
  mark_rescan_range(&marker, start_addr, end_addr);
  mark_drain(&marker);
}

static uintptr_t
page_of(const void *at) {
  return (uintptr_t)at / ARCH_PAGE_BYTES * ARCH_PAGE_BYTES;
}

static void
rescan_page_of(const void *at) {
  rescan(page_of(at), page_of(at) + ARCH_PAGE_BYTES);
}

START_TEST(mark_rescan_follows_marked_blocks_of_the_range_only) {
  unit_start_heap();
  void **block = take(CLASS_256_BYTES), **other = take(CLASS_256_BYTES), **far = block;
  void *target = take(CLASS_32_BYTES), *lost = take(CLASS_32_BYTES);
  while (page_of(far) == page_of(block))
    far = take(CLASS_256_BYTES);
  block[31] = target;
  *other = *far = lost;
  set_mark(block);
  set_mark(far);
  rescan_page_of(block);
  ck_assert(is_marked(target));
  ck_assert(!is_marked(lost) && !is_marked(other));
}
END_TEST

START_TEST(mark_rescan_marks_what_the_found_blocks_reach) {
  unit_start_heap();
  void **block = take(CLASS_256_BYTES), **middle = take(CLASS_32_BYTES), *target = take(CLASS_48_BYTES);
  *block = middle;
  middle[1] = target;
  set_mark(block);
  rescan_page_of(block);
  ck_assert(is_marked(middle) && is_marked(target));
}
END_TEST

START_TEST(mark_rescan_of_a_freed_slot_finds_nothing) {
  unit_start_heap();
  void **own = take(CLASS_256_BYTES), **remote = take(CLASS_256_BYTES), *target = take(CLASS_32_BYTES);
  *own = *remote = target;
  set_mark(own);
  set_mark(remote);
  thread_cache_free_own(&cache, span_of(own), (uintptr_t)own);
  span_free_remote(span_of(remote), span_slot_of(span_of(remote), (uintptr_t)remote));
  rescan(span_of(own)->base_addr, span_of(own)->base_addr + span_bytes(span_of(own)));
  ck_assert(!is_marked(target));
}
END_TEST

/* Of a size that does not divide a page: the first that lies in two. */
static char *
take_across_pages(size_t *bytes_before) {
  for (;;) {
    char *block = take(CLASS_48_BYTES);
    uintptr_t border = page_of(block) + ARCH_PAGE_BYTES;
    *bytes_before = border - (uintptr_t)block;
    if (*bytes_before < 48)
      return block;
  }
}

/* The words before and after the range may hold half of a packed pointer. */
START_TEST(mark_rescan_of_a_block_across_the_border_looks_at_its_part_inside) {
  size_t before;
  unit_start_heap();
  char *block = take_across_pages(&before);
  void *targets[] = {take(CLASS_32_BYTES), take(CLASS_32_BYTES), take(CLASS_32_BYTES), take(CLASS_32_BYTES)};
  ck_assert(before >= 16 && before <= 32);
  memcpy(block, &targets[0], sizeof targets[0]);
  memcpy(block + before - 8, &targets[1], sizeof targets[1]);
  memcpy(block + before, &targets[2], sizeof targets[2]);
  memcpy(block + 40, &targets[3], sizeof targets[3]);
  set_mark(block);
  uintptr_t border = (uintptr_t)block + before;
  if (_i)
    rescan(border - ARCH_PAGE_BYTES, border);
  else
    rescan(border, border + ARCH_PAGE_BYTES);
  ck_assert_int_eq(is_marked(targets[0]), _i);
  ck_assert(is_marked(targets[1]));
  ck_assert(is_marked(targets[2]));
  ck_assert_int_eq(is_marked(targets[3]), !_i);
}
END_TEST

/* 0 and 2: in a small block.  1 and 3: in a large one.  From 2 on the page with the lower half was written, else the
 * other. */
START_TEST(mark_rescan_finds_a_packed_pointer_across_the_border_of_pages) {
  size_t before = 2 * ARCH_PAGE_BYTES;
  unit_start_heap();
  char *block = _i % 2 ? unit_take_large(4 * SPAN_PAGE_BYTES, 0) : take_across_pages(&before);
  void *target = take(CLASS_32_BYTES);
  memcpy(block + before - 4, &target, sizeof target);
  set_mark(block);
  uintptr_t page = (uintptr_t)block + before - (_i < 2 ? 0 : ARCH_PAGE_BYTES);
  rescan(page, page + ARCH_PAGE_BYTES);
  ck_assert(is_marked(target));
}
END_TEST

static bool
is_still(void) {
  return true;
}

START_TEST(mark_verification_ignores_blocks_freed_since_they_were_marked) {
  static const struct root_list none;
  struct trace_result result = {0};
  unit_start_heap();
  void **block = take(CLASS_32_BYTES), *leaked = take(CLASS_48_BYTES);
  uintptr_t page = round_down((uintptr_t)block, 4096);
  struct dirty_range range = {page, page + 4096};
  struct dirty_pages written = {.parts = {{&range, 1}}, .part_count = 1, .page_count = 1};
  mark_from((uintptr_t)block, ROOT_DATA);
  ck_assert_int_eq(trace_begin_beside(), 0);
  *block = leaked;
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(block), (uintptr_t)block), FREE_DONE);
  ck_assert_int_eq(trace_beside(&written, &result), 0);
  trace_end_beside();
  ck_assert(!is_marked(leaked));
  trace_verify_stw(&none, false, is_still);
}
END_TEST

enum { CHAINS = 64, CHAIN_LINKS = 200, PARTS = 3 };

static void **chains[CHAINS][CHAIN_LINKS], **root_chain[CHAIN_LINKS];
static struct dirty_pages chain_pages;

/* From each of some marked pages a list of blocks begins, and one from a root; the pages are in several lists of
 * ranges. */
static struct root_list
make_chains(void) {
  static struct dirty_range ranges[CHAINS];
  static struct root root;
  unit_take_large(16 * MIB, 0);   /* worth several markers */
  for (int k = 0; k < CHAINS; k++) {
    chains[k][0] = unit_take_large(SPAN_PAGE_BYTES, 0);
    memset(chains[k][0], 0, SPAN_PAGE_BYTES);
    mark_from((uintptr_t)chains[k][0], ROOT_DATA);
    uintptr_t addr = (uintptr_t)chains[k][0];
    ranges[k] = (struct dirty_range){addr, addr + ARCH_PAGE_BYTES};
    for (int i = 1; i < CHAIN_LINKS; i++)
      *chains[k][i - 1] = chains[k][i] = take(CLASS_48_BYTES);
  }
  for (int i = 0; i < CHAIN_LINKS; i++)
    root_chain[i] = take(CLASS_48_BYTES);
  for (int i = 1; i < CHAIN_LINKS; i++)
    *root_chain[i - 1] = root_chain[i];
  chain_pages = (struct dirty_pages){
    .parts = {{ranges, 20}, {NULL, 0}, {ranges + 20, CHAINS - 20}}, .part_count = PARTS, .page_count = CHAINS};
  root_words[3] = (uintptr_t)root_chain[0];
  root = (struct root){(uintptr_t)root_words, (uintptr_t)(root_words + CGC_COUNT(root_words)), ROOT_DATA};
  return (struct root_list){.roots = &root, .count = 1, .bytes = sizeof root_words};
}

static unsigned
count_marked_links(void *chain[CHAIN_LINKS]) {
  unsigned count = 0;
  for (int i = 0; i < CHAIN_LINKS; i++)
    count += is_marked(chain[i]);
  return count;
}

static unsigned
count_marked_chains(void) {
  unsigned count = 0;
  for (int k = 0; k < CHAINS; k++)
    count += count_marked_links((void **)chains[k]) == CHAIN_LINKS;
  return count;
}

/* By one marker and by several. */
START_TEST(mark_finish_follows_pages_and_roots) {
  struct trace_result result = {0};
  bool is_finished = false;
  unit_start_heap();
  option_values[OPTION_MARKERS] = (uint64_t)_i;
  struct root_list roots = make_chains();
  ck_assert_int_eq(trace_begin_beside(), 0);
  ck_assert_int_eq(trace_finish_stw(&roots, &chain_pages, UINT64_MAX, &is_finished, &result), 0);
  trace_end_beside();
  ck_assert(is_finished);
  ck_assert_uint_eq(result.markers, (unsigned)_i);
  ck_assert_uint_eq(count_marked_links((void **)root_chain), CHAIN_LINKS);
  ck_assert_uint_eq(count_marked_chains(), CHAINS);
}
END_TEST

START_TEST(mark_finish_past_its_deadline_leaves_the_rest_to_be_marked_beside) {
  struct trace_result result = {0};
  bool is_finished = true;
  unit_start_heap();
  option_values[OPTION_MARKERS] = (uint64_t)_i;
  struct root_list roots = make_chains();
  ck_assert_int_eq(trace_begin_beside(), 0);
  ck_assert_int_eq(trace_finish_stw(&roots, &chain_pages, 1, &is_finished, &result), 0);
  ck_assert(!is_finished);
  ck_assert_uint_lt(count_marked_chains(), CHAINS);
  ck_assert_int_eq(trace_beside(&chain_pages, &result), 0);
  ck_assert_uint_eq(count_marked_chains(), CHAINS);
  ck_assert_int_eq(trace_finish_stw(&roots, &chain_pages, UINT64_MAX, &is_finished, &result), 0);
  trace_end_beside();
  ck_assert(is_finished);
  ck_assert_uint_eq(count_marked_links((void **)root_chain), CHAIN_LINKS);
}
END_TEST

START_TEST(mark_beside_is_by_one_marker_until_help_is_called) {
  struct trace_result result = {0};
  unit_start_heap();
  option_values[OPTION_MARKERS] = 3;
  make_chains();
  ck_assert_int_eq(trace_begin_beside(), 0);
  if (_i)
    trace_call_help();
  ck_assert_int_eq(trace_beside(&chain_pages, &result), 0);
  trace_end_beside();
  ck_assert_uint_eq(count_marked_chains(), CHAINS);
  ck_assert_uint_eq(result.markers, _i ? 3 : 1);
}
END_TEST

/* ---- threads that assist ---- */

/* All that a root leads to waits to be taken. */
static void
share_chain(void) {
  static struct marker marker;
  struct root_list roots = make_chains();
  marker_init(&marker, false, true);
  mark_root(&marker, roots.roots);
  mark_hand_over(&marker);
  limbo_begin(1);
}

START_TEST(mark_assistant_marks_what_is_shared) {
  enum { LONG_NS = 1000 * 1000 * 1000 };
  unit_start_heap();
  share_chain();
  ck_assert_uint_eq(assist_for(&cache, LONG_NS), 0);   /* not open */
  assist_begin(false);
  uint64_t ns = assist_for(&cache, LONG_NS);
  ck_assert(ns > 0 && ns < LONG_NS);           /* there was no more to do */
  ck_assert(!mark_queue_has_work() && !mark_queue_is_wanted());
  ck_assert_uint_eq(count_marked_links((void **)root_chain), CHAIN_LINKS);
  ck_assert_uint_ge(assist_take_scanned_bytes(), CHAIN_LINKS * 48);
  ck_assert_uint_eq(assist_take_scanned_bytes(), 0);
  assist_end();
  ck_assert_uint_eq(assist_for(&cache, LONG_NS), 0);
}
END_TEST

START_TEST(mark_assistant_without_time_leaves_all_to_others) {
  static struct marker other;
  unit_start_heap();
  share_chain();
  assist_begin(false);
  for (int i = 0; i < 3; i++)
    assist_for(&cache, 0);
  assist_end();
  ck_assert(mark_queue_has_work());
  marker_init(&other, true, true);
  while (mark_steal(&other))
    ck_assert(mark_drain(&other));
  ck_assert_uint_eq(count_marked_links((void **)root_chain), CHAIN_LINKS);
}
END_TEST

START_TEST(mark_assistant_ends_for_a_signal_that_waits) {
  unit_start_heap();
  share_chain();
  assist_begin(false);
  atom_int_store_rlx(&cache.is_stop_wanted, 1);
  assist_for(&cache, 1000 * 1000 * 1000);
  atom_int_store_rlx(&cache.is_stop_wanted, 0);
  assist_end();
  ck_assert(mark_queue_has_work());
  mark_queue_forget();
}
END_TEST

static atom_int must_assist;

static void *
assist_again_and_again(void *arg) {
  while (atom_int_load_rlx(&must_assist))
    assist_for(arg, 20 * 1000);
  return arg;
}

/* They come and go while a crew marks: nothing is missed, and none is left behind. */
START_TEST(mark_beside_with_assistants_misses_nothing) {
  enum { THREADS = ASSIST_MAX + 1, TURNS = 200 };
  pthread_t threads[THREADS];
  struct trace_result result = {0};
  unit_start_heap();
  option_values[OPTION_MARKERS] = 2;
  make_chains();
  atom_int_store_rlx(&must_assist, 1);
  for (int i = 0; i < THREADS; i++)
    threads[i] = unit_start_thread(assist_again_and_again, &cache);
  for (int turn = 0; turn < TURNS; turn++) {
    sweep_clear_marks();
    for (int k = 0; k < CHAINS; k++)
      set_mark(chains[k][0]);
    ck_assert_int_eq(trace_begin_beside(), 0);
    trace_call_help();
    ck_assert_int_eq(trace_beside(&chain_pages, &result), 0);
    trace_end_beside();
    ck_assert(!mark_queue_has_work());
    ck_assert_uint_eq(count_marked_chains(), CHAINS);
  }
  atom_int_store_rlx(&must_assist, 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  ck_assert(assist_hold() && !mark_queue_is_wanted());
}
END_TEST

START_TEST(mark_drain_that_is_interrupted_hands_over_what_is_left) {
  static struct marker marker, other;
  static atom_int is_interrupted;
  unit_start_heap();
  struct root_list roots = make_chains();
  marker_init(&marker, true, false);
  marker.interrupt = &is_interrupted;
  mark_root(&marker, roots.roots);
  atom_int_store_rlx(&is_interrupted, 1);
  ck_assert(!mark_drain(&marker));
  ck_assert_uint_lt(count_marked_links((void **)root_chain), CHAIN_LINKS);
  mark_hand_over(&marker);
  marker_init(&other, true, false);
  while (mark_steal(&other))
    ck_assert(mark_drain(&other));
  ck_assert_uint_eq(count_marked_links((void **)root_chain), CHAIN_LINKS);
}
END_TEST

START_TEST(mark_rescan_of_a_large_block_looks_at_the_pages_asked_for) {
  enum { PAGES = 4 * MARK_PIECE_BYTES / ARCH_PAGE_BYTES, WORDS = ARCH_PAGE_BYTES / sizeof(void *) };
  static void *first[PAGES], *last[PAGES];
  unit_start_heap();
  void **block = unit_take_large(PAGES * ARCH_PAGE_BYTES, 0);
  for (size_t i = 0; i < PAGES; i++) {
    block[i * WORDS] = first[i] = take(CLASS_32_BYTES);
    block[i * WORDS + WORDS - 1] = last[i] = take(CLASS_32_BYTES);
  }
  rescan((uintptr_t)block, (uintptr_t)block + PAGES * ARCH_PAGE_BYTES);   /* not marked */
  ck_assert(!is_marked(first[0]) && !is_marked(last[PAGES - 1]));
  set_mark(block);
  rescan((uintptr_t)(block + 40 * WORDS), (uintptr_t)(block + 90 * WORDS));
  for (size_t i = 0; i < PAGES; i++) {
    if (i == 39 || i == 90)
      continue;   /* the words next to the range may be looked at */
    ck_assert_int_eq(is_marked(first[i]), i >= 40 && i < 90);
    ck_assert_int_eq(is_marked(last[i]), i >= 40 && i < 90);
  }
}
END_TEST

/* ---- once more, with shadows: a table, each word of which leads to a block ---- */

enum { TABLE_PAGES = 4, TABLE_WORDS = TABLE_PAGES * ARCH_PAGE_BYTES / sizeof(void *) };

static void **table, *entries[TABLE_WORDS];
static struct marker table_marker;

static void
rescan_table(void) {
  page_heap_begin_round(false);
  marker_init(&table_marker, true, false);
  mark_rescan_range(&table_marker, (uintptr_t)table, (uintptr_t)(table + TABLE_WORDS));
  ck_assert(mark_drain(&table_marker));
}

static void
start_with_table(void) {
  unit_start_heap();
  unit_take_large(16 * MIB, SPAN_KIND_NOSCAN);   /* so that there is room for shadows */
  table = unit_take_large(TABLE_WORDS * sizeof *table, 0);
  for (size_t i = 0; i < TABLE_WORDS; i++)
    table[i] = entries[i] = take_kind(CLASS_32_BYTES, SPAN_KIND_NOSCAN);
  set_mark(table);
  shadow_begin();
  page_heap_begin_round(true);
}

static void
clear_mark(const void *block) {
  struct cgc_span *span = span_of(block);
  size_t slot = span_slot_of(span, (uintptr_t)block);
  span->words[slot / 64].mark &= ~((uint64_t)1 << slot % 64);
}

START_TEST(mark_rescan_of_a_settled_page_looks_up_nothing) {
  start_with_table();
  rescan_table();
  for (size_t i = 0; i < TABLE_WORDS; i++)
    ck_assert(is_marked(entries[i]));
  ck_assert_uint_ge(table_marker.scanned_bytes, TABLE_WORDS * sizeof *table);
  rescan_table();
  ck_assert_uint_eq(table_marker.scanned_bytes, 0);
  clear_mark(entries[7]);   /* as never happens in a mark: it would be seen */
  rescan_table();
  ck_assert(!is_marked(entries[7]));
}
END_TEST

START_TEST(mark_rescan_looks_up_each_word_that_has_changed) {
  start_with_table();
  rescan_table();
  for (size_t i = 0; i < TABLE_WORDS; i += 61) {
    void *entry = take_kind(CLASS_32_BYTES, SPAN_KIND_NOSCAN);
    table[i] = entry;
    rescan_table();
    ck_assert(is_marked(entry));
    ck_assert_uint_gt(table_marker.scanned_bytes, 0);
    ck_assert_uint_le(table_marker.scanned_bytes, 128);
  }
}
END_TEST

/* As if the window were there, which moves when it is not asked to. */
static void
take_again(const void *freed) {
  struct cgc_span *span = span_of(freed);
  size_t slot = span_slot_of(span, (uintptr_t)freed);
  span->words[slot / 64].free &= ~((uint64_t)1 << slot % 64);
}

static void
free_own(const void *block) {
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(block), (uintptr_t)block), FREE_DONE);
}

/* The slot is free when the page is looked at, and taken afterwards: the word does not change. */
START_TEST(mark_rescan_looks_up_again_what_led_to_a_free_slot) {
  start_with_table();
  free_own(entries[100]);
  rescan_table();
  ck_assert(!is_marked(entries[100]));
  take_again(entries[100]);
  rescan_table();
  ck_assert(is_marked(entries[100]));
}
END_TEST

/* Its halves lie in two lines, or pages, of which one half is there before. */
START_TEST(mark_rescan_looks_up_again_a_packed_pointer_that_led_to_a_free_slot) {
  static const size_t places[] = {3, 7, 7, 511, 511};
  static const size_t first_halves[] = {0, 0, 1, 0, 1};
  start_with_table();
  void *block = take(CLASS_256_BYTES);
  uintptr_t *word = (uintptr_t *)table + places[_i], halves[2] = {(uintptr_t)block << 32, (uintptr_t)block >> 32};
  size_t first = first_halves[_i];
  word[0] = word[1] = 0;
  word[first] = halves[first];
  rescan_table();
  free_own(block);
  word[!first] = halves[!first];
  rescan_table();
  ck_assert(!is_marked(block));
  take_again(block);
  rescan_table();
  ck_assert(is_marked(block));
}
END_TEST

/* A large block is freed, and another one made in its place: the word does not change, but the mark is another. */
START_TEST(mark_rescan_looks_up_again_what_leads_to_pages_made_a_span_anew) {
  start_with_table();
  void *block = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  table[300] = (char *)block + 2 * SPAN_PAGE_BYTES + 5;
  rescan_table();
  ck_assert(is_marked(block));
  page_heap_free(span_of(block));
  if (_i == 0)
    rescan_table();
  ck_assert_ptr_eq(unit_take_large(3 * SPAN_PAGE_BYTES, 0), block);
  ck_assert(!is_marked(block));
  rescan_table();
  ck_assert(is_marked(block));
  rescan_table();
  rescan_table();
  ck_assert_uint_eq(table_marker.scanned_bytes, 0);   /* settled again */
}
END_TEST

/* Likewise by a block that grows over them. */
START_TEST(mark_rescan_looks_up_again_what_leads_to_pages_that_a_block_has_grown_over) {
  start_with_table();
  void *first = unit_take_large(3 * SPAN_PAGE_BYTES, 0), *second = unit_take_large(3 * SPAN_PAGE_BYTES, 0);
  ck_assert_ptr_eq((char *)first + 3 * SPAN_PAGE_BYTES, second);
  table[2] = second;
  rescan_table();
  ck_assert(is_marked(second));
  page_heap_free(span_of(second));
  ck_assert(page_heap_extend(span_of(first), 6));
  rescan_table();
  ck_assert(is_marked(first));
}
END_TEST

/* Halves of a pointer in two words: within a line, across lines, across pages; either half changes last. */
START_TEST(mark_rescan_finds_packed_pointers_wherever_they_lie) {
  static const size_t places[] = {3, 7, 8, 500, 511, 512, 1023};
  start_with_table();
  memset(table, 0, TABLE_WORDS * sizeof *table);
  rescan_table();
  for (size_t i = 0; i < CGC_COUNT(places); i++) {
    uintptr_t *word = (uintptr_t *)table + places[i], target = (uintptr_t)take(CLASS_256_BYTES);
    uintptr_t low = target << 32, high = target >> 32;
    word[_i] = _i ? high : low;
    rescan_table();
    ck_assert(!is_marked((void *)target));
    word[!_i] = _i ? low : high;
    rescan_table();
    ck_assert(is_marked((void *)target));
    clear_mark((void *)target);
    word[0] = word[1] = 0;
  }
}
END_TEST

/* One half is there, the other comes and goes, and the block is made anew meanwhile. */
START_TEST(mark_rescan_looks_up_again_a_packed_pointer_to_pages_made_anew) {
  static const size_t places[] = {3, 7, 511};
  start_with_table();
  uintptr_t *word = (uintptr_t *)table + places[_i];
  void *block = unit_take_large(SPAN_PAGE_BYTES, 0);
  word[0] = (uintptr_t)block << 32;
  word[1] = (uintptr_t)block >> 32;
  rescan_table();
  ck_assert(is_marked(block));
  page_heap_free(span_of(block));
  ck_assert_ptr_eq(unit_take_large(SPAN_PAGE_BYTES, 0), block);
  rescan_table();
  ck_assert(is_marked(block));
}
END_TEST

/* More pages than there is room for are looked at as a whole. */
START_TEST(mark_rescan_of_more_pages_than_shadows_misses_nothing) {
  enum { PAGES = 6000, STEP = ARCH_PAGE_BYTES / sizeof(void *) };
  static void *targets[PAGES];
  unit_start_heap();
  table = unit_take_large(PAGES * ARCH_PAGE_BYTES, 0);
  set_mark(table);
  shadow_begin();
  page_heap_begin_round(true);
  for (int turn = 0; turn < 2; turn++) {
    for (size_t i = 0; i < PAGES; i++)
      table[i * STEP + i % STEP] = targets[i] = take_kind(CLASS_32_BYTES, SPAN_KIND_NOSCAN);
    page_heap_begin_round(false);
    rescan((uintptr_t)table, (uintptr_t)(table + PAGES * STEP));
    for (size_t i = 0; i < PAGES; i++)
      ck_assert(is_marked(targets[i]));
  }
}
END_TEST

START_TEST(mark_rescan_does_not_look_into_noscan_blocks) {
  unit_start_heap();
  void **small = take_kind(CLASS_256_BYTES, SPAN_KIND_NOSCAN), *target = take(CLASS_32_BYTES);
  void **large = unit_take_large(4 * SPAN_PAGE_BYTES, SPAN_KIND_NOSCAN);
  *small = *large = target;
  set_mark(small);
  set_mark(large);
  rescan_page_of(small);
  rescan_page_of(large);
  ck_assert(!is_marked(target));
}
END_TEST

/* All at once, over free runs, freed pages, unmapped memory, and spans that begin before the range or go on behind. */
START_TEST(mark_rescan_of_any_range_finds_all_marked_blocks_in_it) {
  enum { COUNT = 500 };
  static void **blocks[COUNT], *targets[COUNT];
  unit_start_heap();
  for (size_t i = 0; i < COUNT; i++)
    targets[i] = take_kind(CLASS_32_BYTES, SPAN_KIND_NOSCAN);
  for (size_t i = 0; i < COUNT; i++) {
    struct cgc_span *gap = span_of(unit_take_large((1 + i % 3) * SPAN_PAGE_BYTES, 0));
    blocks[i] = i % 4 ? take(CLASS_256_BYTES) : unit_take_large((1 + i % 5) * SPAN_PAGE_BYTES, 0);
    *blocks[i] = targets[i];
    if (i % 7)
      set_mark(blocks[i]);
    if (i % 2)
      page_heap_free(gap);
  }
  rescan(hull.heap_addr, hull.heap_addr + atom_load_rlx(&heap_map.extent_bytes));
  for (size_t i = 0; i < COUNT; i++)
    ck_assert_int_eq(is_marked(targets[i]), i % 7 != 0);
}
END_TEST

/* ---- roots that cannot be read ---- */

START_TEST(mark_root_partly_unmapped_is_read_around_the_hole) {
  unit_start_heap();
  void *before = take(CLASS_32_BYTES), *behind = take(CLASS_32_BYTES);
  char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(pages, MAP_FAILED);
  memcpy(pages + 4088, &before, sizeof before);
  memcpy(pages + 2 * 4096, &behind, sizeof behind);
  munmap(pages + 4096, 4096);
  mark_all(&(struct root){(uintptr_t)pages, (uintptr_t)pages + 3 * 4096, ROOT_DATA});
  ck_assert(is_marked(before) && is_marked(behind));
}
END_TEST

/* ---- whole traces against a plain search ---- */

enum { NODES = 60000, EDGES_MAX = 3 };

static void **nodes[NODES];
static unsigned edges[NODES][EDGES_MAX];
static bool is_noscan[NODES], is_reachable[NODES];

/* Wide: edges to random nodes, often to none.  Lists of 4,000 nodes, with a branch to a near node here and there. */
enum shape { SHAPE_WIDE, SHAPE_LISTS };

static unsigned
choose_edge(struct unit_random *random, enum shape shape, size_t i, size_t k) {
  enum { LIST_NODES = 4000, NEAR_NODES = 10 };
  if (shape == SHAPE_WIDE)
    return (unsigned)unit_random_below(random, NODES * 2);
  if (k == 0)
    return i % LIST_NODES < LIST_NODES - 1 ? (unsigned)i + 1 : NODES;
  return unit_random_below(random, 10) == 0 ? (unsigned)(i - i % NEAR_NODES + unit_random_below(random, NEAR_NODES)) : NODES;
}

/* Each node is a block of 32 to 256 bytes. */
static void
make_graph(struct unit_random *random, enum shape shape) {
  for (size_t i = 0; i < NODES; i++) {
    is_noscan[i] = unit_random_below(random, shape == SHAPE_WIDE ? 20 : 20000) == 0;
    nodes[i] = take_kind(unit_random_below(random, 2) ? CLASS_256_BYTES : CLASS_32_BYTES, is_noscan[i] ? SPAN_KIND_NOSCAN : 0);
  }
  for (size_t i = 0; i < NODES; i++)
    for (size_t k = 0; k < EDGES_MAX; k++) {
      edges[i][k] = choose_edge(random, shape, i, k);
      if (edges[i][k] < NODES)
        nodes[i][k] = (char *)nodes[edges[i][k]] + unit_random_below(random, 32);
    }
}

static void
search(unsigned from) {
  static unsigned stack[NODES];
  size_t count = 0;
  is_reachable[from] = true;
  stack[count++] = from;
  while (count) {
    unsigned at = stack[--count];
    for (size_t k = 0; k < EDGES_MAX && !is_noscan[at]; k++)
      if (edges[at][k] < NODES && !is_reachable[edges[at][k]]) {
        is_reachable[edges[at][k]] = true;
        stack[count++] = edges[at][k];
      }
  }
}

static void
trace(struct trace_result *result) {
  *result = (struct trace_result){0};
  const struct root root = {(uintptr_t)root_words, (uintptr_t)(root_words + CGC_COUNT(root_words)), ROOT_DATA};
  const struct root_list list = {.roots = &root, .count = 1, .bytes = sizeof root_words};
  ck_assert_int_eq(trace_heap_stw(&list, false, result), 0);
}

static void
assert_marks_are_what_is_reachable(void) {
  size_t reachable = 0;
  for (size_t i = 0; i < NODES; i++) {
    ck_assert_int_eq(is_marked(nodes[i]), is_reachable[i]);
    reachable += is_reachable[i];
  }
  ck_assert(reachable > NODES / 10 && reachable < NODES * 95 / 100);   /* or the graph tests nothing */
}

static void
make_graph_with_roots(enum shape shape) {
  struct unit_random random = unit_random_start();
  make_graph(&random, shape);
  for (size_t i = 0; i < CGC_COUNT(root_words); i++) {
    unsigned node = (unsigned)unit_random_below(&random, NODES);
    root_words[i] = (uintptr_t)nodes[node];
    search(node);
  }
}

/* Even: one marker; odd: four, which need more than 8 MiB to be worth it. */
START_TEST(mark_trace_of_a_random_graph_marks_what_is_reachable) {
  struct trace_result result;
  unit_start_heap();
  option_values[OPTION_MARKERS] = _i % 2 ? 4 : 1;
  make_graph_with_roots(_i < 2 ? SHAPE_WIDE : SHAPE_LISTS);
  if (_i % 2)
    unit_take_large(16 * MIB, SPAN_KIND_NOSCAN);
  trace(&result);
  ck_assert_uint_eq(result.markers, _i % 2 ? 4 : 1);
  assert_marks_are_what_is_reachable();
}
END_TEST

/* A list through all slots of a span, from the last to the first, and back through a block in another span:
 * the span turns grey again and again. */
START_TEST(mark_trace_comes_back_to_spans_that_turn_grey_again) {
  struct trace_result result;
  unit_start_heap();
  option_values[OPTION_MARKERS] = _i ? 4 : 1;
  if (_i)
    unit_take_large(16 * MIB, SPAN_KIND_NOSCAN);
  enum { LINKS = 5000 };
  static void **links[LINKS];
  for (unsigned i = 0; i < LINKS; i++)
    links[i] = take(i % 2 ? CLASS_32_BYTES : CLASS_256_BYTES);
  for (unsigned i = 1; i < LINKS; i++)
    links[i][1] = links[i - 1];
  root_words[5] = (uintptr_t)links[LINKS - 1];
  trace(&result);
  for (unsigned i = 0; i < LINKS; i++)
    ck_assert(is_marked(links[i]));
  ck_assert(!mark_queue_has_work());
  ck_assert_uint_eq(atom_int_load_rlx(&span_of(links[0])->is_grey), 0);
}
END_TEST

static bool
is_not_still(void) {
  return false;
}

static void
verify(bool was_beside, bool (*is_world_still)(void)) {
  const struct root root = {(uintptr_t)root_words, (uintptr_t)(root_words + CGC_COUNT(root_words)), ROOT_DATA};
  const struct root_list list = {.roots = &root, .count = 1, .bytes = sizeof root_words};
  trace_verify_stw(&list, was_beside, is_world_still);
}

START_TEST(mark_verification_of_a_sound_trace_passes) {
  struct trace_result result;
  unit_start_heap();
  make_graph_with_roots(SHAPE_WIDE);
  trace(&result);
  verify(false, is_still);
  assert_marks_are_what_is_reachable();
}
END_TEST

static void
trace_and_take_a_mark_away(void) {
  struct trace_result result;
  unit_start_heap();
  void **block = take(CLASS_32_BYTES), *target = take(CLASS_32_BYTES);
  *block = target;
  root_words[0] = (uintptr_t)block;
  trace(&result);
  struct cgc_span *span = span_of(target);
  size_t slot = span_slot_of(span, (uintptr_t)target);
  span->words[slot / 64].mark &= ~((uint64_t)1 << slot % 64);
}

START_TEST(mark_verification_of_a_missing_mark_aborts) {
  trace_and_take_a_mark_away();
  verify(false, is_still);
}
END_TEST

/* ---- verification of a mark beside the program ---- */

/* A mark beside, of a block with a word to a slot that is free, or beyond the heap, or nothing (NULL).  Returns the
 * block, still marked. */
static void **
mark_beside_with_word(void *word) {
  static struct trace_result result;
  void **block = take(CLASS_32_BYTES);
  *block = word;
  memset(root_words, 0, sizeof root_words);
  root_words[0] = (uintptr_t)block;
  static struct root root = {(uintptr_t)root_words, (uintptr_t)(root_words + CGC_COUNT(root_words)), ROOT_DATA};
  static struct root_list roots = {.roots = &root, .count = 1, .bytes = sizeof root_words};
  option_values[OPTION_VERIFY] = 1;
  ck_assert_int_eq(trace_begin_beside(), 0);
  ck_assert_int_eq(trace_roots_beside(&roots, ROOT_DATA, &result), 0);
  ck_assert_int_eq(trace_beside(NULL, &result), 0);
  trace_end_beside();
  ck_assert(is_marked(block));
  return block;
}

static void *
take_and_free(unsigned size_class) {
  void *block = take(size_class);
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(block), (uintptr_t)block), FREE_DONE);
  return block;
}

START_TEST(mark_verification_does_not_believe_a_word_older_than_its_block) {
  unit_start_heap();
  take(CLASS_256_BYTES);
  void *free_slot = take_and_free(CLASS_256_BYTES);
  mark_beside_with_word(free_slot);
  ck_assert_ptr_eq(take(CLASS_256_BYTES), free_slot);
  ck_assert(!is_marked(free_slot));
  verify(true, is_still);
}
END_TEST

START_TEST(mark_verification_does_not_believe_a_word_older_than_its_page) {
  unit_start_heap();
  void *beyond = (void *)(heap_map.base_addr + heap_map.extent_bytes + 3 * SPAN_PAGE_BYTES);
  mark_beside_with_word(beyond);
  while (!heap_map_span((uintptr_t)beyond))
    ck_assert_ptr_nonnull(unit_take_large(MIB, 0));
  verify(true, is_still);
}
END_TEST

/* Such as a slot that was filled, freed, and is handed out as it is. */
START_TEST(mark_verification_does_not_believe_what_a_block_before_has_left) {
  static struct marker marker;
  unit_start_heap();
  void **block = mark_beside_with_word(NULL), *target = take(CLASS_48_BYTES);
  *block = target;   /* on a page that is known to be written, and freed before that is looked at */
  ck_assert_int_eq(thread_cache_free_own(&cache, span_of(block), (uintptr_t)block), FREE_DONE);
  marker_init(&marker, true, true);
  marker.notes_seen = true;
  mark_rescan_range(&marker, page_of(block), page_of(block) + ARCH_PAGE_BYTES);
  ck_assert(!is_marked(target));
  ck_assert_ptr_eq(unit_take(&cache, span_class_of(CLASS_32_BYTES, 0)), block);
  ck_assert_ptr_eq(*block, target);
  verify(true, is_still);
}
END_TEST

START_TEST(mark_verification_of_a_word_not_seen_aborts) {
  unit_start_heap();
  void **block = mark_beside_with_word(NULL);
  *block = take(CLASS_256_BYTES);
  verify(true, is_still);
}
END_TEST

START_TEST(mark_verification_in_a_world_that_has_moved_does_not_abort) {
  trace_and_take_a_mark_away();
  verify(false, is_not_still);
}
END_TEST

Suite *
mark_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("mark", &tests);
  tcase_add_loop_test(tests, mark_pointer_anywhere_into_a_block_marks_it, 0, 5);
  tcase_add_test(tests, mark_word_that_is_no_pointer_marks_nothing);
  tcase_add_test(tests, mark_pointer_to_a_free_slot_marks_nothing);
  tcase_add_test(tests, mark_pointer_to_the_tail_of_a_span_marks_nothing);
  tcase_add_test(tests, mark_pointer_to_free_pages_marks_nothing);
  tcase_add_loop_test(tests, mark_pointer_past_the_end_keeps_the_block_from_stacks_only, 0, 3);
  tcase_add_test(tests, mark_pointer_past_the_end_of_the_whole_heap_keeps_the_block);
  tcase_add_loop_test(tests, mark_pointer_with_a_tag_above_the_address_marks_if_tagged, 0, 2);
  tcase_add_loop_test(tests, mark_mangled_pointer_in_roots_marks_from_demangle_1_on, 0, 3);
  tcase_add_loop_test(tests, mark_mangled_pointer_in_blocks_marks_with_demangle_2, 0, 3);
  tcase_add_loop_test(tests, mark_pointer_across_two_words_of_a_block_marks_if_packed, 0, 2);
  tcase_add_test(tests, mark_follows_pointers_in_blocks);
  tcase_add_test(tests, mark_ends_on_cycles);
  tcase_add_test(tests, mark_looks_at_first_and_last_word_of_blocks_of_every_class);
  tcase_add_test(tests, mark_does_not_look_into_noscan_blocks);
  tcase_add_test(tests, mark_looks_at_every_piece_of_a_large_block);
  tcase_add_test(tests, mark_finds_a_packed_pointer_across_the_border_of_two_pieces);
  tcase_add_test(tests, mark_verification_ignores_blocks_freed_since_they_were_marked);
  tcase_add_test(tests, mark_rescan_follows_marked_blocks_of_the_range_only);
  tcase_add_test(tests, mark_rescan_marks_what_the_found_blocks_reach);
  tcase_add_test(tests, mark_rescan_of_a_freed_slot_finds_nothing);
  tcase_add_loop_test(tests, mark_rescan_of_a_block_across_the_border_looks_at_its_part_inside, 0, 2);
  tcase_add_loop_test(tests, mark_rescan_finds_a_packed_pointer_across_the_border_of_pages, 0, 4);
  tcase_add_loop_test(tests, mark_finish_follows_pages_and_roots, 1, 5);
  tcase_add_loop_test(tests, mark_finish_past_its_deadline_leaves_the_rest_to_be_marked_beside, 1, 4);
  tcase_add_loop_test(tests, mark_beside_is_by_one_marker_until_help_is_called, 0, 2);
  tcase_add_test(tests, mark_assistant_marks_what_is_shared);
  tcase_add_test(tests, mark_assistant_without_time_leaves_all_to_others);
  tcase_add_test(tests, mark_assistant_ends_for_a_signal_that_waits);
  tcase_add_test(tests, mark_beside_with_assistants_misses_nothing);
  tcase_add_test(tests, mark_drain_that_is_interrupted_hands_over_what_is_left);
  tcase_add_test(tests, mark_rescan_of_a_large_block_looks_at_the_pages_asked_for);
  tcase_add_test(tests, mark_rescan_of_a_settled_page_looks_up_nothing);
  tcase_add_test(tests, mark_rescan_looks_up_each_word_that_has_changed);
  tcase_add_test(tests, mark_rescan_looks_up_again_what_led_to_a_free_slot);
  tcase_add_loop_test(tests, mark_rescan_looks_up_again_a_packed_pointer_that_led_to_a_free_slot, 0, 5);
  tcase_add_loop_test(tests, mark_rescan_looks_up_again_what_leads_to_pages_made_a_span_anew, 0, 2);
  tcase_add_test(tests, mark_rescan_looks_up_again_what_leads_to_pages_that_a_block_has_grown_over);
  tcase_add_loop_test(tests, mark_rescan_finds_packed_pointers_wherever_they_lie, 0, 2);
  tcase_add_loop_test(tests, mark_rescan_looks_up_again_a_packed_pointer_to_pages_made_anew, 0, 3);
  tcase_add_test(tests, mark_rescan_of_more_pages_than_shadows_misses_nothing);
  tcase_add_test(tests, mark_rescan_does_not_look_into_noscan_blocks);
  tcase_add_test(tests, mark_rescan_of_any_range_finds_all_marked_blocks_in_it);
  tcase_add_test(tests, mark_root_partly_unmapped_is_read_around_the_hole);
  tcase_add_loop_test(tests, mark_trace_of_a_random_graph_marks_what_is_reachable, 0, 4);
  tcase_add_loop_test(tests, mark_trace_comes_back_to_spans_that_turn_grey_again, 0, 2);
  tcase_add_test(tests, mark_verification_of_a_sound_trace_passes);
  tcase_add_test_raise_signal(tests, mark_verification_of_a_missing_mark_aborts, SIGABRT);
  tcase_add_test(tests, mark_verification_does_not_believe_a_word_older_than_its_block);
  tcase_add_test(tests, mark_verification_does_not_believe_a_word_older_than_its_page);
  tcase_add_test(tests, mark_verification_does_not_believe_what_a_block_before_has_left);
  tcase_add_test_raise_signal(tests, mark_verification_of_a_word_not_seen_aborts, SIGABRT);
  tcase_add_test(tests, mark_verification_in_a_world_that_has_moved_does_not_abort);
  return suite;
}
