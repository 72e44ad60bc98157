/* SPDX-License-Identifier: MIT */
/* Graphs of real blocks, most of them given as text: "ab" is a pointer in the block a to the block b. */
#include "unit.h"

#include "base/options.h"
#include "gc/mark_relative.h"
#include "heap/heap_map.h"
#include "report/leak_graph.h"

enum { CLASS_256_BYTES = 18, WORDS = 32, BLOCKS_MAX = 40, BYTES = 200 };

static struct thread_cache cache;
static struct leak_node nodes[BLOCKS_MAX];
static struct record records[BLOCKS_MAX];
static size_t count, word_counts[BLOCKS_MAX];

/* Blocks of BYTES bytes each, the first one the oldest. */
static void
start(size_t blocks) {
  static bool has_heap;
  if (!has_heap)
    unit_start_heap();
  has_heap = true;
  count = blocks;
  for (size_t i = 0; i < blocks; i++) {
    void *block = unit_take(&cache, span_class_of(CLASS_256_BYTES, 0));
    memset(block, 0, WORDS * sizeof(uintptr_t));
    word_counts[i] = 0;
    records[i] = (struct record){.sequence = (uint32_t)i + 1};
    nodes[i] = (struct leak_node){.addr = (uintptr_t)block, .bytes = BYTES, .record = &records[i],
                                  .has_pointers = true};
  }
}

static void
put(size_t from, uintptr_t word) {
  ((uintptr_t *)nodes[from].addr)[word_counts[from]++] = word;
}

static void
refer(size_t from, size_t to) {
  put(from, nodes[to].addr);
}

static void
start_with(size_t blocks, const char *references) {
  start(blocks);
  for (const char *r = references; *r; r += r[2] ? 3 : 2)
    refer((size_t)(r[0] - 'a'), (size_t)(r[1] - 'a'));
}

static char
letter_of(const struct leak_node *node) {
  switch (node->kind) {
    case LEAK_DIRECT: return node->is_cycle ? 'c' : 'd';
    case LEAK_INDIRECT: return 'i';
    default: return '?';
  }
}

/* Kinds of all, in a row: direct, direct for a cycle, indirect, doubtful (?). */
static const char *
kinds(void) {
  static char row[BLOCKS_MAX + 1];
  ck_assert(leak_graph_classify(nodes, count));
  for (size_t i = 0; i < count; i++)
    row[i] = letter_of(&nodes[i]);
  row[count] = 0;
  return row;
}

/* ---- shapes ---- */

static const struct shape {
  const char *name;
  size_t blocks;
  const char *references, *kinds;
  size_t reach_of_direct[4];   /* of those that are, in turn */
} shapes[] = {
  {"single", 1, "", "d", {1}},
  {"two apart", 2, "", "dd", {1, 1}},
  {"itself", 1, "aa", "d", {1}},
  {"chain", 4, "ab bc cd", "diii", {4}},
  {"chain from the youngest", 4, "dc cb ba", "iiid", {4}},
  {"tree", 5, "ab ac bd be", "diiii", {5}},
  {"diamond", 4, "ab ac bd cd", "diii", {4}},
  {"cycle", 3, "ab bc ca", "cii", {3}},
  {"cycle found from its middle", 3, "cb ba ac", "cii", {3}},
  {"two cycles joined", 4, "ab ba bc cd dc", "ciii", {4}},
  {"two cycles joined the other way", 4, "ab ba ca cd dc", "iici", {4}},
  {"two cycles in one", 3, "ab ba ac ca", "cii", {3}},
  {"cycle with a tail", 4, "ab ba bc cd", "ciii", {4}},
  {"cycle behind a chain", 4, "ab bc cd db", "diii", {4}},
  {"cycle with itself", 2, "aa ab ba", "ci", {2}},
  {"two roots for one", 3, "ac bc", "ddi", {2, 1}},
  {"two cycles apart", 4, "ab ba cd dc", "cici", {2, 2}},
  {"back and across", 6, "ab bc ca cd de ef fd bf", "ciiiii", {6}},
};

