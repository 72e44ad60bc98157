/* SPDX-License-Identifier: MIT */
/* Blocks that hold no address of each other, only how far the start of one is from that of the other. */
#include "unit.h"

#include "base/arch_x86_64.h"
#include "base/options.h"
#include "gc/mark_relative.h"
#include "gc/shadow.h"
#include "gc/trace_phase.h"
#include "heap/page_heap.h"
#include "world/loaded_objects.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

enum { CLASS_32_BYTES = 4, CLASS_48_BYTES = 5, CLASS_256_BYTES = 18, PAGE_WORDS = ARCH_PAGE_BYTES / sizeof(uintptr_t) };

static struct thread_cache cache;
static uintptr_t root_words[16];
static const struct root root = {(uintptr_t)root_words, (uintptr_t)(root_words + CGC_COUNT(root_words)), ROOT_DATA};
static const struct root_list roots = {.roots = (struct root *)&root, .count = 1, .bytes = sizeof root_words};

static void
start(void) {
  unit_start_heap();
  option_values[OPTION_RELATIVE] = OPTION_SWITCH_ON;
  mark_relative_choose_stw();
}

static uintptr_t *
take_kind(unsigned size_class, unsigned kind) {
  void *block = unit_take(&cache, span_class_of(size_class, kind));
  return memset(block, 0, size_class_rows[size_class].slot_bytes);
}

static uintptr_t *
take(unsigned size_class) {
  return take_kind(size_class, 0);
}

static uintptr_t *
take_large(size_t bytes) {
  return memset(unit_take_large(bytes, 0), 0, bytes);
}

static void
give_back(void *block) {
  ck_assert_int_eq(thread_cache_free_own(&cache, heap_map_span((uintptr_t)block), (uintptr_t)block), FREE_DONE);
}

static uintptr_t
distance(const void *from, const void *to) {
  return (uintptr_t)to - (uintptr_t)from;
}

static bool
is_marked(const void *block) {
  const struct cgc_span *span = heap_map_span((uintptr_t)block);
  size_t slot = span_slot_of(span, (uintptr_t)block);
  return atom_load_rlx(&span->words[slot / 64].mark) >> slot % 64 & 1;
}

static void
change_mark(const void *block, bool value) {
  struct cgc_span *span = heap_map_span((uintptr_t)block);
  size_t slot = span_slot_of(span, (uintptr_t)block);
  uint64_t bit = (uint64_t)1 << slot % 64, others = atom_load_rlx(&span->words[slot / 64].mark) & ~bit;
  atom_store_rlx(&span->words[slot / 64].mark, value ? others | bit : others);
}

static void
mark_from(uintptr_t word) {
  static struct marker marker;
  memset(root_words, 0, sizeof root_words);
  root_words[5] = word;
  marker_init(&marker, true, false);
  mark_root(&marker, &root);
  do
    mark_drain(&marker);
  while (mark_steal(&marker));
}

/* ---- single blocks ---- */

START_TEST(mark_relative_distance_leads_to_the_start_of_a_block) {
  start();
  option_values[OPTION_RELATIVE] = (uint64_t)_i;
  mark_relative_choose_stw();
  uintptr_t *before = take(CLASS_32_BYTES), *block = take(CLASS_256_BYTES), *behind = take(CLASS_48_BYTES);
  uintptr_t *large = take_large(20 * SPAN_PAGE_BYTES), *neighbour = take(CLASS_256_BYTES);
  uintptr_t *targets[] = {before, behind, large, neighbour};
  for (size_t i = 0; i < CGC_COUNT(targets); i++)
    block[31 - 3 * i] = distance(block, targets[i]);
  mark_from((uintptr_t)block);
  for (size_t i = 0; i < CGC_COUNT(targets); i++)
    ck_assert_int_eq(is_marked(targets[i]), _i == OPTION_SWITCH_ON);
}
END_TEST

