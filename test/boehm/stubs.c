/* SPDX-License-Identifier: MIT */
/*
 * Stand-ins for the library's functions that gc_inline.h and the C++ headers call: each prints its name and arguments,
 * so that what two sets of headers make of the same program can be compared.  No header of either set is included.
 *
 * Blocks are in an arena and never reused; addresses are printed as offsets in it.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES        (1 << 20)
#define BLOCK_MAX          1000
#define DEBUG_HEADER_BYTES 32
#define LIST_BLOCKS        3   /* of GC_generic_malloc_many */

int stub_fails;   /* set by tests: no memory */

static char   arena[ARENA_BYTES] __attribute__((aligned(16)));
static size_t used_bytes;
static char  *blocks[BLOCK_MAX];
static int    block_count;

/* The registered finalizer: the tests have one at a time. */
static void (*finalizer)(void *, void *);
static void *finalizer_block, *finalizer_data;

static long
offset_of(const void *address) {
  const char *byte = (const char *)address;
  return byte >= arena && byte < arena + ARENA_BYTES ? byte - arena : -1;
}

static void *
allocate(const char *name, size_t bytes, size_t header_bytes) {
  size_t taken_bytes = (bytes + header_bytes + 16) & ~(size_t)15;
  char *block = arena + used_bytes;

  printf("%s(%zu)", name, bytes);
  if (stub_fails) {
    puts(": none");
    return NULL;
  }
  used_bytes += taken_bytes;
  if (used_bytes > ARENA_BYTES || block_count == BLOCK_MAX)
    abort();
  blocks[block_count++] = block;
  printf(": %ld\n", offset_of(block + header_bytes));
  return block + header_bytes;
}

void *GC_malloc(size_t bytes) { return allocate("malloc", bytes, 0); }
void *GC_malloc_atomic(size_t bytes) { return allocate("atomic", bytes, 0); }
void *GC_malloc_uncollectable(size_t bytes) { return allocate("uncollectable", bytes, 0); }
void *GC_malloc_atomic_uncollectable(size_t bytes) { return allocate("atomic uncollectable", bytes, 0); }
void *GC_malloc_ignore_off_page(size_t bytes) { return allocate("off page", bytes, 0); }
void *GC_malloc_atomic_ignore_off_page(size_t bytes) { return allocate("atomic off page", bytes, 0); }

/* Each is told its place in a program; where that is in a header it differs. */
#define DEBUG_MALLOC(function, name) \
  void *function(size_t bytes, const char *file, int line) { \
    return file && line > 0 ? allocate(name, bytes, DEBUG_HEADER_BYTES) : NULL; \
  }
DEBUG_MALLOC(GC_debug_malloc, "debug malloc")
DEBUG_MALLOC(GC_debug_malloc_atomic, "debug atomic")
DEBUG_MALLOC(GC_debug_malloc_uncollectable, "debug uncollectable")
DEBUG_MALLOC(GC_debug_malloc_atomic_uncollectable, "debug atomic uncollectable")
DEBUG_MALLOC(GC_debug_malloc_ignore_off_page, "debug off page")
DEBUG_MALLOC(GC_debug_malloc_atomic_ignore_off_page, "debug atomic off page")

void *
GC_malloc_kind(size_t bytes, int kind) {
  printf("kind %d: ", kind);
  return allocate("malloc_kind", bytes, 0);
}

void
GC_generic_malloc_many(size_t bytes, int kind, void **list) {
  int i;

  printf("%d of kind %d\n", LIST_BLOCKS, kind);
  *list = NULL;
  for (i = 0; i < LIST_BLOCKS; i++) {
    void **block = (void **)allocate("many", bytes, 0);
    if (!block)
      return;
    *block = *list;
    *list = block;
  }
}

void GC_free(void *block) { printf("free(%ld)\n", offset_of(block)); }
void GC_debug_free(void *block) { printf("debug free(%ld)\n", offset_of(block)); }

void *
GC_base(void *address) {
  void *base = NULL;
  int i;

  for (i = 0; i < block_count && blocks[i] <= (char *)address; i++)
    base = blocks[i];
  return offset_of(address) < 0 ? NULL : base;
}

size_t
GC_size(const void *block) {
  (void)block;
  return ARENA_BYTES;
}

static void
set_finalizer(const char *name, void *block, void (*function)(void *, void *), void *data, void (**old)(void *, void *),
              void **old_data) {
  int had = finalizer_block == block && finalizer;

  printf("%s(%ld, %s, %ld): %s\n", name, offset_of(block), function ? "function" : "none",
         (long)data < ARENA_BYTES ? (long)data : -1, had ? "replaced" : "new");   /* an offset, or an address */
  if (old)
    *old = had ? finalizer : NULL;
  if (old_data)
    *old_data = had ? finalizer_data : NULL;
  finalizer = function;
  finalizer_block = block;
  finalizer_data = data;
}

void
GC_register_finalizer_ignore_self(void *block, void (*function)(void *, void *), void *data,
                                  void (**old)(void *, void *), void **old_data) {
  set_finalizer("finalizer", block, function, data, old, old_data);
}

void
GC_debug_register_finalizer_ignore_self(void *block, void (*function)(void *, void *), void *data,
                                        void (**old)(void *, void *), void **old_data) {
  set_finalizer("debug finalizer", (char *)block - DEBUG_HEADER_BYTES, function, data, old, old_data);
}

/* What a collection would do. */
void
stub_finalize(void) {
  void (*function)(void *, void *) = finalizer;

  finalizer = NULL;
  printf("finalize: %s\n", function ? "run" : "none");
  if (function)
    function(finalizer_block, finalizer_data);
}

void GC_end_stubborn_change(const void *block) { printf("changed(%ld)\n", offset_of(block)); }

static void
store(const char *name, void *place, const void *value) {
  printf("%s(%ld, %ld)\n", name, offset_of(place), offset_of(value));
  *(const void **)place = value;
}

void GC_ptr_store_and_dirty(void *place, const void *value) { store("store", place, value); }
void GC_debug_ptr_store_and_dirty(void *place, const void *value) { store("debug store", place, value); }

static void *
out_of_memory(size_t bytes) {
  printf("out of memory(%zu)\n", bytes);
  return NULL;
}

void *(*GC_get_oom_fn(void))(size_t) { return out_of_memory; }

void
GC_abort_on_oom(void) {
  puts("abort on oom");
  exit(0);
}
