/* SPDX-License-Identifier: MIT */
/* A library with thread-local data too large for the static TLS reserve: ld.so allocates each thread's
   copy with malloc on first use and keeps the only pointer, an interior one, in the thread's DTV. */
#include <stddef.h>

static __thread char filler[6000];
static __thread void *volatile slot __attribute__((aligned(64)));

void
hz_tls_set(void *p) {
  filler[17] = 1;
  slot = p;
}

void *
hz_tls_get(void) {
  return filler[17] ? slot : NULL;
}