START_TEST(leak_graph_of_shape) {
  const struct shape *shape = &shapes[_i];
  start_with(shape->blocks, shape->references);
  const char *found = kinds();
  ck_assert_msg(!strcmp(found, shape->kinds), "%s: %s", shape->name, found);
  for (size_t i = 0, direct = 0; i < count; i++) {
    size_t reach = nodes[i].kind == LEAK_DIRECT ? shape->reach_of_direct[direct++] : 0;
    ck_assert_msg(nodes[i].reach_blocks == reach, "%s: block %zu reaches %zu", shape->name, i, nodes[i].reach_blocks);
    ck_assert_uint_eq(nodes[i].reach_bytes, reach * BYTES);
  }
}
END_TEST

START_TEST(leak_graph_cycle_is_represented_by_its_oldest_block) {
  start_with(3, "ab bc ca");
  records[0].time = records[2].time = 9;
  records[1].time = 8;
  ck_assert_str_eq(kinds(), "ici");
  start_with(3, "ab bc ca");
  records[0].time = 3;   /* the time wraps around */
  records[1].time = UINT32_MAX - 5;
  records[2].time = 4;
  ck_assert_str_eq(kinds(), "ici");
}
END_TEST

START_TEST(leak_graph_doubtful_block_takes_along_what_it_reaches) {
  start_with(6, "ab bc de ef fd");
  nodes[1].is_doubtful = nodes[4].is_doubtful = true;
  ck_assert_str_eq(kinds(), "d?????");
  ck_assert_uint_eq(nodes[0].reach_blocks, 1);
}
END_TEST

/* ---- what hangs off what ---- */

/* "57": it hangs off direct leaks with these stacks. */
static const char *
owners_of(size_t node) {
  static char text[LEAK_OWNERS_MAX + 1];
  size_t length = 0;
  for (uint64_t rest = nodes[node].owners; rest; rest &= rest - 1)
    text[length++] = (char)('0' + leak_graph_owner_stacks()[__builtin_ctzll(rest)]);
  text[length] = 0;
  return text;
}

START_TEST(leak_graph_tells_all_direct_leaks_that_reach_a_block) {
  static const unsigned stacks[] = {5, 7, 5, 0, 9, 9, 9, 9};
  start_with(CGC_COUNT(stacks), "ae be bf fg gf cg dh");
  for (size_t i = 0; i < count; i++)
    records[i].stack = stacks[i];
  ck_assert_str_eq(kinds(), "ddddiiii");
  ck_assert_str_eq(owners_of(4), "57");
  ck_assert_str_eq(owners_of(5), "57");
  ck_assert_str_eq(owners_of(6), "57");
  ck_assert_str_eq(owners_of(7), "0");
}
END_TEST

START_TEST(leak_graph_cycle_hangs_off_its_representative) {
  start_with(4, "ab ba bc cd");
  for (size_t i = 0; i < count; i++)
    records[i].stack = (unsigned)i + 1;
  ck_assert_str_eq(kinds(), "ciii");
  for (size_t i = 1; i < count; i++)
    ck_assert_str_eq(owners_of(i), "1");
}
END_TEST

START_TEST(leak_graph_has_room_for_so_many_owners) {
  enum { PAIRS = LEAK_OWNERS_MAX + 3 };
  static struct leak_node pairs[2 * PAIRS];
  static struct record stacks[2 * PAIRS];
  unit_start_heap();
  for (unsigned i = 0; i < 2 * PAIRS; i++) {
    void *block = unit_take(&cache, span_class_of(CLASS_256_BYTES, 0));
    *(uintptr_t *)block = i % 2 ? pairs[i - 1].addr : 0;
    stacks[i].stack = i + 1;
    pairs[i] = (struct leak_node){.addr = (uintptr_t)block, .bytes = 8, .record = &stacks[i], .has_pointers = true};
  }
  ck_assert(leak_graph_classify(pairs, 2 * PAIRS));
  for (unsigned i = 0; i < PAIRS; i++) {
    unsigned owner = i < LEAK_OWNERS_MAX - 1 ? i : LEAK_OWNERS_MAX - 1;
    ck_assert_uint_eq(pairs[2 * i].owners, (uint64_t)1 << owner);
    ck_assert_uint_eq(leak_graph_owner_stacks()[owner], i < LEAK_OWNERS_MAX - 1 ? stacks[2 * i + 1].stack : 0);
  }
}
END_TEST