START_TEST(mark_relative_distance_to_elsewhere_leads_nowhere) {
  start();
  uintptr_t *block = take(CLASS_256_BYTES), *target = take(CLASS_48_BYTES), *large = take_large(4 * SPAN_PAGE_BYTES);
  uintptr_t *noscan = take_kind(CLASS_256_BYTES, SPAN_KIND_NOSCAN), *other = take(CLASS_32_BYTES);
  uintptr_t *gone = take(CLASS_32_BYTES), heap_addr = heap_map.base_addr, heap_end_addr = heap_addr + HULL_HEAP_BYTES;
  const uintptr_t words[] = {distance(block, target) + 8, distance(block, target) + 1, distance(block, large) + 4096,
                             distance(block + 1, target), UINTPTR_MAX, (uintptr_t)INT64_MIN, 1, 2, 3, 7,
                             distance(block, (void *)(heap_addr - 8)), distance(block, (void *)heap_end_addr),
                             distance(block, (void *)(heap_end_addr - 8)), distance(block, NULL),
                             distance(block, gone)};
  memcpy(block + 2, words, sizeof words);
  give_back(gone);
  noscan[0] = distance(noscan, other);
  block[31] = (uintptr_t)noscan;
  mark_from((uintptr_t)block);
  ck_assert(is_marked(noscan));
  ck_assert(!is_marked(target) && !is_marked(large) && !is_marked(other) && !is_marked(gone));
}
END_TEST

START_TEST(mark_relative_distance_in_a_root_leads_nowhere) {
  start();
  uintptr_t *target = take(CLASS_48_BYTES);
  mark_from(distance(root_words, target));
  ck_assert(!is_marked(target));
}
END_TEST

START_TEST(mark_relative_first_and_last_word_of_blocks_of_every_class) {
  start();
  for (unsigned i = 2; i < SIZE_CLASS_COUNT; i++) {
    size_t words = size_class_rows[i].slot_bytes / sizeof(uintptr_t);
    uintptr_t *blocks[9], *targets[2 * CGC_COUNT(blocks)];
    for (size_t k = 0; k < CGC_COUNT(blocks); k++) {
      blocks[k] = take(i);
      blocks[k][0] = distance(blocks[k], targets[2 * k] = take(CLASS_32_BYTES));
      blocks[k][words - 1] = distance(blocks[k], targets[2 * k + 1] = take(CLASS_48_BYTES));
    }
    uintptr_t *all = take(CLASS_256_BYTES);   /* grey together: neighbours are scanned as one */
    memcpy(all, blocks, sizeof blocks);
    mark_from((uintptr_t)all);
    for (size_t k = 0; k < CGC_COUNT(targets); k++)
      ck_assert(is_marked(targets[k]));
  }
}
END_TEST

START_TEST(mark_relative_distances_are_from_the_start_in_every_piece_of_a_large_block) {
  enum { PIECES = 8, STEP = MARK_PIECE_BYTES / sizeof(uintptr_t) };
  uintptr_t *targets[2 * PIECES];
  start();
  uintptr_t *block = take_large(PIECES * MARK_PIECE_BYTES);
  for (size_t i = 0; i < PIECES; i++) {
    block[i * STEP] = distance(block, targets[2 * i] = take(CLASS_32_BYTES));
    block[i * STEP + STEP - 1] = distance(block, targets[2 * i + 1] = take(CLASS_32_BYTES));
  }
  mark_from((uintptr_t)block);
  for (size_t i = 0; i < CGC_COUNT(targets); i++)
    ck_assert(is_marked(targets[i]));
}
END_TEST

/* ---- once more ---- */

static void
rescan_page_of(const void *at) {
  static struct marker marker;
  uintptr_t page_addr = round_down((uintptr_t)at, ARCH_PAGE_BYTES);
  page_heap_begin_round(false);
  marker_init(&marker, true, false);
  mark_rescan_range(&marker, page_addr, page_addr + ARCH_PAGE_BYTES);
  mark_drain(&marker);
}

