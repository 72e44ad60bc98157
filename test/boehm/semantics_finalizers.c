/* SPDX-License-Identifier: MIT */
/* Finalizers, in all orders; toggle references; functions that are called as blocks are reclaimed. */
#include "semantics_common.h"

#include <gc/gc_disclaim.h>
#include <gc/gc_mark.h>
#include <gc/javaxfc.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What finalizers have been called for: the numbers in their blocks, in order. */
enum { LOG_MAX = 8192, MAGIC = 0x5a17 };

static unsigned calls[LOG_MAX], call_count;

struct node {
  struct node *next;
  unsigned number, magic;
  struct node *other;
};

static struct node **kept;

static unsigned warnings;
static void *last_warned;

static void
count_warning(char *format, GC_word word) {
  if (strstr(format, "inalization cycle")) {
    warnings++;
    last_warned = (void *)GC_HIDE_POINTER(word);
  }
}

static void
start(void) {
  GC_INIT();
  kept = GC_malloc(64 * sizeof *kept);
  GC_set_warn_proc(count_warning);
}

static struct node *
make(unsigned number, struct node *next) {
  struct node *node = GC_malloc(sizeof *node);
  *node = (struct node){.next = next, .number = number, .magic = MAGIC};
  GC_reachable_here(node);   /* or the compiler may think that nobody will read it */
  return node;
}

/* What the block refers to is as it was. */
static void
note_call(void *block, void *data) {
  struct node *node = block;
  (void)data;
  EXPECT_EQUAL(node->magic, MAGIC);
  EXPECT(!node->next || node->next->magic == MAGIC);
  EXPECT(!node->other || node->other->magic == MAGIC);
  EXPECT(call_count < LOG_MAX);
  calls[call_count++] = node->number;
}

typedef void register_function(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **);

static void
finalize_by(register_function *register_it, struct node *node) {
  register_it(node, note_call, NULL, NULL, NULL);
}

static bool
was_called(unsigned number) {
  for (unsigned i = 0; i < call_count; i++)
    if (calls[i] == number)
      return true;
  return false;
}

/* ---- topological ---- */

enum { CHAIN = 10 };

static void
make_chain(void) {
  struct node *node = NULL;
  for (unsigned i = CHAIN; i > 0; i--) {
    node = make(i, node);
    finalize_by(GC_register_finalizer, node);
  }
}

/* One in each collection, each before what it refers to. */
static void
chain_in_order(void) {
  start();
  deep(make_chain);
  for (unsigned i = 1; i <= CHAIN; i++) {
    collect_once();
    EXPECT_EQUAL(call_count, i);
    EXPECT_EQUAL(calls[i - 1], i);
  }
  collect();
  EXPECT_EQUAL(call_count, CHAIN);
  EXPECT_EQUAL(warnings, 0);
}

static void
make_unfinalized_middle(void) {
  struct node *last = make(3, NULL), *first = make(1, make(2, last));
  finalize_by(GC_register_finalizer, first);
  finalize_by(GC_register_finalizer, last);
  watch(0, first->next);
}

static void
chain_through_others(void) {
  start();
  deep(make_unfinalized_middle);
  collect_once();
  EXPECT(call_count == 1 && calls[0] == 1);
  collect_once();
  EXPECT(call_count == 2 && calls[1] == 3);
  EXPECT(is_gone(0));
}

static void
make_many(void) {
  for (unsigned i = 0; i < 3000; i++)
    finalize_by(GC_register_finalizer, make(i, NULL));
}

static void
many_at_once(void) {
  start();
  deep(make_many);
  collect();
  EXPECT(call_count >= 2999);   /* bdwgc's frames may hold one */
  for (unsigned i = 0, missing = 0; i < 3000; i++)
    EXPECT((missing += !was_called(i)) <= 3000 - call_count);
}

static void
make_reachable(void) {
  kept[0] = make(1, NULL);
  finalize_by(GC_register_finalizer, kept[0]);
}

static void
reachable_is_not_finalized(void) {
  start();
  deep(make_reachable);
  collect();
  EXPECT_EQUAL(call_count, 0);
  kept[0] = NULL;
  collect();
  EXPECT_EQUAL(call_count, 1);
}

/* ---- cycles ---- */

static void
make_cycle_by(register_function *register_it) {
  struct node *one = make(1, NULL), *other = make(2, one);
  one->next = other;
  finalize_by(register_it, one);
  finalize_by(register_it, other);
}

