/* SPDX-License-Identifier: MIT */
/* A library that exchanges blocks with the program. Opened with RTLD_DEEPBIND, its own malloc and free
   are libc's, while libc's strdup still calls the preloaded ones. */
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

void *
hz_deep_alloc(size_t n) {
  return malloc(n);
}

void *
hz_deep_calloc(size_t n) {
  return calloc(1, n);
}

void *
hz_deep_realloc(void *p, size_t n) {
  return realloc(p, n);
}

void
hz_deep_free(void *p) {
  free(p);
}

char *
hz_deep_strdup(const char *s) {
  return strdup(s);
}

/* Keeps the program's pointer in a block of the library's. */
void
hz_deep_keep(void *p) {
  void **box = malloc(64);
  box[3] = p;
  kept = box;
}

void *
hz_deep_kept(void) {
  return ((void **)kept)[3];
}
