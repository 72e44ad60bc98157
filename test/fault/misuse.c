/* SPDX-License-Identifier: MIT */
/*
 * Does one wrong thing with a block and goes on.  Prints what the library is to report, up to the address
 * of the caller: test/fault/misuse.sh compares.  Run with the library preloaded.
 */
#include "cgc.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma weak cgc_free
#pragma weak cgc_realloc

void free_sized(void *block, size_t bytes);
void free_aligned_sized(void *block, size_t alignment, size_t bytes);
#pragma weak free_sized
#pragma weak free_aligned_sized

#define DOUBLE   "a block that is free already, ignored"
#define INTERIOR "a pointer into a block, not to its start, ignored"
#define NO_BLOCK "an address in the heap where no block is, ignored"
#define FOREIGN  "a pointer that no allocator gave out, ignored"

enum { LARGE_BYTES = 200000 };

/* The compiler knows what free means, and warns. */
static void *
launder(void *pointer) {
  __asm__ volatile("" : "+r"(pointer));
  return pointer;
}

static void
announce(const char *function, const void *block, const char *what) {
  printf("cgc: %s of %p, %s; called from\n", function, block, what);
  fflush(stdout);
}

static void
require(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "misuse: %s\n", what);
    exit(1);
  }
}

static void *
take(size_t bytes) {
  void *block = malloc(bytes);
  require(block != NULL, "no memory");
  memset(block, 0x11, bytes);
  return launder(block);
}

/* ---- free ---- */

static void
free_double(void) {
  void *block = take(40);
  announce("free", block, DOUBLE);
  free(block);
  free(launder(block));
}

/* Out of the window in which the thread allocates, and of a span that it has left. */
static void
free_double_late(void) {
  enum { COUNT = 5000 };
  static void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++)
    blocks[i] = take(40);
  announce("free", blocks[7], DOUBLE);
  free(blocks[7]);
  free(launder(blocks[7]));
}

static void
free_double_large(void) {
  void *block = take(LARGE_BYTES);
  announce("free", block, NO_BLOCK);
  free(block);
  free(launder(block));
}

static void
free_interior(void) {
  char *block = take(100);
  announce("free", block + 16, INTERIOR);
  free(launder(block + 16));
  free(block);
}

static void
free_misaligned(void) {
  char *block = take(100);
  announce("free", block + 1, INTERIOR);
  free(launder(block + 1));
  free(block);
}

static void
free_interior_large(void) {
  char *block = take(LARGE_BYTES);
  announce("free", block + 16384, INTERIOR);
  free(launder(block + 16384));
  free(block);
}

static void
free_stack(void) {
  char local[64] = "";
  announce("free", local + 16, FOREIGN);
  free(launder(local + 16));
}

static void
free_static(void) {
  static char words[64];
  announce("free", words, FOREIGN);
  free(launder(words));
}

static void
free_small_number(void) {
  announce("free", (void *)0x1234560, FOREIGN);
  free(launder((void *)0x1234560));
}

/* Pages behind all blocks. */
static void
free_nowhere(void) {
  char *block = take(LARGE_BYTES);
  free(block);
  announce("free", block + 65536, NO_BLOCK);
  free(launder(block + 65536));
}

static void *
free_in_thread(void *block) {
  free(block);
  return NULL;
}

static void
free_by_thread(void *block) {
  pthread_t thread;
  require(pthread_create(&thread, NULL, free_in_thread, block) == 0, "pthread_create");
  pthread_join(thread, NULL);
}

static void
free_double_by_thread_then_owner(void) {
  void *block = take(40);
  announce("free", block, DOUBLE);
  free_by_thread(block);
  free(launder(block));
}

static void
free_double_by_owner_then_thread(void) {
  void *block = take(40);
  announce("free", block, DOUBLE);
  free(block);
  free_by_thread(launder(block));
}

static void
free_double_by_two_threads(void) {
  void *block = take(40);
  announce("free", block, DOUBLE);
  free_by_thread(block);
  free_by_thread(launder(block));
}

static void
cgc_free_stack(void) {
  char local[64] = "";
  announce("cgc_free", local + 16, FOREIGN);
  cgc_free(launder(local + 16));
}

/* ---- realloc ---- */

static void
realloc_refused(void *block, const char *what) {
  announce("realloc", block, what);
  errno = 0;
  require(!realloc(launder(block), 100), "realloc gave a block");
  require(errno == EINVAL, "errno of realloc is not EINVAL");
}

static void
realloc_freed(void) {
  void *block = take(40);
  free(block);
  realloc_refused(launder(block), DOUBLE);
}

static void
realloc_interior(void) {
  char *block = take(100);
  realloc_refused(block + 16, INTERIOR);
  free(block);
}

static void
realloc_stack(void) {
  char local[64] = "";
  realloc_refused(local + 16, FOREIGN);
}

static void
cgc_realloc_interior(void) {
  char *block = take(100);
  announce("realloc", block + 16, INTERIOR);
  require(!cgc_realloc(launder(block + 16), 100) && errno == EINVAL, "cgc_realloc");
  free(block);
}

/* ---- sizes ---- */