static void
make_cycle(void) {
  make_cycle_by(GC_register_finalizer);
}

static void
make_cycle_in_no_order(void) {
  make_cycle_by(GC_register_finalizer_no_order);
}

static void
make_cycle_ignoring_self(void) {
  make_cycle_by(GC_register_finalizer_ignore_self);
}

static void
cycle_is_warned_of(void) {
  start();
  deep(make_cycle);
  collect();
  EXPECT_EQUAL(call_count, 0);
  EXPECT(warnings > 0);
  const struct node *node = GC_REVEAL_POINTER(last_warned);
  EXPECT(node->magic == MAGIC && (node->number == 1 || node->number == 2));
}

static void
make_self(void) {
  struct node *node = make(1, NULL);
  node->next = node;
  finalize_by(GC_register_finalizer, node);
  node = make(2, NULL);
  node->next = node;
  finalize_by(GC_register_finalizer_ignore_self, node);
}

static void
self_reference_counts_unless_ignored(void) {
  start();
  deep(make_self);
  collect();
  EXPECT(call_count == 1 && calls[0] == 2);
  EXPECT(warnings > 0);
}

/* Only what is in the block itself is ignored. */
static void
cycle_through_another_counts(void) {
  start();
  deep(make_cycle_ignoring_self);
  collect();
  EXPECT_EQUAL(call_count, 0);
  EXPECT(warnings > 0);
}

static void
make_chain_ignoring_self(void) {
  struct node *last = make(2, NULL), *first = make(1, last);
  last->other = last;
  first->other = first;
  finalize_by(GC_register_finalizer_ignore_self, first);
  finalize_by(GC_register_finalizer_ignore_self, last);
}

static void
ignoring_self_is_in_order(void) {
  start();
  deep(make_chain_ignoring_self);
  collect_once();
  EXPECT(call_count == 1 && calls[0] == 1);
  collect_once();
  EXPECT(call_count == 2 && calls[1] == 2);
}

/* All at once, and each finds the other whole. */
static void
no_order(void) {
  start();
  GC_set_java_finalization(1);
  deep(make_cycle_in_no_order);
  collect_once();
  EXPECT(call_count == 2 && was_called(1) && was_called(2));
  EXPECT_EQUAL(warnings, 0);
}

/* ---- Java's ---- */

static void
make_referred_in_no_order(void) {
  struct node *last = make(2, NULL), *first = make(1, last);
  finalize_by(GC_register_finalizer_unreachable, last);
  finalize_by(GC_register_finalizer_no_order, first);
}

static void
unreachable_waits_for_no_order(void) {
  start();
  GC_set_java_finalization(1);
  deep(make_referred_in_no_order);
  collect_once();
  EXPECT(call_count == 1 && calls[0] == 1);
  collect_once();
  EXPECT(call_count == 2 && calls[1] == 2);
}

static void
make_unreachable_alone(void) {
  finalize_by(GC_register_finalizer_unreachable, make(1, make(7, NULL)));
}

static void
unreachable_alone(void) {
  start();
  GC_set_java_finalization(1);
  deep(make_unreachable_alone);
  collect_once();
  EXPECT_EQUAL(call_count, 1);
}

/* Among each other they are in order, whichever is registered first. */
static void
make_unreachable_chains(void) {
  struct node *last = make(12, NULL), *first = make(11, last);
  finalize_by(GC_register_finalizer_unreachable, last);
  finalize_by(GC_register_finalizer_unreachable, first);
  last = make(22, NULL), first = make(21, last);
  finalize_by(GC_register_finalizer_unreachable, first);
  finalize_by(GC_register_finalizer_unreachable, last);
}

static void
unreachable_in_order(void) {
  start();
  GC_set_java_finalization(1);
  deep(make_unreachable_chains);
  collect_once();
  EXPECT(call_count == 2 && was_called(11) && was_called(21));
  collect_once();
  EXPECT(call_count == 4 && was_called(12) && was_called(22));
}

static void
make_unreachable_cycle(void) {
  make_cycle_by(GC_register_finalizer_unreachable);
}

static void
unreachable_cycle_is_warned_of(void) {
  start();
  GC_set_java_finalization(1);
  deep(make_unreachable_cycle);
  collect();
  EXPECT_EQUAL(call_count, 0);
  EXPECT(warnings > 0);
}