/* Of a size that does not divide a page: the first that lies in two. */
static uintptr_t *
take_across_pages(size_t *words_before) {
  for (;;) {
    uintptr_t *block = take(CLASS_48_BYTES);
    *words_before = (round_up((uintptr_t)block + 1, ARCH_PAGE_BYTES) - (uintptr_t)block) / sizeof *block;
    if (*words_before < 6)
      return block;
  }
}

START_TEST(mark_relative_rescan_knows_where_a_block_begins) {
  size_t before = 3 * PAGE_WORDS;
  start();
  uintptr_t *block = _i ? take_large(4 * SPAN_PAGE_BYTES) : take_across_pages(&before);
  uintptr_t *target = take(CLASS_32_BYTES);
  change_mark(block, true);
  block[before] = distance(block, target);
  rescan_page_of(block + before);
  ck_assert(is_marked(target));
}
END_TEST

/* Also where a shadow of the page would say that nothing has changed. */
START_TEST(mark_relative_rescan_of_a_page_finds_it_changed) {
  enum { TURNS = 5 };
  start();
  unit_take_large(16 * MIB, SPAN_KIND_NOSCAN);   /* so that there is room for shadows */
  uintptr_t *block = take_large(4 * SPAN_PAGE_BYTES), *at = block + PAGE_WORDS + 77;
  change_mark(block, true);
  shadow_begin();
  page_heap_begin_round(true);
  for (int turn = 0; turn < TURNS; turn++) {
    uintptr_t *target = take(CLASS_32_BYTES), *other = take(CLASS_48_BYTES);
    give_back(other);
    at[0] = distance(block, target);
    at[8] = distance(block, other);   /* not there yet */
    rescan_page_of(at);
    ck_assert(is_marked(target));
    ck_assert_ptr_eq(take(CLASS_48_BYTES), other);
    rescan_page_of(at);
    ck_assert(is_marked(other));
  }
}
END_TEST

/* ---- whole traces against a plain search ---- */

enum { NODES = 40000, EDGES_MAX = 3 };

static uintptr_t *nodes[NODES];
static size_t node_words[NODES];
static unsigned edges[NODES][EDGES_MAX];
static bool is_reachable[NODES];

/* Some are large, of several pieces now and then. */
static void
take_node(struct unit_random *random, size_t i) {
  unsigned classes = unit_random_below(random, 8) ? 12 : SIZE_CLASS_COUNT - 2;
  unsigned size_class = 2 + (unsigned)unit_random_below(random, classes);
  size_t bytes = size_class_rows[size_class].slot_bytes;
  if (unit_random_below(random, 400)) {
    nodes[i] = take(size_class);
  } else {
    bytes = (5 + unit_random_below(random, 40)) * SPAN_PAGE_BYTES;
    nodes[i] = take_large(bytes);
  }
  node_words[i] = bytes / sizeof(uintptr_t);
}

/* Edges to anywhere, or lists with a branch here and there. */
static unsigned
choose_edge(struct unit_random *random, bool is_lists, size_t i, size_t k) {
  enum { LIST_NODES = 4000 };
  if (!is_lists)
    return (unsigned)unit_random_below(random, NODES * 2);
  if (k == 0)
    return i % LIST_NODES < LIST_NODES - 1 ? (unsigned)i + 1 : NODES;
  bool has_branch = unit_random_below(random, 100) == 0;
  return has_branch ? (unsigned)(i - i % LIST_NODES + unit_random_below(random, LIST_NODES)) : NODES;
}

static size_t
word_of_edge(size_t i, size_t k) {
  static const size_t parts[EDGES_MAX] = {0, 3, 1};   /* the first word, the last but for the next, the last */
  return k == 0 ? 0 : node_words[i] - min_u64(parts[k], node_words[i] - 1);
}

