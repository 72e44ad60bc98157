/* SPDX-License-Identifier: MIT */
/* Threads that allocate, and leave what they allocate, until garbage_end. */
#ifndef CGC_TEST_GARBAGE_H
#define CGC_TEST_GARBAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { GARBAGE_THREADS = 2 };

static pthread_t garbage_threads[GARBAGE_THREADS];
static atomic_int garbage_is_over;

static inline void
leave_garbage(void) {
  for (size_t i = 0; i < 64; i++) {
    size_t bytes = 16 + i % 20 * 16;
    void *block = malloc(bytes);
    if (block)
      memset(block, 0x33, bytes);
  }
}

static inline void *
leave_garbage_all_the_time(void *arg) {
  while (!atomic_load(&garbage_is_over))
    leave_garbage();
  return arg;
}

static inline void
garbage_begin(void) {
  for (int i = 0; i < GARBAGE_THREADS; i++)
    pthread_create(&garbage_threads[i], NULL, leave_garbage_all_the_time, NULL);
}

static inline void
garbage_end(void) {
  atomic_store(&garbage_is_over, 1);
  for (int i = 0; i < GARBAGE_THREADS; i++)
    pthread_join(garbage_threads[i], NULL);
}

#endif
