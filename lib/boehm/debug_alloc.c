/* SPDX-License-Identifier: MIT */
/* The GC_debug functions: blocks that know where they come from (boehm/debug_header.h). */
#include "boehm/alloc.h"
#include "boehm/debug_header.h"
#include "boehm/kinds.h"
#include "boehm/messages.h"
#include "boehm/start.h"
#include "boehm/uncollectable.h"

#include <gc/gc.h>
#include <gc/gc_mark.h>

#include <errno.h>
#include <string.h>

CGC_EXPORT const size_t GC_debug_header_size = sizeof(struct debug_header);

size_t
GC_get_debug_header_size(void) {
  return sizeof(struct debug_header);
}

/* ---- allocation ---- */

static void *
filled(void *block, size_t bytes, const char *name, const char *file, int line) {
  if (block)
    return debug_header_fill(block, bytes, file, line);
  GC_err_printf("%s(%zu) returning NULL (%s:%d)\n", name, bytes, file ? file : "?", line);
  return NULL;
}

static void *
alloc_of_kind(size_t bytes, unsigned kind, const char *name, const char *file, int line) {
  size_t block_bytes = debug_header_block_bytes(bytes);
  return filled(alloc_or_oom(kinds_alloc(kind, block_bytes), block_bytes), bytes, name, file, line);
}

void *
GC_debug_malloc(size_t bytes, GC_EXTRA_PARAMS) {
  return alloc_of_kind(bytes, KIND_NORMAL, "GC_debug_malloc", s, i);
}

void *
GC_debug_malloc_atomic(size_t bytes, GC_EXTRA_PARAMS) {
  return alloc_of_kind(bytes, KIND_POINTER_FREE, "GC_debug_malloc_atomic", s, i);
}

void *
GC_debug_malloc_uncollectable(size_t bytes, GC_EXTRA_PARAMS) {
  return alloc_of_kind(bytes, KIND_UNCOLLECTABLE, "GC_debug_malloc_uncollectable", s, i);
}

void *
GC_debug_malloc_atomic_uncollectable(size_t bytes, GC_EXTRA_PARAMS) {
  return alloc_of_kind(bytes, KIND_POINTER_FREE_UNCOLLECTABLE, "GC_debug_malloc_atomic_uncollectable", s, i);
}

void *
GC_debug_generic_or_special_malloc(size_t bytes, int kind, GC_EXTRA_PARAMS) {
  return alloc_of_kind(bytes, (unsigned)kind, "GC_debug_generic_or_special_malloc", s, i);
}

/* The program's pointer is behind the header, but still in the first page. */
void *
GC_debug_malloc_ignore_off_page(size_t bytes, GC_EXTRA_PARAMS) {
  size_t block_bytes = debug_header_block_bytes(bytes);
  void *block = alloc_or_oom(boehm_alloc_by_start(block_bytes, false), block_bytes);
  return filled(block, bytes, "GC_debug_malloc_ignore_off_page", s, i);
}

void *
GC_debug_malloc_atomic_ignore_off_page(size_t bytes, GC_EXTRA_PARAMS) {
  size_t block_bytes = debug_header_block_bytes(bytes);
  void *block = alloc_or_oom(boehm_alloc_by_start(block_bytes, true), block_bytes);
  return filled(block, bytes, "GC_debug_malloc_atomic_ignore_off_page", s, i);
}

void *
GC_debug_malloc_stubborn(size_t bytes, GC_EXTRA_PARAMS) {
  return GC_debug_malloc(bytes, s, i);
}

char *
GC_debug_strndup(const char *string, size_t bytes_max, GC_EXTRA_PARAMS) {
  size_t bytes = strnlen(string, bytes_max);
  char *copy = GC_debug_malloc_atomic(bytes + 1, s, i);
  if (!copy) {
    errno = ENOMEM;
    return NULL;
  }
  memcpy(copy, string, bytes);
  copy[bytes] = 0;
  return copy;
}

char *
GC_debug_strdup(const char *string, GC_EXTRA_PARAMS) {
  if (string)
    return GC_debug_strndup(string, SIZE_MAX, s, i);
  GC_err_printf("strdup(NULL) behavior is undefined\n");
  return NULL;
}

void *
GC_debug_malloc_replacement(size_t bytes) {
  return GC_debug_malloc(bytes, "unknown", 0);
}

/* ---- free and realloc ---- */

/* The block of what the program has, or NULL if it is no such block. */
static void *
block_of(const void *body) {
  void *block = GC_base((void *)body);
  bool is_body = block && (const char *)body - (const char *)block == sizeof(struct debug_header);
  return is_body && debug_header_is_valid(block) ? block : NULL;
}

static void
complain_if_smashed(const char *function, const void *block) {
  char what[80];
  if (debug_header_is_whole(block))
    return;
  strcpy(what, function);
  strcat(what, ": found smashed");
  debug_header_tell(what, block);
}

void
GC_debug_free(void *body) {
  if (!body)
    return;
  void *block = block_of(body);
  if (!block) {
    GC_err_printf("GC_debug_free called on pointer %p without debugging info, or freed already\n", body);
    return;
  }
  complain_if_smashed("GC_debug_free", block);
  debug_header_erase(block);
  GC_free(block);
}

void *
GC_debug_realloc(void *body, size_t bytes, GC_EXTRA_PARAMS) {
  if (!body)
    return GC_debug_malloc(bytes, s, i);
  if (!bytes) {
    GC_debug_free(body);
    return NULL;
  }
  struct debug_header *block = block_of(body);
  if (!block) {
    GC_err_printf("GC_debug_realloc called on pointer %p without debugging info\n", body);
    return GC_realloc(body, bytes);
  }
  complain_if_smashed("GC_debug_realloc", block);
  unsigned kind = kinds_of_block(alloc_span_of(block), block);
  void *moved = alloc_of_kind(bytes, kind, "GC_debug_realloc", s, i);
  if (!moved)
    return NULL;
  memcpy(moved, body, min_u64(block->bytes, bytes));
  GC_debug_free(body);
  return moved;
}

void *
GC_debug_realloc_replacement(void *body, size_t bytes) {
  return GC_debug_realloc(body, bytes, "unknown", 0);
}

/* ---- nothing to be told of writes ---- */

void
GC_debug_change_stubborn(const void *body) {
  (void)body;
}

void
GC_debug_end_stubborn_change(const void *body) {
  (void)body;
}

void
GC_debug_ptr_store_and_dirty(void *at, const void *value) {
  *(const void **)at = value;
}
