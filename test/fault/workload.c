/* SPDX-License-Identifier: MIT */
/*
 * A program that allocates in several threads, collects and forks, takes every refusal of memory
 * in its stride, and checks that what it did get stays as it was.  For failure injection: whatever system
 * call fails, it must end with status 0.  A hang ends by SIGALRM.
 */
#include "cgc.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma weak cgc_malloc
#pragma weak cgc_collect
#pragma weak cgc_add_roots
#pragma weak cgc_remove_roots

enum { NODES = 150, THREADS = 2, ROUNDS = 2, HANG_SECONDS = 100, BIG_BYTES = 10 << 20 };

/* Nodes of a list are kept by the pointers in the nodes before them. */
struct node {
  struct node *next;
  size_t bytes;
  uint64_t words[];
};

static struct node *lists[THREADS + 1];
static char *big;

static void
require(bool condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "workload: %s\n", what);
    abort();
  }
}

static void *
checked(void *block) {
  require(block || errno == ENOMEM, "NULL without ENOMEM");
  errno = 0;
  return block;
}

static size_t
word_count(const struct node *node) {
  return (node->bytes - sizeof *node) / sizeof node->words[0];
}

static void
fill(struct node *node, size_t from) {
  for (size_t i = from; i < word_count(node); i++)
    node->words[i] = (uint64_t)node->bytes * (2 * i + 1) | 0xff00000000000000;
}

static void
check_list(const struct node *node) {
  for (; node; node = node->next)
    for (size_t i = 0; i < word_count(node); i++)
      require(node->words[i] == ((uint64_t)node->bytes * (2 * i + 1) | 0xff00000000000000), "contents have changed");
}

static size_t
size_for(size_t turn) {
  return sizeof(struct node) + (turn % 50 == 0 ? 50000 : turn % 7 == 0 ? 3000 : turn % 60) * 8;
}

static struct node *
allocate(size_t turn, size_t bytes) {
  void *block = NULL;
  switch (turn % 5) {
    case 0: return checked(calloc(1, bytes));
    case 1: return checked(cgc_malloc(bytes));
    case 2: require(posix_memalign(&block, 256, bytes) == 0 || !block, "posix_memalign failed but gave a block"); return block;
    case 3: return checked(realloc(NULL, bytes));
    default: return checked(malloc(bytes));
  }
}

static void
push(struct node **list, size_t turn) {
  size_t bytes = size_for(turn);
  struct node *node = allocate(turn, bytes);
  if (!node)
    return;
  *node = (struct node){*list, bytes};
  fill(node, 0);
  *list = node;
}

/* A failed realloc leaves the block as it was. */
static void
grow_first(struct node **list) {
  struct node *node = *list;
  if (!node)
    return;
  size_t before = word_count(node), bytes = node->bytes * 2;
  struct node *grown = checked(realloc(node, bytes));
  if (!grown)
    return;
  uint64_t old_bytes = grown->bytes;
  for (size_t i = 0; i < before; i++)
    require(grown->words[i] == (old_bytes * (2 * i + 1) | 0xff00000000000000), "realloc has changed contents");
  grown->bytes = bytes;
  fill(grown, 0);
  *list = grown;
}

static void
pop(struct node **list) {
  struct node *node = *list;
  if (!node)
    return;
  *list = node->next;
  free(node);
}

static void
work(struct node **list) {
  for (size_t turn = 0; turn < NODES; turn++) {
    push(list, turn);
    if (turn % 5 == 3)
      grow_first(list);
    if (turn % 3 == 2)
      pop(list);
    if (turn % 11 == 10 && *list)
      *list = (*list)->next;   /* dropped without free */
  }
  check_list(*list);
}

static void
collect(void) {
  errno = 4711;
  require(cgc_collect() >= 0 && errno == 4711, "cgc_collect");
}

static void *
thread_main(void *list) {
  for (int i = 0; i < ROUNDS; i++) {
    work(list);
    check_list(*(struct node **)list);
  }
  return NULL;
}

static void
check_in_child(void) {
  pid_t child = fork();
  if (child == 0) {
    alarm(HANG_SECONDS);
    check_list(lists[0]);
    collect();
    work(&lists[0]);
    collect();
    collect();
    check_list(lists[0]);
    _exit(0);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0)
    require(errno == EINTR, "waitpid");
  require(status == 0, "the child failed");
}

static void
run(void) {
  pthread_t threads[THREADS];
  bool is_running[THREADS];
  for (int i = 0; i < THREADS; i++)   /* without memory there may be none */
    is_running[i] = pthread_create(&threads[i], NULL, thread_main, &lists[i + 1]) == 0;
  collect();
  work(&lists[0]);
  check_in_child();
  collect();
  collect();
  for (int i = 0; i < THREADS; i++)
    if (is_running[i])
      pthread_join(threads[i], NULL);
  collect();
  for (int i = 0; i <= THREADS; i++)
    check_list(lists[i]);
}

int
main(void) {
  alarm(HANG_SECONDS);
  require(cgc_collect, "the library is not preloaded");
  big = malloc(BIG_BYTES);   /* enough to mark for several threads */
  if (big)
    big[BIG_BYTES / 2] = 1;
  int err = cgc_add_roots(lists, lists + 1);
  require(err >= 0, "cgc_add_roots");
  run();
  require(cgc_remove_roots(lists, lists + 1) >= 0, "cgc_remove_roots");
  run();
  require(!big || big[BIG_BYTES / 2] == 1, "the large block has changed");
  return 0;
}
