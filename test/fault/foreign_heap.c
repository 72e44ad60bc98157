/* SPDX-License-Identifier: MIT */
/*
 * A program whose malloc is another allocator's: blocks of the collector are kept by pointers in that allocator's
 * heap only, while threads use both and collections run.
 *
 * usage: foreign_heap LIBRARY    the library that malloc must come from
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *cgc_malloc(size_t bytes) __attribute__((weak));
extern int cgc_collect(void) __attribute__((weak));

enum { THREADS = 4, NODES = 4000, ROUNDS = 8, WORDS_MAX = 20 };

struct node {
  struct node *next;
  uintptr_t *kept;      /* of the collector */
  unsigned word_count;
  uintptr_t value;      /* in all its words; no other block has it */
};

static struct node *lists[THREADS];
static atomic_bool is_bad;
static atomic_uintptr_t next_value = 1;

static void
push(struct node **list, unsigned number) {
  struct node *node = malloc(sizeof *node + number % 100);
  *node = (struct node){*list, NULL, 1 + number % WORDS_MAX, atomic_fetch_add(&next_value, 1)};
  node->kept = cgc_malloc(node->word_count * sizeof *node->kept);
  for (unsigned i = 0; i < node->word_count; i++)
    node->kept[i] = node->value;
  *list = node;
}

static void
check(const struct node *node) {
  for (; node; node = node->next)
    for (unsigned i = 0; i < node->word_count; i++)
      if (node->kept[i] != node->value)
        atomic_store(&is_bad, true);
}

static void
drop_every_other(struct node *node) {
  for (; node && node->next; node = node->next) {
    struct node *dropped = node->next;
    node->next = dropped->next;
    free(dropped);   /* what it kept is garbage */
  }
}

static void *
work(void *arg) {
  struct node **list = arg;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < NODES; i++)
      push(list, i + round);
    if (cgc_collect())
      atomic_store(&is_bad, true);
    check(*list);
    drop_every_other(*list);
  }
  return arg;
}

int
main(int argc, char **argv) {
  Dl_info info;
  void *(*volatile allocate)(size_t) = malloc;
  if (argc != 2 || !cgc_malloc || !cgc_collect || !dladdr((void *)allocate, &info) || !strstr(info.dli_fname, argv[1])) {
    fprintf(stderr, "malloc is not that of %s\n", argc == 2 ? argv[1] : "the library named");
    return 2;
  }
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, work, &lists[i]))
      return 2;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < THREADS; i++)
    check(lists[i]);
  puts(atomic_load(&is_bad) ? "a block that was in use is gone" : "kept");
  return atomic_load(&is_bad);
}
