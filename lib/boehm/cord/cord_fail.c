/* SPDX-License-Identifier: MIT */
#include "boehm/cord/cord_fail.h"

#include <gc/cord.h>

#include <stdio.h>
#include <stdlib.h>

void (*CORD_oom_fn)(void) = NULL;

void
cord_fail(const char *what) {
  fprintf(stderr, "cord: %s\n", what);
  abort();
}

void
cord_fail_memory(const char *what) {
  if (CORD_oom_fn)
    CORD_oom_fn();
  cord_fail(what);
}
