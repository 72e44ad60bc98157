/* SPDX-License-Identifier: MIT */
/* Disappearing links: when words are cleared, and what registering, moving and removing them returns. */
#include "semantics_common.h"

#include <gc/gc_mark.h>
#include <gc/javaxfc.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS = 2000 };

static void **kept;         /* a block of pointers, kept by this variable */
static void *links[LINKS];  /* hidden pointers, so that they keep nothing */

static void
start(void) {
  GC_INIT();
  kept = GC_malloc(64 * sizeof *kept);
}

static void *
hidden(void *block) {
  return (void *)GC_HIDE_POINTER(block);
}

/* ---- cleared when the block has gone, and not before ---- */

static void
link_kept_and_dropped(void) {
  for (unsigned i = 0; i < 64; i++) {
    kept[i] = GC_malloc(i * 10 + 1);
    links[i] = hidden(kept[i]);
    links[64 + i] = hidden(GC_malloc(i * 10 + 1));
    EXPECT_EQUAL(GC_general_register_disappearing_link(&links[i], kept[i]), GC_SUCCESS);
    EXPECT_EQUAL(GC_general_register_disappearing_link(&links[64 + i], GC_REVEAL_POINTER(links[64 + i])), GC_SUCCESS);
  }
}

static unsigned
count_cleared(unsigned from, unsigned to) {
  unsigned count = 0;
  for (unsigned i = from; i < to; i++)
    count += !links[i];
  return count;
}

static void
cleared_with_the_block(void) {
  start();
  deep(link_kept_and_dropped);
  collect();
  for (unsigned i = 0; i < 64; i++)
    EXPECT(links[i] == hidden(kept[i]));
  EXPECT(count_cleared(64, 128) >= 63);
  memset(kept, 0, 64 * sizeof *kept);
  collect();
  EXPECT(count_cleared(0, 64) >= 63);
}

/* What the word holds does not matter, and it is cleared once only. */
static void
link_to_any_word(void) {
  links[0] = (void *)123;
  void *block = GC_malloc(100);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], block), GC_SUCCESS);
}

static void
cleared_once(void) {
  start();
  deep(link_to_any_word);
  collect();
  EXPECT(!links[0]);
  links[0] = (void *)5;
  collect();
  EXPECT(links[0] == (void *)5);
}

static void
link_many_to_one(void) {
  kept[0] = GC_malloc(50);
  for (unsigned i = 0; i < LINKS; i++) {
    links[i] = hidden(kept[0]);
    EXPECT_EQUAL(GC_general_register_disappearing_link(&links[i], kept[0]), GC_SUCCESS);
  }
}

static void
many_to_one(void) {
  start();
  deep(link_many_to_one);
  collect();
  EXPECT_EQUAL(count_cleared(0, LINKS), 0);
  kept[0] = NULL;
  collect();
  EXPECT_EQUAL(count_cleared(0, LINKS), LINKS);
}

/* In a block without pointers, to the block that the word points to, as gc.h suggests. */
static void
link_in_pointer_free(void) {
  void **cell = kept[0] = GC_malloc_atomic(4 * sizeof *cell);
  memset(cell, 0, 4 * sizeof *cell);
  cell[2] = GC_malloc(30);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&cell[2], cell[2]), GC_SUCCESS);
}

static void
in_pointer_free_blocks(void) {
  start();
  deep(link_in_pointer_free);
  collect();
  EXPECT(!((void **)kept[0])[2]);
}

/* To the block that the word lies in, which is cleared before its finalizer runs. */
static void *found_by_finalizer = &found_by_finalizer;

static void
look_at_link(void *block, void *data) {
  (void)data;
  found_by_finalizer = ((void **)block)[1];
}

static void
link_to_own_block(void) {
  void **block = GC_malloc(64);
  block[1] = (void *)77;
  EXPECT_EQUAL(GC_register_disappearing_link(&block[1]), GC_SUCCESS);
  GC_register_finalizer(block, look_at_link, NULL, NULL, NULL);
}

