/* SPDX-License-Identifier: MIT */
/*
 * new and delete of a program that is linked with libgccpp: what they allocate is scanned, so that it keeps collected
 * objects, and lives until delete.
 *
 * The C++ library's other forms of new, but those for more than 16 bytes of alignment, call these.
 */
#include "gc/gc.h"

#include <new>

/* Once an attempt fails, the program's new-handler is not asked: the out-of-memory function was. */
static void *
allocate_scanned(std::size_t bytes) {
  void *block = GC_MALLOC_UNCOLLECTABLE(bytes);
  if (!block)
    throw std::bad_alloc();
  return block;
}

GC_API void *
operator new(std::size_t bytes) {
  return allocate_scanned(bytes);
}

GC_API void *
operator new[](std::size_t bytes) {
  return allocate_scanned(bytes);
}

GC_API void
operator delete(void *block) noexcept {
  GC_FREE(block);
}

GC_API void
operator delete[](void *block) noexcept {
  GC_FREE(block);
}

GC_API void
operator delete(void *block, std::size_t) noexcept {
  GC_FREE(block);
}

GC_API void
operator delete[](void *block, std::size_t) noexcept {
  GC_FREE(block);
}
