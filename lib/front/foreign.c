/* SPDX-License-Identifier: MIT */
#include "front/foreign.h"

#include "base/arch_x86_64.h"
#include "base/platform.h"

#include <dlfcn.h>
#include <stdint.h>
#include <unistd.h>

/* The two words before a block: glibc's malloc_chunk (malloc/malloc.c), unchanged since 2.26. */
struct chunk_header {
  size_t previous_bytes;   /* of a mapped chunk: its offset in the mapping */
  size_t bytes_and_flags;
};

enum { CHUNK_IS_MAPPED = 2, CHUNK_IS_NOT_MAIN = 4, CHUNK_FLAGS = 7, CHUNK_BYTES_MIN = 32 };

/* A chunk with a mapping of its own: starts near a page's start and ends at a page's end. */
static bool
is_mapped_chunk(uintptr_t chunk_addr, const struct chunk_header *chunk) {
  size_t bytes = chunk->bytes_and_flags & ~(size_t)CHUNK_FLAGS;
  return ((chunk_addr - chunk->previous_bytes) | (chunk->previous_bytes + bytes)) % ARCH_PAGE_BYTES == 0;
}

/* The main arena grows by sbrk. */
static bool
is_in_brk(uintptr_t addr) {
  /* Of this library, which lies far above the program's break. */
  extern char _end[] __attribute__((visibility("hidden")));
  uintptr_t top = (uintptr_t)sbrk(0);
  return addr < top && (addr > (uintptr_t)_end || top < (uintptr_t)_end);
}

/* Other arenas are aligned to their size and start with a pointer to their state. */
static bool
is_in_arena(uintptr_t addr) {
  enum { HEAP_BYTES = 64 * 1024 * 1024 };
  uintptr_t heap_addr = round_down(addr, HEAP_BYTES), state = 0;
  return platform_read_memory(&state, heap_addr, sizeof state) == sizeof state && state != 0;
}

bool
foreign_is_libc_block(const void *block) {
  uintptr_t addr = (uintptr_t)block, chunk_addr = addr - sizeof(struct chunk_header);
  struct chunk_header chunk;
  if (addr % 16 || platform_read_memory(&chunk, chunk_addr, sizeof chunk) != sizeof chunk)
    return false;
  size_t bytes = chunk.bytes_and_flags & ~(size_t)CHUNK_FLAGS;
  if (bytes < CHUNK_BYTES_MIN || bytes % 16)
    return false;
  if (chunk.bytes_and_flags & CHUNK_IS_MAPPED)
    return is_mapped_chunk(chunk_addr, &chunk);
  return chunk.bytes_and_flags & CHUNK_IS_NOT_MAIN ? is_in_arena(addr) : is_in_brk(addr);
}

/* libc's own functions, behind ours.  Asked for each time: this is rare, and dlsym allocates by us only
 * on failure. */
static void *
libc_function(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

void
foreign_free(void *block) {
  void (*function)(void *) = (void (*)(void *))libc_function("free");
  if (function)
    function(block);
}

void *
foreign_realloc(void *block, size_t bytes) {
  void *(*function)(void *, size_t) = (void *(*)(void *, size_t))libc_function("realloc");
  return function ? function(block, bytes) : NULL;
}

size_t
foreign_usable_size(const void *block) {
  size_t (*function)(const void *) = (size_t(*)(const void *))libc_function("malloc_usable_size");
  return function ? function(block) : 0;
}
