/* SPDX-License-Identifier: MIT */
/* A library that is loaded where another one of the same size was: compiled with LEAK as its function's name. */
#include <stdlib.h>
#include <string.h>

void LEAK(size_t bytes);

void
LEAK(size_t bytes) {
  memset(malloc(bytes), 0x99, bytes);
}
