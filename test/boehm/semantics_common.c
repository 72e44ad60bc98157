/* SPDX-License-Identifier: MIT */
#include "semantics_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
run_cases(const struct test_case *cases, size_t count, int argc, char **argv) {
  for (size_t i = 0; i < count; i++) {
    if (argc < 2) {
      printf("%s%s%s\n", cases[i].name, cases[i].flags & OURS ? " ours" : " anyones",
             cases[i].flags & COUNTS ? " counts" : "");
    } else if (!strcmp(argv[1], cases[i].name)) {
      cases[i].run();
      return 0;
    }
  }
  if (argc >= 2)
    fprintf(stderr, "no such case\n");
  return argc < 2 ? 0 : 2;
}

/* _exit, for other threads may hold anything. */
void
expect(bool is_so, const char *what, const char *file, int line) {
  if (is_so)
    return;
  printf("%s:%d: not so: %s\n", file, line, what);
  fflush(stdout);
  _exit(1);
}

void
expect_equal(long value, long wanted, const char *what, const char *file, int line) {
  if (value == wanted)
    return;
  printf("%s:%d: %s is %ld and not %ld\n", file, line, what, value, wanted);
  fflush(stdout);
  _exit(1);
}

/* ---- blocks ---- */

__attribute__((noinline)) void
deep(void (*function)(void)) {
  volatile char room[128 * 1024];
  room[0] = 0;
  function();
  room[sizeof room - 1] = 0;
}

/* The words are links: a hidden pointer to the block until a collection has cleared it. */
static void *links[WATCHED_MAX];
static bool is_watched[WATCHED_MAX];

void
watch(unsigned number, void *block) {
  links[number] = (void *)GC_HIDE_POINTER(block);
  is_watched[number] = true;
  EXPECT_EQUAL(GC_general_register_disappearing_link(&links[number], block), GC_SUCCESS);
}

bool
is_gone(unsigned number) {
  EXPECT(is_watched[number]);
  return !links[number];
}

unsigned
count_gone(void) {
  unsigned count = 0;
  for (unsigned i = 0; i < WATCHED_MAX; i++)
    count += is_watched[i] && !links[i];
  return count;
}

void *
watched(unsigned number) {
  EXPECT(!is_gone(number));
  return GC_REVEAL_POINTER(links[number]);
}

/* bdwgc's own frames may hold the address of a page, and so its first block. */
void
expect_gone(unsigned wanted, const char *file, int line) {
  const char *slack = getenv("BOEHM_SLACK");
  unsigned gone = count_gone(), least = wanted - (slack ? (unsigned)atoi(slack) : 0);
  if (gone < least || gone > wanted)
    expect_equal(gone, wanted, "number of blocks gone", file, line);
}

void
unwatch(unsigned number) {
  EXPECT_EQUAL(GC_unregister_disappearing_link(&links[number]), 1);
  is_watched[number] = false;
}

__attribute__((noinline)) static void
wipe_stack(void) {
  char room[256 * 1024];
  memset(room, 0, sizeof room);
  __asm__ volatile("" : : "r"(room) : "memory");
}

void
collect_once(void) {
  wipe_stack();
  GC_gcollect();
}

void
collect(void) {
  collect_once();
  collect_once();
}

bool
is_filled(const void *block, int value, size_t bytes) {
  const unsigned char *at = block;
  for (size_t i = 0; i < bytes; i++)
    if (at[i] != value)
      return false;
  return true;
}

/* ---- random numbers ---- */

static __thread unsigned long random_state = 1;

void
random_start(unsigned long seed) {
  random_state = seed * 0x9e3779b97f4a7c15 | 1;
}

unsigned
random_below(unsigned limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 11) % limit;
}