/* ---- what is a reference ---- */

static const char *
kinds_with_word(uintptr_t offset) {
  start(2);
  put(0, nodes[1].addr + offset);
  return kinds();
}

START_TEST(leak_graph_reference_may_point_into_a_block) {
  ck_assert_str_eq(kinds_with_word(1), "di");
  ck_assert_str_eq(kinds_with_word(BYTES - 1), "di");
}
END_TEST

START_TEST(leak_graph_reference_may_have_a_tag) {
  ck_assert_str_eq(kinds_with_word((uintptr_t)0xfffc << 48), "di");
}
END_TEST

/* b tells how far a is; a tells of a place in c. */
START_TEST(leak_graph_reference_may_be_relative) {
  option_values[OPTION_RELATIVE] = (uint64_t)_i;
  mark_relative_choose_stw();
  start_with(3, "");
  put(1, nodes[0].addr - nodes[1].addr);
  put(0, nodes[2].addr - nodes[0].addr + 8);
  ck_assert_str_eq(kinds(), _i ? "idd" : "ddd");
}
END_TEST

START_TEST(leak_graph_of_words_that_are_no_pointers) {
  start(2);
  put(0, 1);
  put(0, UINTPTR_MAX);
  put(0, (uintptr_t)&nodes);
  put(0, nodes[0].addr & ~(uintptr_t)0xffffff);
  ck_assert_str_eq(kinds(), "dd");
}
END_TEST

START_TEST(leak_graph_looks_at_requested_bytes_alone) {
  start(2);
  ((uintptr_t *)nodes[0].addr)[BYTES / sizeof(uintptr_t)] = nodes[1].addr;
  ck_assert_str_eq(kinds(), "dd");
}
END_TEST

START_TEST(leak_graph_does_not_look_into_blocks_without_pointers) {
  start_with(2, "ab");
  nodes[0].has_pointers = false;
  ck_assert_str_eq(kinds(), "dd");
}
END_TEST

/* To a block that is no node, as it can be reached. */
START_TEST(leak_graph_leaves_out_other_blocks) {
  start_with(3, "ac cb");
  count = 2;
  ck_assert_str_eq(kinds(), "dd");
}
END_TEST

START_TEST(leak_graph_of_a_long_chain_needs_no_stack) {
  enum { LONG = 100000 };
  struct leak_node *chain = calloc(LONG, sizeof *chain);
  unit_start_heap();
  for (size_t i = 0; i < LONG; i++) {
    void *block = unit_take(&cache, span_class_of(CLASS_256_BYTES, 0));
    *(uintptr_t *)block = i ? chain[i - 1].addr : 0;
    chain[i] = (struct leak_node){.addr = (uintptr_t)block, .bytes = 8, .record = &records[0], .has_pointers = true};
  }
  ck_assert(leak_graph_classify(chain, LONG));
  ck_assert_uint_eq(chain[LONG - 1].reach_blocks, LONG);
  for (size_t i = 0; i < LONG - 1; i++)
    ck_assert_int_eq(chain[i].kind, LEAK_INDIRECT);
}
END_TEST

/* ---- random graphs, and what is found by looking at all ways ---- */

static bool reaches[BLOCKS_MAX][BLOCKS_MAX];

static void
make_random(struct unit_random *random) {
  memset(reaches, 0, sizeof reaches);
  start(1 + unit_random_below(random, BLOCKS_MAX));
  for (uint64_t n = unit_random_below(random, 2 * count); n--;) {
    size_t from = unit_random_below(random, count), to = unit_random_below(random, count);
    if (word_counts[from] == BYTES / sizeof(uintptr_t))
      continue;
    put(from, nodes[to].addr + unit_random_below(random, 2) * unit_random_below(random, BYTES));
    reaches[from][to] = true;
  }
  for (size_t i = 0; i < count; i++) {
    records[i].sequence = (uint32_t)((i * 7919 + 13) % 10007);
    nodes[i].is_doubtful = !unit_random_below(random, 20);
  }
}

