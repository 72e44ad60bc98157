/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include "message.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT_BYTES = 16 };

struct chunk {
  struct chunk *next;
  _Alignas(ALIGNMENT_BYTES) char bytes[];
};

static struct {
  pthread_mutex_t lock;
  struct chunk   *chunks;   /* all, so that they stay reachable */
  char           *free;
  size_t          free_bytes;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *
add_chunk(size_t bytes) {
  struct chunk *chunk = calloc(1, sizeof *chunk + bytes);
  if (!chunk)
    message_die(STATUS_TROUBLE, "there is no memory");
  chunk->next = memory.chunks;
  memory.chunks = chunk;
  return chunk->bytes;
}

static void *
take_locked(size_t bytes) {
  if (bytes > CHUNK_BYTES / 4)
    return add_chunk(bytes);
  if (bytes > memory.free_bytes) {
    memory.free = add_chunk(CHUNK_BYTES);
    memory.free_bytes = CHUNK_BYTES;
  }
  void *taken = memory.free;
  memory.free += bytes;
  memory.free_bytes -= bytes;
  return taken;
}

void *
memory_take(size_t bytes) {
  pthread_mutex_lock(&memory.lock);
  void *taken = take_locked((bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES);
  pthread_mutex_unlock(&memory.lock);
  return taken;
}

char *
memory_copy(const char *chars, size_t length_bytes) {
  char *copy = memory_take(length_bytes + 1);
  memcpy(copy, chars, length_bytes);
  return copy;
}

char *
memory_format(const char *format, ...) {
  va_list args, args_again;
  va_start(args, format);
  va_copy(args_again, args);
  size_t length_bytes = (size_t)vsnprintf(NULL, 0, format, args);
  char *text = memory_take(length_bytes + 1);
  vsnprintf(text, length_bytes + 1, format, args_again);
  va_end(args_again);
  va_end(args);
  return text;
}

void *
memory_grow(void *items, size_t count, size_t *capacity, size_t item_bytes) {
  if (count < *capacity)
    return items;
  *capacity = count ? count * 2 : 8;
  void *bigger = memory_take(*capacity * item_bytes);   /* the old one is left behind */
  if (count)
    memcpy(bigger, items, count * item_bytes);
  return bigger;
}
