/* SPDX-License-Identifier: MIT */
/* Allocates a little, collects, and tells the result: for tests of options. */
#include "cgc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#pragma weak cgc_collect

int
main(void) {
  if (!cgc_collect) {
    fprintf(stderr, "the library is not preloaded\n");
    return 1;
  }
  free(malloc(100));
  errno = 4711;
  int err = cgc_collect();
  printf("collect %d%s\n", err, errno == 4711 ? "" : ", errno has changed");
  return 0;
}