static void
to_its_own_block(void) {
  start();
  deep(link_to_own_block);
  collect();
  EXPECT(!found_by_finalizer);
}

/* ---- what is returned ---- */

static void
codes(void) {
  start();
  void *block = kept[0] = GC_malloc(10), *other = kept[1] = GC_malloc(10);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[0]), 0);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], block), GC_SUCCESS);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], block), GC_DUPLICATE);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[0]), 1);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[0]), 0);

  EXPECT_EQUAL(GC_move_disappearing_link(&links[0], &links[1]), GC_NOT_FOUND);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], block), GC_SUCCESS);
  EXPECT_EQUAL(GC_move_disappearing_link(&links[0], &links[0]), GC_SUCCESS);
  EXPECT_EQUAL(GC_move_disappearing_link(&links[0], &links[1]), GC_SUCCESS);
  EXPECT_EQUAL(GC_move_disappearing_link(&links[0], &links[1]), GC_NOT_FOUND);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], other), GC_SUCCESS);
  EXPECT_EQUAL(GC_move_disappearing_link(&links[0], &links[1]), GC_DUPLICATE);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[1]), 1);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[0]), 1);
}

static void
codes_of_long_links(void) {
  start();
  void *block = kept[0] = GC_malloc(10), *other = kept[1] = GC_malloc(10);
  EXPECT_EQUAL(GC_unregister_long_link(&links[0]), 0);
  EXPECT_EQUAL(GC_register_long_link(&links[0], block), GC_SUCCESS);
  EXPECT_EQUAL(GC_register_long_link(&links[0], block), GC_DUPLICATE);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[0]), 0);   /* another table */
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], block), GC_SUCCESS);
  EXPECT_EQUAL(GC_move_long_link(&links[2], &links[3]), GC_NOT_FOUND);
  EXPECT_EQUAL(GC_move_long_link(&links[0], &links[1]), GC_SUCCESS);
  EXPECT_EQUAL(GC_register_long_link(&links[0], other), GC_SUCCESS);
  EXPECT_EQUAL(GC_move_long_link(&links[0], &links[1]), GC_DUPLICATE);
  EXPECT_EQUAL(GC_unregister_long_link(&links[0]), 1);
  EXPECT_EQUAL(GC_unregister_long_link(&links[1]), 1);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[0]), 1);
}

/* ---- registered anew, moved, removed ---- */

/* Registered twice, for the second block. */
static void
link_again(void) {
  kept[0] = GC_malloc(10);
  void *dropped = GC_malloc(10);
  links[0] = (void *)1;
  links[1] = (void *)1;
  GC_general_register_disappearing_link(&links[0], dropped);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[0], kept[0]), GC_DUPLICATE);
  GC_general_register_disappearing_link(&links[1], kept[0]);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[1], dropped), GC_DUPLICATE);
}

static void
registered_again(void) {
  start();
  deep(link_again);
  collect();
  EXPECT(links[0] && !links[1]);
}

static void
link_and_move(void) {
  void *block = GC_malloc(10);
  links[0] = links[1] = links[2] = (void *)1;
  GC_general_register_disappearing_link(&links[0], block);
  EXPECT_EQUAL(GC_move_disappearing_link(&links[0], &links[1]), GC_SUCCESS);
  GC_general_register_disappearing_link(&links[2], block);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[2]), 1);
}

static void
moved_and_removed(void) {
  start();
  deep(link_and_move);
  collect();
  EXPECT(links[0] && !links[1] && links[2]);
}

static void
link_move_and_remove_many(void) {
  for (unsigned i = 0; i < LINKS; i++) {
    links[i] = (void *)1;
    GC_general_register_disappearing_link(&links[i], GC_malloc(20));
  }
  for (unsigned i = 0; i < LINKS; i += 3)
    EXPECT_EQUAL(GC_unregister_disappearing_link(&links[i]), 1);
  for (unsigned i = 1; i + 2 < LINKS; i += 3)
    EXPECT_EQUAL(GC_move_disappearing_link(&links[i], &links[i - 1]), GC_SUCCESS);
}

