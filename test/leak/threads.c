/* SPDX-License-Identifier: MIT */
/* Threads that leak at the same time, each in a function of its own: the ith i + 1 hundred blocks of 40 + i bytes. */
#include "../hazards/hazard.h"

enum { HUNDRED = 100 };

static atomic_int may_start;

static void
leak_hundreds(unsigned count, size_t bytes) {
  for (unsigned i = 0; i < count * HUNDRED; i++) {
    void *block = malloc(bytes);
    memset(block, 0x99, bytes);
    free(malloc(bytes + i % 300));
  }
}

#define THREADS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define LEAK(i)                              \
  static HZ_NOINLINE void                    \
  leak_thread_##i(void *arg) {               \
    leak_hundreds(i + 1, 40 + i);            \
    __asm__ volatile("" : : "r"(arg));       \
  }
THREADS(LEAK)

static void (*const leaks[])(void *) = {
#define ROW(i) leak_thread_##i,
  THREADS(ROW)
};

static void *
run(void *index) {
  while (!atomic_load(&may_start))
    ;
  run_hidden(leaks[*(unsigned *)index], NULL);
  clear_stack();
  return NULL;
}

int
main(void) {
  static unsigned indices[HZ_COUNT(leaks)];
  pthread_t threads[HZ_COUNT(leaks)];
  for (unsigned i = 0; i < HZ_COUNT(leaks); i++) {
    indices[i] = i;
    hz_thread(&threads[i], run, &indices[i]);
  }
  atomic_store(&may_start, 1);
  for (unsigned i = 0; i < HZ_COUNT(leaks); i++)
    pthread_join(threads[i], NULL);
  return 0;
}
