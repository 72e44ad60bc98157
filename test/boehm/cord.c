/* SPDX-License-Identifier: MIT */
/*
 * Cords against what cord.h promises, with any library that has this interface: build it with -lcord -lgc.
 *
 * usage: cord [--seed N] [--steps N] [--no-interior] [--reference]
 *
 * --no-interior  the collector takes no pointers from inside blocks into blocks for pointers
 * --reference    the library is bdwgc's own
 */
#include "cord_test.h"

#include <gc/gc.h>
#include <string.h>
#include <time.h>

bool is_reference;

static uint64_t random_state;

/* xorshift64* */
uint64_t
random_below(uint64_t end) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (random_state * 0x2545f4914f6cdd1d >> 11) % end;
}

static void
usage(void) {
  fprintf(stderr, "usage: cord [--seed N] [--steps N] [--no-interior] [--reference]\n");
  exit(2);
}

int
main(int argc, char **argv) {
  uint64_t seed = (uint64_t)time(NULL);
  unsigned long steps = 30000;
  bool has_interior = true;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--no-interior") == 0)
      has_interior = false;
    else if (strcmp(argv[i], "--reference") == 0)
      is_reference = true;
    else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
      seed = strtoull(argv[++i], NULL, 0);
    else if (strcmp(argv[i], "--steps") == 0 && i + 1 < argc)
      steps = strtoul(argv[++i], NULL, 0);
    else
      usage();
  }
  fprintf(stderr, "cord: --seed %llu --steps %lu\n", (unsigned long long)seed, steps);
  random_state = seed * 2 + 1;

  GC_set_all_interior_pointers(has_interior);
  GC_INIT();
  GC_set_warn_proc(GC_ignore_warn_proc);
  test_failures();
  test_printf();
  test_depth();
  test_search();
  test_files();
  test_model(steps);
  test_threads();
  return 0;
}
