/* SPDX-License-Identifier: MIT */
/*
 * Allocates a little, collects, and tells the result: for tests of options.
 *
 * usage: probe [socket]: with standard error a socket, whose lines come to standard output
 */
#include "cgc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#pragma weak cgc_collect

static int ends[2];

static void
open_socket(void) {
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || dup2(ends[1], STDERR_FILENO) < 0)
    exit(1);
}

static void
print_socket(void) {
  static char text[64 * 1024];
  ssize_t bytes = recv(ends[0], text, sizeof text - 1, MSG_DONTWAIT);
  fputs(bytes > 0 ? text : "nothing\n", stdout);
}

int
main(int argc, char **argv) {
  bool has_socket = argc > 1 && !strcmp(argv[1], "socket");
  if (!cgc_collect) {
    fprintf(stderr, "the library is not preloaded\n");
    return 1;
  }
  if (has_socket)
    open_socket();
  free(malloc(100));
  errno = 4711;
  int err = cgc_collect();
  printf("collect %d%s\n", err, errno == 4711 ? "" : ", errno has changed");
  if (has_socket)
    print_socket();
  return 0;
}