/* ---- on demand ---- */

static unsigned notifications;

static void
notify(void) {
  notifications++;
}

static void
make_three(void) {
  for (unsigned i = 0; i < 3; i++)
    finalize_by(GC_register_finalizer, make(i, NULL));
}

static void
on_demand(void) {
  start();
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(notify);
  EXPECT(GC_get_finalizer_notifier() == notify && GC_get_finalize_on_demand() == 1);
  deep(make_three);
  EXPECT_EQUAL(GC_should_invoke_finalizers(), 0);
  EXPECT_EQUAL(GC_invoke_finalizers(), 0);
  collect_once();
  EXPECT_EQUAL(call_count, 0);
  EXPECT_EQUAL(notifications, 1);
  EXPECT(GC_should_invoke_finalizers());
  GC_malloc(100);
  EXPECT_EQUAL(notifications, 1);
  EXPECT_EQUAL(GC_invoke_finalizers(), 3);
  EXPECT_EQUAL(call_count, 3);
  EXPECT_EQUAL(GC_should_invoke_finalizers(), 0);
  collect_once();
  EXPECT_EQUAL(notifications, 1);
  EXPECT_EQUAL(GC_invoke_finalizers(), 0);
}

/* What is ready stays whole however long it takes. */
static void
ready_blocks_are_kept(void) {
  start();
  GC_set_finalize_on_demand(1);
  deep(make_chain);
  for (int i = 0; i < 3; i++)
    collect();
  for (int i = 0; i < 1000; i++)
    memset(GC_malloc(sizeof(struct node)), 0xff, sizeof(struct node));
  for (unsigned i = 0; i < CHAIN; i++) {
    EXPECT_EQUAL(GC_invoke_finalizers(), 1);
    EXPECT_EQUAL(calls[i], i + 1);
    collect_once();
  }
}

static unsigned awaited;

static void
note_awaited(void *block) {
  awaited += ((struct node *)block)->magic == MAGIC;
}

static void
awaited_is_told(void) {
  start();
  GC_set_await_finalize_proc(note_awaited);
  EXPECT(GC_get_await_finalize_proc() == note_awaited);
  deep(make_three);
  collect_once();
  EXPECT_EQUAL(awaited, 3);
  EXPECT_EQUAL(call_count, 3);
}

/* ---- all of them ---- */

static void
make_all(void) {
  deep(make_cycle);
  kept[0] = make(3, NULL);
  finalize_by(GC_register_finalizer, kept[0]);
}

static void
finalize_all(void) {
  start();
  deep(make_all);
  GC_finalize_all();
  EXPECT(call_count == 3 && was_called(1) && was_called(2) && was_called(3));
  collect();
  EXPECT_EQUAL(call_count, 3);
}

/* ---- registered anew, and removed ---- */

static void
ignore(void *block, void *data) {
  (void)block, (void)data;
}

static void
old_ones_are_told(void) {
  start();
  struct node *node = make(1, NULL);
  GC_finalization_proc old_function = ignore;
  void *old_data = &old_data;
  int datum;
  GC_register_finalizer(node, note_call, node, &old_function, &old_data);
  EXPECT(!old_function && !old_data);
  GC_register_finalizer_no_order(node, NULL, NULL, &old_function, &old_data);
  EXPECT(old_function == note_call && old_data == node);
  GC_register_finalizer_ignore_self(node, ignore, &datum, &old_function, &old_data);
  EXPECT(!old_function && !old_data);
  GC_register_finalizer(node, note_call, NULL, &old_function, &old_data);
  EXPECT(old_function == ignore && old_data == &datum);
  GC_reachable_here(node);
}

static void
make_removed(void) {
  struct node *node = make(1, NULL);
  finalize_by(GC_register_finalizer, node);
  GC_register_finalizer(node, NULL, NULL, NULL, NULL);
  node = make(2, NULL);
  GC_register_finalizer(node, ignore, NULL, NULL, NULL);
  finalize_by(GC_register_finalizer, node);
}

static void
removed_and_replaced(void) {
  start();
  deep(make_removed);
  collect();
  EXPECT(call_count == 1 && calls[0] == 2);
}

static void
no_block_has_none(void) {
  static int outside[10];
  GC_finalization_proc old_function = ignore;
  void *old_data = outside;
  start();
  GC_register_finalizer(outside, note_call, NULL, &old_function, &old_data);
  EXPECT(!old_function && !old_data);
  collect();
  EXPECT_EQUAL(call_count, 0);
}