static void
make_graph(bool is_lists) {
  struct unit_random random = unit_random_start();
  for (size_t i = 0; i < NODES; i++)
    take_node(&random, i);
  for (size_t i = 0; i < NODES; i++)
    for (size_t k = 0; k < EDGES_MAX; k++) {
      edges[i][k] = choose_edge(&random, is_lists, i, k);
      if (node_words[i] < 4 && k)
        edges[i][k] = NODES;   /* there is no room */
      if (edges[i][k] < NODES)
        nodes[i][word_of_edge(i, k)] = distance(nodes[i], nodes[edges[i][k]]);
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
    for (size_t k = 0; k < EDGES_MAX; k++)
      if (edges[at][k] < NODES && !is_reachable[edges[at][k]]) {
        is_reachable[edges[at][k]] = true;
        stack[count++] = edges[at][k];
      }
  }
}

/* Of the nodes of a wide graph one in four leads to few others: of 16 roots one leads to many, with any seed.  Four lists
 * are some of all. */
static void
make_graph_with_roots(bool is_lists) {
  size_t root_count = is_lists ? 4 : CGC_COUNT(root_words);
  make_graph(is_lists);
  for (size_t i = 0; i < root_count; i++) {
    unsigned node = (unsigned)(i * NODES / root_count);
    root_words[i] = (uintptr_t)nodes[node];
    search(node);
  }
}

static void
check_marks(void) {
  size_t reachable = 0;
  for (size_t i = 0; i < NODES; i++) {
    ck_assert_int_eq(is_marked(nodes[i]), is_reachable[i]);
    reachable += is_reachable[i];
  }
  ck_assert(reachable > NODES / 20 && reachable < NODES * 97 / 100);   /* or the graph tests nothing */
}

static bool
is_still(void) {
  return true;
}

/* Even: one marker; odd: four. */
START_TEST(mark_relative_trace_of_a_random_graph_marks_what_is_reachable) {
  struct trace_result result = {0};
  start();
  option_values[OPTION_MARKERS] = _i % 2 ? 4 : 1;
  make_graph_with_roots(_i >= 2);
  ck_assert_int_eq(trace_heap_stw(&roots, false, &result), 0);
  check_marks();
  trace_verify_stw(&roots, false, is_still);
}
END_TEST

START_TEST(mark_relative_trace_beside_marks_what_is_reachable) {
  struct trace_result result = {0};
  struct dirty_pages none = {.is_complete = true};
  bool is_finished = false;
  start();
  option_values[OPTION_MARKERS] = 4;
  option_values[OPTION_VERIFY] = 1;
  make_graph_with_roots(_i % 2);
  ck_assert_int_eq(trace_begin_beside(), 0);
  if (_i / 2)
    trace_call_help();
  ck_assert_int_eq(trace_roots_beside(&roots, ROOT_DATA, &result), 0);
  ck_assert_int_eq(trace_beside(&none, &result), 0);
  ck_assert_int_eq(trace_finish_stw(&roots, &none, UINT64_MAX, &is_finished, &result), 0);
  trace_end_beside();
  ck_assert(is_finished);
  check_marks();
  trace_verify_stw(&roots, true, is_still);
}
END_TEST

/* As a partial cycle: what has been marked before is followed again where it was written to alone. */
START_TEST(mark_relative_trace_of_written_pages_follows_them) {
  struct trace_result result = {0};
  start();
  uintptr_t *blocks[] = {take(CLASS_48_BYTES), take_large(4 * SPAN_PAGE_BYTES)}, *block = blocks[_i];
  size_t at = _i ? 5 * PAGE_WORDS + 9 : 4;
  root_words[0] = (uintptr_t)block;
  ck_assert_int_eq(trace_heap_stw(&roots, true, &result), 0);
  uintptr_t *middle = take(CLASS_32_BYTES), *target = take(CLASS_256_BYTES);
  block[at] = distance(block, middle);
  middle[3] = distance(middle, target);
  uintptr_t page_addr = round_down((uintptr_t)(block + at), ARCH_PAGE_BYTES);
  struct dirty_range range = {page_addr, page_addr + ARCH_PAGE_BYTES};
  struct dirty_pages written = {.parts = {{&range, 1}}, .part_count = 1, .page_count = 1};
  ck_assert_int_eq(trace_written_stw(&roots, &written, &result), 0);
  ck_assert(is_marked(middle) && is_marked(target));
}
END_TEST

