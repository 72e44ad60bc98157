/* SPDX-License-Identifier: MIT */
/*
 * Blocks of which only a number is kept that is no address, made behind the loading of a library that says so, while
 * threads allocate and leave what they allocate.
 *
 * Usage: hidden LIBRARY
 *
 * Prints how many of the blocks do not hold what was put into them.  Exit status: 0 if all do, 1 if not, 2 if the library
 * cannot be loaded.
 */
#include "garbage.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 5000, BLOCK_WORDS = 25, SHIFT = 3, BEFORE_US = 200 * 1000, TURNS = 10 * 1000 };

static uintptr_t hidden[BLOCKS];

static __attribute__((noinline)) void
make(unsigned i) {
  uintptr_t *block = malloc(BLOCK_WORDS * sizeof *block);
  for (unsigned k = 0; k < BLOCK_WORDS; k++)
    block[k] = i;
  hidden[i] = (uintptr_t)block << SHIFT;
}

static __attribute__((noinline)) int
is_whole(unsigned i) {
  const uintptr_t *block = (const uintptr_t *)(hidden[i] >> SHIFT);
  for (unsigned k = 0; k < BLOCK_WORDS; k++)
    if (block[k] != i)
      return 0;
  return 1;
}

int
main(int argc, char **argv) {
  unsigned lost = 0;
  garbage_begin();
  usleep(BEFORE_US);
  if (argc != 2 || !dlopen(argv[1], RTLD_NOW)) {
    fprintf(stderr, "hidden: %s\n", argc != 2 ? "no library" : dlerror());
    return 2;
  }
  for (unsigned i = 0; i < BLOCKS; i++)
    make(i);
  for (int i = 0; i < TURNS; i++)
    leave_garbage();
  for (unsigned i = 0; i < BLOCKS; i++)
    lost += !is_whole(i);
  garbage_end();
  printf("%u of %d blocks lost\n", lost, BLOCKS);
  return lost != 0;
}