/* ---- what finalizers do ---- */

static void
revive(void *block, void *data) {
  kept[(uintptr_t)data] = block;
  note_call(block, NULL);
}

static void
make_revived(void) {
  struct node *node = make(1, make(2, NULL));
  GC_register_finalizer(node, revive, (void *)3, NULL, NULL);
  watch(0, node->next);
}

static void
revived(void) {
  start();
  deep(make_revived);
  collect();
  EXPECT_EQUAL(call_count, 1);
  EXPECT(kept[3] && kept[3]->magic == MAGIC && kept[3]->next->magic == MAGIC && kept[3]->next->number == 2);
  kept[3] = NULL;
  collect();
  EXPECT_EQUAL(call_count, 1);
  EXPECT(is_gone(0));
}

static void
again(void *block, void *data) {
  unsigned *left = data;
  note_call(block, NULL);
  if (--*left)
    GC_register_finalizer(block, again, data, NULL, NULL);
}

static unsigned rounds_left = 4;

static void
make_again(void) {
  GC_register_finalizer(make(1, NULL), again, &rounds_left, NULL, NULL);
}

static void
registered_in_finalizer(void) {
  start();
  deep(make_again);
  for (unsigned i = 1; i <= 6; i++) {
    collect_once();
    EXPECT_EQUAL(call_count, i < 4 ? i : 4);
  }
}

static void *
pass(void *data) {
  return data;
}

/* No lock is held, and the world runs. */
static void
use_all(void *block, void *data) {
  (void)data;
  note_call(block, NULL);
  for (int i = 0; i < 1000; i++)
    memset(GC_malloc(500), 1, 500);
  EXPECT(GC_call_with_alloc_lock(pass, block) == block);
  free(malloc(10));
  GC_gcollect();
}

static void
make_users(void) {
  for (unsigned i = 0; i < 50; i++)
    GC_register_finalizer(make(i, make(100, NULL)), use_all, NULL, NULL, NULL);
}

static void
finalizers_allocate_and_collect(void) {
  start();
  deep(make_users);
  for (int i = 0; i < 10 && call_count < 50; i++)
    collect();
  EXPECT(call_count >= 49);
}

static void
check_data(void *block, void *data) {
  EXPECT_EQUAL(((struct node *)data)->number, 77);
  note_call(block, NULL);
}

static void
make_with_data(void) {
  kept[0] = make(1, NULL);
  struct node *data = make(77, NULL);
  GC_register_finalizer(kept[0], check_data, data, NULL, NULL);
  watch(0, data);
}

static void
data_is_kept(void) {
  start();
  deep(make_with_data);
  collect();
  EXPECT(!is_gone(0));
  kept[0] = NULL;
  collect();
  EXPECT_EQUAL(call_count, 1);
  collect();
  EXPECT(is_gone(0));
}

/* Data that leads to the block keeps it. */
static void
make_with_itself(void) {
  struct node *node = make(1, NULL);
  GC_register_finalizer_no_order(node, note_call, make(2, node), NULL, NULL);
}

static void
data_can_keep_the_block(void) {
  start();
  deep(make_with_itself);
  collect();
  EXPECT_EQUAL(call_count, 0);
}

/* A freed block has no finalizer any more, nor has the next one there. */
static void
free_finalizable(void) {
  for (unsigned i = 0; i < 1000; i++) {
    struct node *node = make(i, NULL);
    finalize_by(GC_register_finalizer, node);
    GC_free(node);
  }
  for (unsigned i = 0; i < 1000; i++)
    make(i, NULL);
}

static void
freed_is_not_finalized(void) {
  start();
  deep(free_finalizable);
  collect();
  EXPECT_EQUAL(call_count, 0);
}

static void
make_of_sizes(void) {
  for (unsigned i = 0; i < 200; i++) {
    struct node *node = i % 2 ? GC_malloc(sizeof *node + i * i * 10) : GC_malloc_atomic(sizeof *node + i * i * 10);
    *node = (struct node){.number = i, .magic = MAGIC};
    finalize_by(GC_register_finalizer, node);
  }
}

static void
of_all_sizes(void) {
  start();
  deep(make_of_sizes);
  collect();
  EXPECT(call_count >= 199 && call_count <= 200);
}