/* ---- verification ---- */

START_TEST(mark_relative_verification_of_a_missing_mark_aborts) {
  struct trace_result result = {0};
  start();
  uintptr_t *block = take(CLASS_48_BYTES), *target = take(CLASS_32_BYTES);
  block[3] = distance(block, target);
  root_words[0] = (uintptr_t)block;
  ck_assert_int_eq(trace_heap_stw(&roots, false, &result), 0);
  change_mark(target, false);
  trace_verify_stw(&roots, false, is_still);
}
END_TEST

static void
mark_beside(void) {
  struct trace_result result = {0};
  option_values[OPTION_VERIFY] = 1;
  ck_assert_int_eq(trace_begin_beside(), 0);
  ck_assert_int_eq(trace_roots_beside(&roots, ROOT_DATA, &result), 0);
  ck_assert_int_eq(trace_beside(NULL, &result), 0);
  trace_end_beside();
}

START_TEST(mark_relative_verification_does_not_believe_a_word_older_than_its_block) {
  start();
  uintptr_t *block = take(CLASS_48_BYTES), *gone = take(CLASS_32_BYTES);
  uintptr_t beyond = heap_map.base_addr + heap_map.extent_bytes + 3 * SPAN_PAGE_BYTES;
  give_back(gone);
  block[2] = distance(block, gone);
  block[3] = distance(block, (void *)beyond);
  root_words[0] = (uintptr_t)block;
  mark_beside();
  ck_assert_ptr_eq(take(CLASS_32_BYTES), gone);
  while ((uintptr_t)unit_take_large(SPAN_PAGE_BYTES, 0) != beyond)
    ck_assert_uint_lt(heap_map.extent_bytes, 4 * ARENA_BYTES);
  trace_verify_stw(&roots, true, is_still);
}
END_TEST

START_TEST(mark_relative_verification_does_not_believe_what_a_block_before_has_left) {
  static struct marker marker;
  start();
  uintptr_t *block = take(CLASS_48_BYTES), *target = take(CLASS_32_BYTES);
  root_words[0] = (uintptr_t)block;
  mark_beside();
  block[4] = distance(block, target);   /* on a page that is known to be written, and freed before that is looked at */
  give_back(block);
  marker_init(&marker, true, true);
  marker.notes_seen = true;
  mark_rescan_range(&marker, round_down((uintptr_t)block, ARCH_PAGE_BYTES), (uintptr_t)(block + 6));
  ck_assert_ptr_eq(unit_take(&cache, span_class_of(CLASS_48_BYTES, 0)), block);
  trace_verify_stw(&roots, true, is_still);
}
END_TEST

/* ---- which libraries need it ---- */

