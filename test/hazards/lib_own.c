/* SPDX-License-Identifier: MIT */
/* A library with a heap of its own: a bump allocator over mmap that grows by mremap and keeps pointers
   of the program in its nodes, as bundled allocators and arenas do. */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>

struct node {
  size_t next;    /* an offset, not a pointer: the arena moves */
  void *payload;
  char filler[48];
};

static char *arena;
static size_t arena_bytes, arena_used, list;

static int
grow(void) {
  size_t bytes = arena_bytes ? arena_bytes * 2 : 16384;
  char *p = arena ? mremap(arena, arena_bytes, bytes, MREMAP_MAYMOVE)
                  : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    return 0;
  arena = p;
  arena_bytes = bytes;
  if (!arena_used)
    arena_used = sizeof(struct node);   /* offset 0 ends the list */
  return 1;
}

int
hz_own_push(void *payload) {
  if (arena_used + sizeof(struct node) > arena_bytes && !grow())
    return 0;
  struct node *n = (struct node *)(arena + arena_used);
  n->next = list;
  n->payload = payload;
  list = arena_used;
  arena_used += sizeof *n;
  return 1;
}

void *
hz_own_pop(void) {
  if (!list)
    return NULL;
  struct node *n = (struct node *)(arena + list);
  list = n->next;
  void *payload = n->payload;
  n->payload = NULL;
  return payload;
}
