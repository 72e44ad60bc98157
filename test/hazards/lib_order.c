/* SPDX-License-Identifier: MIT */
/* A library that the program is linked with: its constructor runs before that of a preloaded library
   and its destructor after it. Both use the heap, as libstdc++ and many others do. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int cgc_collect(void) __attribute__((weak));

static char *early[200];
static void *early_aligned;
int hz_order_constructed;

static void *
early_thread(void *arg) {
  char *p = malloc(300);
  memset(p, 1, 300);
  free(p);
  return arg;
}

__attribute__((constructor(101))) static void
construct(void) {
  for (unsigned i = 0; i < 200; i++) {
    early[i] = i % 3 ? malloc(10 + i * 20) : calloc(1, 10 + i * 20);
    early[i] = realloc(early[i], 20 + i * 20);
    snprintf(early[i], 20, "early %u", i);
  }
  free(early[7]);
  early[7] = NULL;
  early_aligned = memalign(4096, 5000);
  setenv("HZ_EARLY", "set in a constructor", 1);
  pthread_t t;
  if (pthread_create(&t, NULL, early_thread, NULL) == 0)
    pthread_join(t, NULL);
  hz_order_constructed = 1;
}

/* What is left of the early blocks: 0 if all of it. */
int
hz_order_check(void) {
  char text[20];
  for (unsigned i = 0; i < 200; i++) {
    snprintf(text, sizeof text, "early %u", i);
    if (i != 7 && strcmp(early[i], text))
      return 1 + (int)i;
  }
  const char *v = getenv("HZ_EARLY");
  return v && !strcmp(v, "set in a constructor") ? 0 : 300;
}

__attribute__((destructor(101))) static void
destruct(void) {
  if (!getenv("HZ_LATE"))
    return;
  if (hz_order_check())
    _exit(91);
  for (unsigned i = 0; i < 200; i++)
    free(early[i]);
  free(early_aligned);
  for (unsigned i = 0; i < 2000; i++) {
    char *p = malloc(16 + i);
    memset(p, 3, 16 + i);
    free(p);
  }
  if (cgc_collect)
    cgc_collect();
  _exit(90);   /* tells that we came this far */
}