/* One that is not loaded, by that name. */
static void *
load_as(const char *name) {
  char dir[] = "/tmp/cgc-unit-XXXXXX", path[PATH_MAX];
  const struct link_map *map = dlopen(LIBBROKENLOCALE_SO, RTLD_NOW);
  ck_assert_ptr_nonnull(map);
  ck_assert_ptr_nonnull(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/%s", dir, name);
  ck_assert_int_eq(symlink(map->l_name, path), 0);
  ck_assert_int_eq(dlclose((void *)map), 0);
  void *library = dlopen(path, RTLD_NOW);
  unlink(path);
  rmdir(dir);
  ck_assert_ptr_nonnull(library);
  return library;
}

static const char *const names_of_fontconfig[] = {
  "libfontconfig.so.1", "libfontconfig.so", "libfontconfig-dcbc33d6.so.1.12.0"};

START_TEST(mark_relative_is_sought_while_fontconfig_is_loaded) {
  ck_assert_uint_eq(option(OPTION_RELATIVE), OPTION_SWITCH_AUTO);
  ck_assert(!mark_relative_choose_stw() && !mark_relative_is_sought());
  void *other = load_as("libconfig-of-fontconfig.so");
  ck_assert(!mark_relative_choose_stw() && !mark_relative_is_missed_stw());
  dlclose(other);
  void *library = load_as(names_of_fontconfig[_i]);
  ck_assert(mark_relative_is_missed_stw() && !mark_relative_is_sought());
  ck_assert(mark_relative_choose_stw() && mark_relative_is_sought() && !mark_relative_is_missed_stw());
  ck_assert(!mark_relative_choose_stw() && mark_relative_is_sought());
  dlclose(library);
  ck_assert(!mark_relative_is_missed_stw() && mark_relative_is_sought());
  ck_assert(mark_relative_choose_stw() && !mark_relative_is_sought());
}
END_TEST

START_TEST(mark_relative_is_sought_always_or_never_if_the_option_says_so) {
  option_values[OPTION_RELATIVE] = OPTION_SWITCH_OFF;
  load_as(names_of_fontconfig[0]);
  ck_assert(!mark_relative_choose_stw() && !mark_relative_is_sought() && !mark_relative_is_missed_stw());
  option_values[OPTION_RELATIVE] = OPTION_SWITCH_ON;
  ck_assert(mark_relative_choose_stw() && mark_relative_is_sought());
}
END_TEST

START_TEST(mark_relative_loaded_objects_are_told_apart) {
  uint64_t before = loaded_objects_fingerprint_stw();
  ck_assert_uint_eq(loaded_objects_fingerprint_stw(), before);
  ck_assert(loaded_objects_has_stw("libc.so") && !loaded_objects_has_stw("libno-such"));
  void *library = dlmopen(LM_ID_NEWLM, LIBBROKENLOCALE_SO, RTLD_NOW);   /* in a namespace of its own */
  ck_assert_ptr_nonnull(library);
  ck_assert_uint_ne(loaded_objects_fingerprint_stw(), before);
  ck_assert(loaded_objects_has_stw("libBrokenLocale"));
  dlclose(library);
  ck_assert(!loaded_objects_has_stw("libBrokenLocale"));
}
END_TEST

Suite *
mark_relative_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("mark_relative", &tests);
  tcase_add_loop_test(tests, mark_relative_distance_leads_to_the_start_of_a_block, 0, 3);
  tcase_add_test(tests, mark_relative_distance_to_elsewhere_leads_nowhere);
  tcase_add_test(tests, mark_relative_distance_in_a_root_leads_nowhere);
  tcase_add_test(tests, mark_relative_first_and_last_word_of_blocks_of_every_class);
  tcase_add_test(tests, mark_relative_distances_are_from_the_start_in_every_piece_of_a_large_block);
  tcase_add_loop_test(tests, mark_relative_rescan_knows_where_a_block_begins, 0, 2);
  tcase_add_test(tests, mark_relative_rescan_of_a_page_finds_it_changed);
  tcase_add_loop_test(tests, mark_relative_trace_of_a_random_graph_marks_what_is_reachable, 0, 4);
  tcase_add_loop_test(tests, mark_relative_trace_beside_marks_what_is_reachable, 0, 4);
  tcase_add_loop_test(tests, mark_relative_trace_of_written_pages_follows_them, 0, 2);
  tcase_add_test_raise_signal(tests, mark_relative_verification_of_a_missing_mark_aborts, SIGABRT);
  tcase_add_test(tests, mark_relative_verification_does_not_believe_a_word_older_than_its_block);
  tcase_add_test(tests, mark_relative_verification_does_not_believe_what_a_block_before_has_left);
  tcase_add_loop_test(tests, mark_relative_is_sought_while_fontconfig_is_loaded, 0, CGC_COUNT(names_of_fontconfig));
  tcase_add_test(tests, mark_relative_is_sought_always_or_never_if_the_option_says_so);
  tcase_add_test(tests, mark_relative_loaded_objects_are_told_apart);
  return suite;
}