/* Without a call that collects: allocation alone. */
static void
without_gcollect(void) {
  start();
  deep(make_many);
  for (unsigned i = 0; call_count < 2900; i++) {
    EXPECT(i < 1000000);
    GC_malloc(4000);
  }
}

/* ---- toggle references ---- */

static GC_ToggleRefStatus status;
static unsigned toggle_calls;

static GC_ToggleRefStatus
tell_status(void *block) {
  EXPECT_EQUAL(((struct node *)block)->magic, MAGIC);
  toggle_calls++;
  return status;
}

static void
make_toggled(void) {
  struct node *node = make(1, make(2, NULL));
  EXPECT_EQUAL(GC_toggleref_add(node, 1), GC_SUCCESS);
  watch(0, node);
  watch(1, node->next);
}

static void
start_toggled(void) {
  start();
  GC_set_toggleref_func(tell_status);
  EXPECT(GC_get_toggleref_func() == tell_status);
  status = GC_TOGGLE_REF_STRONG;
  deep(make_toggled);
}

static void
toggle_strong_and_weak(void) {
  start_toggled();
  collect();
  EXPECT(toggle_calls >= 2 && !is_gone(0) && !is_gone(1));
  status = GC_TOGGLE_REF_WEAK;
  collect();
  EXPECT(is_gone(0) && is_gone(1));
  unsigned calls_before = toggle_calls;
  collect();
  EXPECT_EQUAL(toggle_calls, calls_before);
}

static void
toggle_dropped(void) {
  start_toggled();
  status = GC_TOGGLE_REF_DROP;
  collect();
  EXPECT(is_gone(0));
  EXPECT_EQUAL(toggle_calls, 1);
}

static void
keep_toggled(void) {
  kept[0] = watched(0);
}

/* Weak, but reachable otherwise: it stays, and can become strong again. */
static void
toggle_weak_and_strong(void) {
  start_toggled();
  deep(keep_toggled);
  status = GC_TOGGLE_REF_WEAK;
  collect();
  EXPECT(!is_gone(0));
  status = GC_TOGGLE_REF_STRONG;
  kept[0] = NULL;
  collect();
  EXPECT(!is_gone(0) && !is_gone(1));
}

/* ---- garbage that is there for a cycle more is none the less garbage ---- */

enum { DROPPED_COUNT = 300000, HEAP_BYTES_MAX = 256 << 20 };

/* With what hangs off it: some 1.2 GiB in all. */
static void
drop_much(struct node *(*make_dropped)(void)) {
  for (unsigned i = 0; i < DROPPED_COUNT; i++) {
    struct node *node = make_dropped();
    node->next = GC_malloc_atomic(4000);
    GC_end_stubborn_change(node);
    EXPECT(GC_get_heap_size() < HEAP_BYTES_MAX);
  }
}

static struct node *
make_with_finalizer(void) {
  struct node *node = GC_malloc(sizeof *node);
  GC_register_finalizer(node, ignore, NULL, NULL, NULL);
  return node;
}

static void
finalized_takes_no_more(void) {
  start();
  drop_much(make_with_finalizer);
}

/* Those that can never be finalized, as they refer to each other, are no garbage that will go. */
static void
make_pairs(void) {
  for (unsigned i = 0; i < 10000; i++) {
    struct node *one = GC_malloc(1000), *other = GC_malloc(1000);
    *one = (struct node){.magic = MAGIC, .other = other};
    *other = (struct node){.magic = MAGIC, .other = one};
    GC_register_finalizer(one, ignore, NULL, NULL, NULL);
    GC_register_finalizer(other, ignore, NULL, NULL, NULL);
  }
}

static void
never_finalized_counts_as_alive(void) {
  enum { COLLECTIONS_MAX = 40 };
  start();
  deep(make_pairs);
  collect();
  GC_word before = GC_get_gc_no();
  for (unsigned i = 0; i < DROPPED_COUNT; i++)
    GC_malloc_atomic(1000);
  EXPECT(GC_get_gc_no() - before < COLLECTIONS_MAX);
}

/* ---- called as blocks are reclaimed ---- */

static unsigned disclaim_kind, disclaimed, keep_times;

/* Free blocks have no number. */
static int
disclaim(void *block) {
  struct node *node = block;
  if (node->magic != MAGIC)
    return 0;
  EXPECT(!node->other || node->other->magic == MAGIC);
  if (keep_times) {
    keep_times--;
    return 1;
  }
  disclaimed++;
  node->magic = 0;
  return 0;
}

