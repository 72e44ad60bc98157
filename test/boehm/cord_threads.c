/* SPDX-License-Identifier: MIT */
/* Several threads read one cord whose file is read when needed. */
#define GC_THREADS
#include "cord_test.h"

#include <gc/gc.h>
#include <pthread.h>
#include <unistd.h>

enum { THREADS = 4, FILE_BYTES = 300000, READS = 30000 };

static CORD shared;

static char
byte_at(size_t i) {
  return (char)('a' + (i * 7 + i / 1000) % 26);
}

static void *
read_shared(void *argument) {
  size_t index = (size_t)(uintptr_t)argument;
  for (int i = 0; i < READS; i++) {
    index = (index * 1103515245 + 12345) % FILE_BYTES;
    CHECK(CORD_fetch(shared, index) == byte_at(index));
    if (i % 100 == 0)
      CHECK(CORD_fetch(CORD_cat(CORD_substr(shared, index, 100), "!"), 0) == byte_at(index));
  }
  return NULL;
}

void
test_threads(void) {
  FILE *file = tmpfile();
  CHECK(file);
  for (size_t i = 0; i < FILE_BYTES; i++)
    putc(byte_at(i), file);
  shared = CORD_from_file_lazy(file);
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, read_shared, (void *)i) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
  shared = CORD_EMPTY;
}
