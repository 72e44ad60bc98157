/* SPDX-License-Identifier: MIT */
/* A library whose leaks outlive it: it is closed before anyone looks. */
#include <stdlib.h>
#include <string.h>

void
leak_from_library(unsigned count, size_t n) {
  while (count--)
    memset(malloc(n), 0x99, n);
}