static int
go_on(void) {
  return 0;
}

/* bdwgc reclaims what one collection has found at the latest when the next begins, if that may be given up. */
static void
reclaim(void) {
  collect_once();
  EXPECT_EQUAL(GC_try_to_collect(go_on), 1);
}

static struct node *
make_disclaimed(unsigned number, struct node *other) {
  struct node *node = GC_generic_malloc(sizeof *node, (int)disclaim_kind);
  *node = (struct node){.number = number, .magic = MAGIC, .other = other};
  GC_reachable_here(node);
  return node;
}

static void
start_disclaim(int keeps_referents) {
  start();
  disclaim_kind = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  GC_register_disclaim_proc((int)disclaim_kind, disclaim, keeps_referents);
}

static void
make_hundred_disclaimed(void) {
  for (unsigned i = 0; i < 100; i++)
    make_disclaimed(i, NULL);
  kept[0] = make_disclaimed(100, NULL);
}

static void
disclaimed_once(void) {
  start_disclaim(0);
  deep(make_hundred_disclaimed);
  reclaim();
  EXPECT(disclaimed >= 99 && disclaimed <= 100);
  EXPECT_EQUAL(kept[0]->magic, MAGIC);
  unsigned before = disclaimed;
  reclaim();
  EXPECT(disclaimed - before <= 1 && disclaimed <= 100);
}

static struct node *
make_next_disclaimed(void) {
  return make_disclaimed(0, NULL);
}

static void
disclaimed_takes_no_more(void) {
  start_disclaim(1);
  drop_much(make_next_disclaimed);
}

static void
make_one_disclaimed(void) {
  make_disclaimed(0, NULL);
}

/* A block that is kept is asked about again. */
static void
disclaim_keeps(void) {
  start_disclaim(0);
  keep_times = 3;
  deep(make_one_disclaimed);
  for (int i = 0; i < 3; i++)
    reclaim();
  EXPECT_EQUAL(keep_times, 0);
  for (int i = 0; i < 3; i++)
    reclaim();
  EXPECT_EQUAL(disclaimed, 1);
}

static void
make_with_referents(void) {
  for (unsigned i = 0; i < 200; i++)
    make_disclaimed(i, make(i, NULL));
}

static void
disclaim_finds_referents(void) {
  start_disclaim(1);
  for (int round = 0; round < 10; round++) {
    deep(make_with_referents);
    reclaim();
    for (int i = 0; i < 500; i++)
      memset(GC_malloc(sizeof(struct node)), 0xff, sizeof(struct node));
  }
  reclaim();
  EXPECT(disclaimed >= 1990 && disclaimed <= 2000);
}

/* Freed by hand: nothing is called. */
static void
free_disclaimed(void) {
  for (unsigned i = 0; i < 100; i++)
    GC_free(make_disclaimed(i, NULL));
}

static void
disclaim_not_of_freed(void) {
  start_disclaim(0);
  deep(free_disclaimed);
  reclaim();
  EXPECT_EQUAL(disclaimed, 0);
}

/* Also if one comes back to a block, and frees it, before it was asked about; the block that is there then is not. */
static GC_hidden_pointer hidden_block;

static void *
free_hidden(void *data) {
  (void)data;
  void *block = hidden_block ? GC_REVEAL_POINTER(hidden_block) : NULL;
  if (block)
    GC_set_mark_bit(block);
  return block;
}

static int
free_other(void *block) {
  const struct node *node = block;
  if (node->magic == MAGIC && GC_HIDE_POINTER(block) == hidden_block)
    hidden_block = 0;
  return disclaim(block);
}

static void
make_hidden(void) {
  hidden_block = GC_HIDE_POINTER(make_disclaimed(0, NULL));
}

static void
free_what_was_hidden(void *block, void *data) {
  (void)block, (void)data;
  struct node *found = GC_call_with_alloc_lock(free_hidden, NULL);
  if (!found)
    return;
  hidden_block = 0;
  EXPECT_EQUAL(found->magic, MAGIC);
  found->magic = 0;
  GC_free(found);
}

static void
make_hidden_and_finalizer(void) {
  make_hidden();
  GC_register_finalizer(make(1, NULL), free_what_was_hidden, NULL, NULL, NULL);
}

