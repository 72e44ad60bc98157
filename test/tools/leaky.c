/* SPDX-License-Identifier: MIT */
/* A program with leaks at known places, told by the words it is called with. */
#include "leaky.h"
#include "recorder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline __attribute__((always_inline)) void
inlined(size_t bytes) {
  recorder_leak("direct", bytes);   /* line of inlined */
}

static __attribute__((noinline)) void
leak_by_inlined(void) {
  inlined(10);   /* line of leak_by_inlined */
  __asm__ volatile("");
}

static __attribute__((noinline)) void
leak_plainly(size_t bytes) {
  recorder_leak("direct", bytes);   /* line of leak_plainly */
  __asm__ volatile("");
}

/* Named as a compiler of Rust would. */
static void leak_as_rust(void) __asm__("_RNvC7mycrate4leak");

static __attribute__((noinline)) void
leak_as_rust(void) {
  recorder_leak("direct", 8);
  __asm__ volatile("");
}

static __attribute__((noinline)) void
leak_indirectly(void) {
  recorder_leak("indirect", 5);
  __asm__ volatile("");
}

static __attribute__((noinline)) void
leak_possibly(void) {
  recorder_leak("possible", 6);
  recorder_leak("doubtful", 7);
  __asm__ volatile("");
}

static __attribute__((noinline)) void
keep_more(size_t bytes) {
  recorder_site(bytes);
  __asm__ volatile("");
}

static __attribute__((noinline)) void
keep_level(size_t bytes) {
  recorder_site(bytes);
  __asm__ volatile("");
}

static __attribute__((noinline)) void
grow(void) {
  static const size_t rising[] = {100, 300, 200, 600, 900}, level[] = {500, 400, 500, 400, 500};
  for (volatile int i = 0; i < 5; i++) {   /* not unrolled: one place calls */
    keep_more(rising[i]);
    keep_level(level[i]);
    recorder_check(NULL);
  }
}

static void
act(const char *word) {
  if (!strcmp(word, "plain"))
    leak_plainly(20);
  else if (!strcmp(word, "inlined"))
    leak_by_inlined();
  else if (!strcmp(word, "library"))
    leaky_library();
  else if (!strcmp(word, "cxx") && leaky_cxx)
    leaky_cxx();
  else if (!strcmp(word, "rust"))
    leak_as_rust();
  else if (!strcmp(word, "indirect"))
    leak_indirectly();
  else if (!strcmp(word, "possible"))
    leak_possibly();
  else if (!strcmp(word, "grow"))
    grow();
  else if (!strcmp(word, "check"))
    recorder_check(NULL);
  else if (!strcmp(word, "failed-check"))
    recorder_fail("threads could not be stopped");
  else if (!strcmp(word, "no-check"))
    recorder_fail("");
  else if (!strcmp(word, "kill"))
    raise(SIGKILL);
  else if (!strncmp(word, "exit=", 5))
    exit(atoi(word + 5));
  else if (!strcmp(word, "wait"))
    pause();
}

int
main(int argc, char **argv) {
  puts("output of the program");
  fflush(stdout);
  if (!recorder_leak)   /* not preloaded */
    return 0;
  for (int i = 1; i < argc; i++)
    act(argv[i]);
  return 0;
}