static void
announce_size(const char *function, void *block, size_t bytes) {
  char what[100];
  snprintf(what, sizeof what, "whose size is told as %zu but which has %zu bytes, freed", bytes, malloc_usable_size(block));
  announce(function, block, what);
}

static void
free_sized_too_large(void) {
  void *block = take(100);
  announce_size("free_sized", block, 5000);
  free_sized(block, 5000);
  require(malloc_usable_size(launder(block)) == 0, "the block was not freed");
}

static void
free_aligned_sized_too_large(void) {
  void *block = take(LARGE_BYTES);
  announce_size("free_aligned_sized", block, 2 * LARGE_BYTES);
  free_aligned_sized(block, 64, 2 * LARGE_BYTES);
  require(malloc_usable_size(launder(block)) == 0, "the block was not freed");
}

static void
free_sized_stack(void) {
  char local[64] = "";
  announce("free_sized", local + 16, FOREIGN);
  free_sized(launder(local + 16), 8);
}

/* ---- no misuse: nothing is announced ---- */

static void
free_null(void) {
  free(launder(NULL));
  free_sized(launder(NULL), 10);
  require(realloc(launder(NULL), 10) != NULL, "realloc of NULL");
}

static void
free_sized_exact(void) {
  free_sized(take(100), 100);
  free_aligned_sized(aligned_alloc(64, 128), 64, 128);
}

static void *
libc_function(const char *name) {
  void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), *function = libc ? dlsym(libc, name) : NULL;
  require(function && function != dlsym(RTLD_DEFAULT, name), "libc's own function was not found");
  return function;
}

static void
fill(void *block, size_t bytes) {
  require(block != NULL, "no memory of libc");
  memset(block, 0x22, bytes);
}

/* Blocks of libc's own malloc, of each size that it treats in its own way. */
static void
free_libc_blocks(void) {
  void *(*libc_malloc)(size_t) = (void *(*)(size_t))libc_function("malloc");
  static const size_t sizes[] = {1, 24, 1000, 5000, 100000, 1000000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t bytes = sizes[i];
    char *block = libc_malloc(bytes);
    fill(block, bytes);
    require(malloc_usable_size(block) >= bytes, "malloc_usable_size of libc's block");
    block = realloc(launder(block), 2 * bytes);
    require(block && block[0] == 0x22 && block[bytes - 1] == 0x22, "realloc of libc's block");
    free(launder(block));
  }
}

static void *
free_libc_block_of_thread(void *arg) {
  void *(*libc_malloc)(size_t) = (void *(*)(size_t))libc_function("malloc");
  void *block = libc_malloc(500);   /* in an arena of this thread's */
  fill(block, 500);
  free(launder(block));
  return arg;
}

static void
free_libc_block_by_thread(void) {
  pthread_t thread;
  require(pthread_create(&thread, NULL, free_libc_block_of_thread, NULL) == 0, "pthread_create");
  pthread_join(thread, NULL);
}

/* ---- */

static const struct misuse {
  const char *name;
  void (*run)(void);
} misuses[] = {
#define MISUSE(name) {#name, name}
  MISUSE(free_double), MISUSE(free_double_late), MISUSE(free_double_large), MISUSE(free_interior), MISUSE(free_misaligned),
  MISUSE(free_interior_large), MISUSE(free_stack), MISUSE(free_static), MISUSE(free_small_number), MISUSE(free_nowhere),
  MISUSE(free_double_by_thread_then_owner), MISUSE(free_double_by_owner_then_thread),
  MISUSE(free_double_by_two_threads), MISUSE(cgc_free_stack), MISUSE(realloc_freed), MISUSE(realloc_interior),
  MISUSE(realloc_stack), MISUSE(cgc_realloc_interior), MISUSE(free_sized_too_large),
  MISUSE(free_aligned_sized_too_large), MISUSE(free_sized_stack), MISUSE(free_null), MISUSE(free_sized_exact),
  MISUSE(free_libc_blocks), MISUSE(free_libc_block_by_thread),
};

/* The heap is intact: blocks of all sizes can be had, are apart from each other, and keep what is in them. */
static void
use_heap(void) {
  enum { COUNT = 3000 };
  static unsigned char *blocks[COUNT];
  for (int i = 0; i < COUNT; i++) {
    blocks[i] = take((size_t)i + 1);
    memset(blocks[i], i & 0xff, (size_t)i + 1);
  }
  for (int i = 0; i < COUNT; i++) {
    for (int k = 0; k <= i; k++)
      require(blocks[i][k] == (i & 0xff), "the heap is damaged");
    free(blocks[i]);
  }
}

/* Nothing is to be reported from here on. */
static void
go_on(void) {
  puts("went on");
  fflush(stdout);
  fputs("went on\n", stderr);
}

int
main(int argc, char **argv) {
  require(&free_sized && &cgc_free, "the library is not preloaded");
  for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++)
    if (argc < 2)
      puts(misuses[i].name);
    else if (!strcmp(argv[1], misuses[i].name)) {
      misuses[i].run();
      go_on();
      use_heap();
      return 0;
    }
  return argc >= 2;
}