static void
disclaim_not_of_freed_meanwhile(void) {
  start_disclaim(0);
  GC_register_disclaim_proc((int)disclaim_kind, free_other, 0);
  for (int i = 0; i < 50; i++) {
    deep(make_hidden_and_finalizer);
    reclaim();
  }
}

static void
call_closure(void *block, void *data) {
  struct node *node = block;
  EXPECT(node->magic == MAGIC && data == &disclaimed);
  EXPECT_EQUAL(node->next->number, node->number);
  disclaimed++;
}

static const struct GC_finalizer_closure closure = {call_closure, &disclaimed};

static void
make_finalized(void) {
  for (unsigned i = 0; i < 300; i++) {
    struct node *node = GC_finalized_malloc(sizeof *node, &closure);
    EXPECT(is_filled(node, 0, sizeof *node));
    EXPECT((char *)node - (char *)GC_base(node) == sizeof(GC_word));
    *node = (struct node){.number = i, .magic = MAGIC, .next = make(i, NULL)};
    if (i < 10)
      kept[i] = node;
  }
}

static void
finalized_malloc(void) {
  start();
  GC_init_finalized_malloc();
  deep(make_finalized);
  reclaim();
  EXPECT(disclaimed >= 289 && disclaimed <= 290);
  for (unsigned i = 0; i < 10; i++)
    EXPECT(kept[i]->magic == MAGIC && kept[i]->next->number == i);
  memset(kept, 0, 10 * sizeof *kept);
  reclaim();
  EXPECT(disclaimed >= 299 && disclaimed <= 300);
}

/* ---- by many threads ---- */

enum { THREADS = 4, ROUNDS = 3000 };

static unsigned made[THREADS], reclaimed[THREADS];

static void
count_reclaimed(void *block, void *data) {
  struct node *node = block;
  (void)data;
  EXPECT(node->magic == MAGIC && node->number < THREADS && node->next->number == node->number);
  __atomic_add_fetch(&reclaimed[node->number], 1, __ATOMIC_RELAXED);
}

static const struct GC_finalizer_closure counting = {count_reclaimed, NULL};

static void *
make_by_thread(void *arg) {
  unsigned number = (unsigned)(uintptr_t)arg;
  struct node *last[8] = {NULL};
  for (unsigned i = 0; i < ROUNDS; i++) {
    struct node *node = GC_finalized_malloc(sizeof *node + i % 200, &counting);
    *node = (struct node){.number = number, .magic = MAGIC, .next = make(number, NULL)};
    made[number]++;
    last[i % 8] = node;
    EXPECT(!last[(i + 1) % 8] || last[(i + 1) % 8]->next->number == number);
    if (i % 1000 == 999)
      GC_gcollect();
  }
  return NULL;
}

static void
finalized_malloc_by_threads(void) {
  pthread_t threads[THREADS];
  start();
  GC_init_finalized_malloc();
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(GC_pthread_create(&threads[i], NULL, make_by_thread, (void *)(uintptr_t)i), 0);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(GC_pthread_join(threads[i], NULL), 0);
  reclaim();
  reclaim();
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT(made[i] == ROUNDS && reclaimed[i] <= made[i] && reclaimed[i] >= made[i] - 10);
}

/* ---- a weak map: blocks that the program finds by hidden pointers, and brings back by their mark ---- */

enum { MAP = 64 };

static GC_hidden_pointer map[MAP];
static unsigned brought_back, map_reclaimed;
static bool map_is_shared;

/* With the lock held. */
static int
leave_map(void *block) {
  struct node *node = block;
  if (node->magic != MAGIC)
    return 0;
  if (GC_is_marked(block)) {
    brought_back++;
    return 1;
  }
  if (map_is_shared)
    usleep(1);   /* who does not wait for the lock comes in here */
  if (map[node->number] == GC_HIDE_POINTER(node))
    map[node->number] = 0;
  node->magic = 0;
  map_reclaimed++;
  return 0;
}

struct lookup {
  unsigned number;
  struct node *made;   /* to be entered if there is none, or NULL */
};

static void *
look_up(void *data) {
  const struct lookup *lookup = data;
  if (map[lookup->number]) {
    struct node *node = GC_REVEAL_POINTER(map[lookup->number]);
    GC_set_mark_bit(node);
    return node;
  }
  if (lookup->made)
    map[lookup->number] = GC_HIDE_POINTER(lookup->made);
  return lookup->made;
}

