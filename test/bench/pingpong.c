/* SPDX-License-Identifier: MIT */
/*
 * What blocking calls cost: epoll_wait, read and write in turn.  Prints the round trips per second.
 *
 * usage: pingpong threads|alone [SECONDS 2]
 *   threads   two threads that wake each other through eventfds: what a server sees
 *   alone     one thread that wakes itself: the calls without the scheduler
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct side {
  int epoll, event, other_event;
  long turns;
};

static struct side sides[2];
static atomic_bool must_end;

static void
die(const char *what) {
  perror(what);
  exit(1);
}

static void
wake(int event) {
  uint64_t one = 1;
  if (write(event, &one, sizeof one) != sizeof one)
    die("write");
}

static void
await(struct side *side) {
  struct epoll_event event;
  uint64_t count;
  if (epoll_wait(side->epoll, &event, 1, -1) != 1)
    die("epoll_wait");
  if (read(event.data.fd, &count, sizeof count) != sizeof count)
    die("read");
}

static void *
play(void *arg) {
  struct side *side = arg;
  while (!atomic_load_explicit(&must_end, memory_order_relaxed)) {
    await(side);
    wake(side->other_event);
    side->turns++;
  }
  wake(side->other_event);   /* for the other to see the end */
  return NULL;
}

static void
open_side(struct side *side) {
  side->epoll = epoll_create1(0);
  side->event = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = side->event};
  if (side->epoll < 0 || side->event < 0 || epoll_ctl(side->epoll, EPOLL_CTL_ADD, side->event, &event))
    die("epoll");
}

static double
now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int
main(int argc, char **argv) {
  double seconds = argc > 2 ? atof(argv[2]) : 2;
  if (argc < 2 || (strcmp(argv[1], "threads") && strcmp(argv[1], "alone")) || seconds <= 0) {
    fprintf(stderr, "usage: pingpong threads|alone [SECONDS]\n");
    return 2;
  }
  int players = strcmp(argv[1], "threads") ? 1 : 2;
  pthread_t threads[2];
  for (int i = 0; i < players; i++)
    open_side(&sides[i]);
  for (int i = 0; i < players; i++)
    sides[i].other_event = sides[(i + 1) % players].event;
  double start = now();
  for (int i = 0; i < players; i++)
    if (pthread_create(&threads[i], NULL, play, &sides[i]))
      die("pthread_create");
  wake(sides[0].event);
  struct timespec length = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&length, NULL);
  atomic_store(&must_end, 1);
  for (int i = 0; i < players; i++)
    pthread_join(threads[i], NULL);
  printf("%.0f\n", (double)sides[0].turns / (now() - start));
  return 0;
}