/* Of each three the second link is moved to the first, and the third stays. */
static void
many_moved_and_removed(void) {
  start();
  GC_disable();
  deep(link_move_and_remove_many);
  GC_enable();
  collect();
  unsigned wrong = 0;
  for (unsigned i = 0; i + 2 < LINKS; i++)
    wrong += (links[i] != NULL) != (i % 3 == 1);
  EXPECT(wrong <= 2);
}

/* ---- short and long, with finalizers ---- */

static unsigned finalized;
static void *short_seen = &short_seen, *long_seen;

static void
look_at_both(void *block, void *data) {
  (void)block, (void)data;
  finalized++;
  short_seen = links[0];
  long_seen = links[1];
}

static void
link_both(void) {
  void *block = GC_malloc(50);
  links[0] = links[1] = (void *)1;
  GC_general_register_disappearing_link(&links[0], block);
  EXPECT_EQUAL(GC_register_long_link(&links[1], block), GC_SUCCESS);
  GC_register_finalizer(block, look_at_both, NULL, NULL, NULL);
}

/* The short one goes before the finalizer runs, the long one when the block does not come back. */
static void
long_outlives_the_finalizer(void) {
  start();
  deep(link_both);
  collect_once();
  EXPECT_EQUAL(finalized, 1);
  EXPECT(!short_seen && long_seen);
  collect();
  EXPECT(!links[1]);
}

static void
come_back(void *block, void *data) {
  (void)data;
  kept[0] = block;
  finalized++;
}

static void
link_to_coming_back(void) {
  void *block = GC_malloc(50);
  links[0] = links[1] = (void *)1;
  GC_general_register_disappearing_link(&links[0], block);
  GC_register_long_link(&links[1], block);
  GC_register_finalizer(block, come_back, NULL, NULL, NULL);
}

static void
long_follows_what_comes_back(void) {
  start();
  deep(link_to_coming_back);
  collect();
  EXPECT(finalized == 1 && kept[0] && !links[0] && links[1]);
  collect();
  EXPECT(links[1]);
  kept[0] = NULL;
  collect();
  EXPECT(!links[1]);
}

/* To what only a finalizable block refers to: short ones go, too. */
static void
link_to_referent(void) {
  void **block = GC_malloc(50);
  block[0] = GC_malloc(10);
  links[0] = links[1] = (void *)1;
  GC_general_register_disappearing_link(&links[0], block[0]);
  GC_register_long_link(&links[1], block[0]);
  GC_register_finalizer(block, look_at_both, NULL, NULL, NULL);
}

static void
referents_of_finalizable(void) {
  start();
  deep(link_to_referent);
  collect_once();
  EXPECT(finalized == 1 && !short_seen && long_seen);
  collect();
  EXPECT(!links[1]);
}

/* ---- links that lie in blocks ---- */

/* A link goes with the block that it lies in: what is there later is not written to. */
static void
link_in_dead_block(void) {
  kept[0] = GC_malloc(100);
  for (unsigned i = 0; i < 500; i++) {
    void **block = GC_malloc(64);
    block[3] = (void *)9;
    GC_general_register_disappearing_link(&block[3], kept[0]);
  }
}

static unsigned long
take_until_reused(void) {
  unsigned long zeros = 0;
  void **blocks[2000];
  for (unsigned i = 0; i < 2000; i++) {
    blocks[i] = GC_malloc(64);
    blocks[i][3] = (void *)9;
  }
  kept[0] = NULL;
  GC_gcollect();
  GC_gcollect();
  for (unsigned i = 0; i < 2000; i++)
    zeros += !blocks[i][3];
  return zeros;
}

static void
in_dead_blocks(void) {
  start();
  deep(link_in_dead_block);
  collect();
  EXPECT_EQUAL(take_until_reused(), 0);
}