static struct node *
find_or_make(unsigned number) {
  struct lookup lookup = {.number = number};
  struct node *node = GC_call_with_alloc_lock(look_up, &lookup);
  if (node)
    return node;
  lookup.made = make_disclaimed(number, NULL);
  lookup.made->next = make(number, NULL);
  return GC_call_with_alloc_lock(look_up, &lookup);
}

static void
use_map(unsigned long seed) {
  struct node *last[8] = {NULL};
  random_start(seed);
  for (unsigned i = 0; i < 10000; i++) {
    struct node *node = find_or_make(random_below(MAP));
    for (unsigned j = 0; j < 8; j++)
      EXPECT(!last[j] || (last[j]->magic == MAGIC && last[j]->next->number == last[j]->number));
    last[i % 8] = i % 3 ? node : NULL;
    if (i % 500 == 0)
      GC_gcollect();
  }
}

static void
use_map_here(void) {
  use_map(1);
}

static void *
use_map_in_thread(void *arg) {
  use_map((uintptr_t)arg);
  return NULL;
}

static void
start_map(void) {
  start();
  disclaim_kind = GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  GC_register_disclaim_proc((int)disclaim_kind, leave_map, 1);
}

static void
weak_map(void) {
  start_map();
  deep(use_map_here);
  EXPECT(map_reclaimed > 0);
}

static void
weak_map_of_threads(void) {
  pthread_t threads[THREADS];
  start_map();
  map_is_shared = true;
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(GC_pthread_create(&threads[i], NULL, use_map_in_thread, (void *)(uintptr_t)(i + 2)), 0);
  for (unsigned i = 0; i < THREADS; i++)
    EXPECT_EQUAL(GC_pthread_join(threads[i], NULL), 0);
  EXPECT(map_reclaimed > 0);
}

static const struct test_case cases[] = {
  CASE(chain_in_order, ANYONES | COUNTS),
  CASE(chain_through_others, ANYONES | COUNTS),
  CASE(many_at_once, ANYONES),
  CASE(reachable_is_not_finalized, ANYONES),
  CASE(cycle_is_warned_of, ANYONES),
  CASE(self_reference_counts_unless_ignored, ANYONES),
  CASE(cycle_through_another_counts, ANYONES),
  CASE(ignoring_self_is_in_order, ANYONES | COUNTS),
  CASE(no_order, ANYONES),
  CASE(unreachable_waits_for_no_order, ANYONES | COUNTS),
  CASE(unreachable_alone, ANYONES),
  CASE(unreachable_in_order, ANYONES | COUNTS),
  CASE(unreachable_cycle_is_warned_of, ANYONES),
  CASE(on_demand, ANYONES | COUNTS),
  CASE(ready_blocks_are_kept, ANYONES | COUNTS),
  CASE(awaited_is_told, ANYONES),
  CASE(finalize_all, ANYONES),
  CASE(old_ones_are_told, ANYONES),
  CASE(removed_and_replaced, ANYONES),
  CASE(no_block_has_none, ANYONES),
  CASE(revived, ANYONES),
  CASE(registered_in_finalizer, ANYONES | COUNTS),
  CASE(finalizers_allocate_and_collect, ANYONES),
  CASE(data_is_kept, ANYONES),
  CASE(data_can_keep_the_block, ANYONES),
  CASE(freed_is_not_finalized, OURS),
  CASE(of_all_sizes, ANYONES),
  CASE(without_gcollect, ANYONES),
  CASE(toggle_strong_and_weak, ANYONES),
  CASE(toggle_dropped, ANYONES),
  CASE(toggle_weak_and_strong, ANYONES),
  CASE(finalized_takes_no_more, ANYONES),
  CASE(never_finalized_counts_as_alive, ANYONES | COUNTS),
  CASE(disclaimed_once, ANYONES),
  CASE(disclaimed_takes_no_more, ANYONES),
  CASE(disclaim_keeps, ANYONES | COUNTS),
  CASE(disclaim_finds_referents, ANYONES),
  CASE(disclaim_not_of_freed, ANYONES),
  CASE(disclaim_not_of_freed_meanwhile, ANYONES),
  CASE(finalized_malloc, ANYONES),
  CASE(finalized_malloc_by_threads, ANYONES),
  CASE(weak_map, ANYONES),
  CASE(weak_map_of_threads, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