static void
close_reaches(void) {
  for (size_t via = 0; via < count; via++)
    for (size_t i = 0; i < count; i++)
      for (size_t k = 0; k < count; k++)
        reaches[i][k] |= reaches[i][via] && reaches[via][k];
}

static bool
is_reached_by_doubtful(size_t i) {
  for (size_t k = 0; k < count; k++)
    if (nodes[k].is_doubtful && (k == i || reaches[k][i]))
      return true;
  return false;
}

/* Of all blocks that reach it, itself or each other. */
static enum leak_kind
expected_kind(size_t i, bool *is_cycle) {
  *is_cycle = false;
  if (is_reached_by_doubtful(i))
    return LEAK_DOUBTFUL;
  for (size_t k = 0; k < count; k++) {
    if (k == i || !reaches[k][i])
      continue;
    if (!reaches[i][k] || records[k].sequence < records[i].sequence)
      return LEAK_INDIRECT;
    *is_cycle = true;
  }
  return LEAK_DIRECT;
}

/* Each block counts for the first that it hangs off. */
static size_t
claim(size_t direct, bool *is_claimed) {
  size_t reach = 0;
  for (size_t i = 0; i < count; i++) {
    bool hangs_off = i == direct || (reaches[direct][i] && !is_reached_by_doubtful(i));
    reach += hangs_off && !is_claimed[i];
    is_claimed[i] |= hangs_off;
  }
  return reach;
}

static void
check_random(void) {
  bool is_claimed[BLOCKS_MAX] = {false};
  ck_assert(leak_graph_classify(nodes, count));
  for (size_t i = 0; i < count; i++) {
    bool is_cycle;
    enum leak_kind kind = expected_kind(i, &is_cycle);
    ck_assert_int_eq(nodes[i].kind, kind);
    if (kind == LEAK_DIRECT) {
      ck_assert_int_eq(nodes[i].is_cycle, is_cycle);
      ck_assert_uint_eq(nodes[i].reach_blocks, claim(i, is_claimed));
    }
  }
}

START_TEST(leak_graph_of_random_graphs) {
  enum { GRAPHS = 2000 };
  struct unit_random random = unit_random_start();
  for (int i = 0; i < GRAPHS; i++) {
    make_random(&random);
    close_reaches();
    check_random();
  }
}
END_TEST

Suite *
leak_graph_suite(void) {
  TCase *tests;
  Suite *suite = unit_suite("leak_graph", &tests);
  tcase_add_loop_test(tests, leak_graph_of_shape, 0, CGC_COUNT(shapes));
  tcase_add_test(tests, leak_graph_cycle_is_represented_by_its_oldest_block);
  tcase_add_test(tests, leak_graph_doubtful_block_takes_along_what_it_reaches);
  tcase_add_test(tests, leak_graph_tells_all_direct_leaks_that_reach_a_block);
  tcase_add_test(tests, leak_graph_cycle_hangs_off_its_representative);
  tcase_add_test(tests, leak_graph_has_room_for_so_many_owners);
  tcase_add_test(tests, leak_graph_reference_may_point_into_a_block);
  tcase_add_test(tests, leak_graph_reference_may_have_a_tag);
  tcase_add_loop_test(tests, leak_graph_reference_may_be_relative, 0, 2);
  tcase_add_test(tests, leak_graph_of_words_that_are_no_pointers);
  tcase_add_test(tests, leak_graph_looks_at_requested_bytes_alone);
  tcase_add_test(tests, leak_graph_does_not_look_into_blocks_without_pointers);
  tcase_add_test(tests, leak_graph_leaves_out_other_blocks);
  tcase_add_test(tests, leak_graph_of_a_long_chain_needs_no_stack);
  tcase_add_test(tests, leak_graph_of_random_graphs);
  return suite;
}
