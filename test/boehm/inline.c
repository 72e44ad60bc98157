/* SPDX-License-Identifier: MIT */
/*
 * Allocates with gc_inline.h from lists of every sort.  same_macros.sh runs this with two sets of headers and the
 * functions of stubs.c, and compares what it prints.
 */
#include <gc/gc.h>

#include <gc/gc_inline.h>

#include <stdio.h>
#include <string.h>

extern int stub_fails;

static void *lists[GC_TINY_FREELISTS];

static void
print_lists(void) {
  size_t i;

  for (i = 0; i < GC_TINY_FREELISTS; i++) {
    if (lists[i] == NULL)
      continue;
    if ((GC_word)lists[i] < 1000)
      printf("  list %zu: number %lu\n", i, (GC_word)lists[i]);
    else
      printf("  list %zu: blocks\n", i);
  }
}

static void
begin(const char *what, GC_word first) {
  size_t i;

  printf("== %s\n", what);
  for (i = 0; i < GC_TINY_FREELISTS; i++)
    lists[i] = (void *)first;
}

static void
take(size_t granules, size_t direct, int kind) {
  void *block;

  printf("%zu granules, %zu direct, kind %d\n", granules, direct, kind);
  GC_FAST_MALLOC_GRANS(block, granules, lists, direct, kind, GC_malloc_kind(granules * GC_GRANULE_BYTES + 7, kind),
                       *(void **)block = NULL);
  printf("  %s\n", block == NULL ? "none" : *(void **)block == NULL ? "cleared" : "linked");
  print_lists();
}

static void
take_many(size_t direct, int kind) {
  size_t granules;
  int i;

  for (granules = 0; granules < GC_TINY_FREELISTS + 2; granules++)
    for (i = 0; i < 6; i++)
      take(granules, direct, kind);
}

static void
take_words(void) {
  void *block;
  size_t words;

  for (words = 0; words < 70; words += 7) {
    printf("%zu words\n", words);
    GC_MALLOC_WORDS(block, words, lists);
    GC_MALLOC_ATOMIC_WORDS(block, words, lists);
    GC_MALLOC_WORDS_KIND(block, words, lists, GC_I_NORMAL, memset(block, 1, sizeof(void *)));
    printf("  %s\n", block && *(char *)block == 1 ? "initialised" : "not");
  }
  print_lists();
}

static void
take_pairs(void) {
  void **pair, **other;

  GC_CONS(pair, 5L, NULL, lists);
  if (pair)
    printf("  pair %ld %p\n", (long)pair[0], pair[1] ? (void *)1 : NULL);
  GC_CONS(other, pair, pair, lists);
  if (other)
    printf("  pair of pairs %d\n", other[0] == pair && other[1] == pair);
}

int
main(void) {
  begin("empty lists", 0);
  take_many(0, GC_I_NORMAL);
  begin("empty lists, not scanned", 0);
  take_many(0, GC_I_PTRFREE);
  begin("rare sizes", 1);
  take_many(10, GC_I_NORMAL);
  begin("very rare sizes", 1);
  take_many(40, GC_I_NORMAL);
  begin("lists that begin with 1, none direct", 1);
  take_many(0, GC_I_NORMAL);
  begin("words", 0);
  take_words();
  begin("pairs", 0);
  take_pairs();

  stub_fails = 1;
  begin("no memory", 0);
  take_many(0, GC_I_NORMAL);
  take_pairs();
  begin("no memory, rare sizes", 1);
  take_many(10, GC_I_NORMAL);
  return 0;
}