static void
in_freed_memory_of_malloc(void) {
  start();
  void **outside = malloc(64);
  outside[1] = (void *)3;
  void *block = kept[0] = GC_malloc(10);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&outside[1], block), GC_SUCCESS);
  EXPECT_EQUAL(GC_unregister_disappearing_link(&outside[1]), 1);
  free(outside);
  kept[0] = NULL;
  collect();
}

/* ---- hidden pointers, read under the lock ---- */

enum { SLOTS = 200, READERS = 3 };

static GC_hidden_pointer slots[SLOTS];
static int must_end;

static void *
reveal(void *slot) {
  GC_hidden_pointer pointer = *(GC_hidden_pointer *)slot;
  return pointer ? GC_REVEAL_POINTER(pointer) : NULL;
}

static void *
read_slots(void *arg) {
  random_start((unsigned long)(uintptr_t)arg);
  for (unsigned i = 0; !__atomic_load_n(&must_end, __ATOMIC_ACQUIRE); i++) {
    unsigned slot = random_below(SLOTS);
    unsigned *block = GC_call_with_alloc_lock(reveal, &slots[slot]);
    EXPECT(!block || (block[0] == slot && block[7] == ~slot));
    for (unsigned j = 0; block && j < 50; j++)
      EXPECT(block[0] == slot);
  }
  return NULL;
}

struct entry {
  unsigned slot;
  unsigned *block;
};

static void *
enter(void *data) {
  const struct entry *entry = data;
  slots[entry->slot] = GC_HIDE_POINTER(entry->block);
  return NULL;
}

static void
fill_slots(void) {
  for (unsigned i = 0; i < SLOTS; i++) {
    if (slots[i])
      continue;
    unsigned *block = GC_malloc(32);
    block[0] = i;
    block[7] = ~i;
    struct entry entry = {i, block};
    GC_unregister_disappearing_link((void **)&slots[i]);
    GC_general_register_disappearing_link((void **)&slots[i], block);
    GC_call_with_alloc_lock(enter, &entry);
  }
}

static void
hidden_pointers_of_threads(void) {
  pthread_t threads[READERS];
  start();
  for (unsigned i = 0; i < READERS; i++)
    EXPECT_EQUAL(GC_pthread_create(&threads[i], NULL, read_slots, (void *)(uintptr_t)(i + 1)), 0);
  for (unsigned i = 0; i < 200; i++) {
    deep(fill_slots);
    GC_gcollect();
  }
  __atomic_store_n(&must_end, 1, __ATOMIC_RELEASE);
  for (unsigned i = 0; i < READERS; i++)
    GC_pthread_join(threads[i], NULL);
}

/* The lock is not held when the function has returned, and its result is passed on. */
static void *
add_one(void *data) {
  return (char *)data + 1;
}

static void
call_with_lock_returns(void) {
  start();
  char *text = GC_strdup("text");
  for (int i = 0; i < 1000; i++)
    EXPECT(GC_call_with_alloc_lock(add_one, text) == text + 1);
  collect();
  EXPECT(!strcmp(text, "text"));
}

static const struct test_case cases[] = {
  CASE(cleared_with_the_block, ANYONES),
  CASE(cleared_once, ANYONES),
  CASE(many_to_one, ANYONES),
  CASE(in_pointer_free_blocks, ANYONES),
  CASE(to_its_own_block, ANYONES),
  CASE(codes, ANYONES),
  CASE(codes_of_long_links, ANYONES),
  CASE(registered_again, ANYONES),
  CASE(moved_and_removed, ANYONES),
  CASE(many_moved_and_removed, ANYONES),
  CASE(long_outlives_the_finalizer, ANYONES | COUNTS),
  CASE(long_follows_what_comes_back, ANYONES),
  CASE(referents_of_finalizable, ANYONES | COUNTS),
  CASE(in_dead_blocks, ANYONES),
  CASE(in_freed_memory_of_malloc, ANYONES),
  CASE(hidden_pointers_of_threads, ANYONES),
  CASE(call_with_lock_returns, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
