/* SPDX-License-Identifier: MIT */
/*
 * What a program closes is closed when close(2) returns, though it is being collected: a copy of the descriptor
 * elsewhere, for a moment, would have epoll tell of it, a pipe without a reader take data, and a lock stay.
 *
 * Usage: closed alone | threads
 *
 * alone    one thread allocates, so that cycles begin by themselves
 * threads  another one collects all the time
 *
 * Exit status: 0, 1 if something stayed open.
 */
#include "cgc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#pragma weak cgc_collect

enum { SECONDS = 3, BLOCK_BYTES = 2000, BLOCKS_KEPT = 2000 };

static atomic_bool must_end;
static void *blocks[BLOCKS_KEPT];

static void
fail(const char *what) {
  fprintf(stderr, "closed: %s\n", what);
  _exit(1);
}

static void
need(bool is_true, const char *what) {
  if (!is_true)
    fail(what);
}

/* A socket of which there would be an event for ever, if it stayed. */
static void
close_socket(int epoll) {
  int pair[2];
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
  struct epoll_event event = {.events = EPOLLOUT, .data.fd = pair[0]};
  need(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) == 0, "epoll_ctl");
  close(pair[0]);
  need(epoll_wait(epoll, &event, 1, 0) == 0, "epoll_wait tells of a socket that is closed");
  char byte;
  need(recv(pair[1], &byte, 1, MSG_DONTWAIT) == 0, "a socket whose peer is closed has not ended");
  close(pair[1]);
}

static void
close_pipe(void) {
  int ends[2];
  need(pipe(ends) == 0, "pipe");
  close(ends[0]);
  need(write(ends[1], "", 1) < 0 && errno == EPIPE, "a pipe without a reader takes data");
  close(ends[1]);
}

/* The lock belongs to the open file. */
static void
close_locked(void) {
  int fd = memfd_create("closed", 0);
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int other = open(path, O_RDWR);
  need(other >= 0 && flock(other, LOCK_EX) == 0, "flock");
  close(other);
  need(flock(fd, LOCK_EX | LOCK_NB) == 0, "the lock of a file that is closed stays");
  close(fd);
}

static void
allocate(void) {
  for (int i = 0; i < 20; i++) {
    void **block = &blocks[rand() % BLOCKS_KEPT];
    *block = malloc(BLOCK_BYTES);   /* and the one before is garbage */
    need(*block, "malloc");
  }
}

static void *
collect(void *arg) {
  while (cgc_collect && !atomic_load(&must_end))
    cgc_collect();
  return arg;
}

static void
close_until(time_t end) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  while (time(NULL) < end) {
    close_socket(epoll);
    close_pipe();
    close_locked();
    allocate();
  }
  close(epoll);
}

int
main(int argc, char **argv) {
  bool has_threads = argc == 2 && !strcmp(argv[1], "threads");
  if (argc != 2 || (!has_threads && strcmp(argv[1], "alone"))) {
    fprintf(stderr, "usage: closed alone | threads\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  pthread_t thread;
  if (has_threads)
    need(pthread_create(&thread, NULL, collect, NULL) == 0, "pthread_create");
  close_until(time(NULL) + SECONDS);
  atomic_store(&must_end, true);
  if (has_threads)
    pthread_join(thread, NULL);
  return 0;
}
