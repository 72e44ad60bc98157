/* SPDX-License-Identifier: MIT */
/*
 * A program that watches memory by userfaultfd while it is being collected: each of its calls does what it does without
 * the library.  Static data, mappings and blocks of malloc are watched in turn.  Runs with the library preloaded.
 *
 * Exit status: 0, 1 if a call failed, 77 if the system does not let programs watch memory.
 */
#include "cgc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma weak cgc_collect

enum { BYTES = 4 << 20, ROUNDS = 3, WATCH_USER_FAULTS = 1 };

static void *table[BYTES / sizeof(void *)] __attribute__((aligned(4096)));
static atomic_bool must_end;
static atomic_int collections;

/* So that it is worth watching. */
static void
fill(void) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i += 64)
    table[i] = malloc(48);
}

static void *
collect(void *arg) {
  while (!atomic_load(&must_end)) {
    if (cgc_collect())
      fprintf(stderr, "userfaultfd: cgc_collect failed\n"), _exit(1);
    atomic_fetch_add(&collections, 1);
  }
  return arg;
}

static void
await_collections(int more) {
  int wanted = atomic_load(&collections) + more;
  while (cgc_collect && atomic_load(&collections) < wanted)
    usleep(100);
}

static void
check(int result, const char *call, const char *what) {
  if (!result)
    return;
  fprintf(stderr, "userfaultfd: %s, %s: %s\n", call, what, strerror(errno));
  _exit(1);
}

static void
watch(const char *what, void *start) {
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register range = {.range = {(uintptr_t)start, BYTES}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | WATCH_USER_FAULTS);
  check(fd < 0, "userfaultfd", what);
  check(ioctl(fd, UFFDIO_API, &api), "UFFDIO_API", what);
  check(ioctl(fd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER", what);
  check(ioctl(fd, UFFDIO_UNREGISTER, &range.range), "UFFDIO_UNREGISTER", what);
  close(fd);
}

int
main(void) {
  if (!cgc_collect && syscall(SYS_userfaultfd, O_CLOEXEC | WATCH_USER_FAULTS) < 0) {
    printf("SKIP: userfaultfd: %s\n", strerror(errno));
    return 77;
  }
  pthread_t thread;
  void *mapping = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void *block = aligned_alloc(4096, BYTES);
  fill();
  check(mapping == MAP_FAILED || !block || !memset(block, 1, BYTES) || !memset(mapping, 1, BYTES), "mmap", "memory");
  check(cgc_collect && pthread_create(&thread, NULL, collect, NULL), "pthread_create", "thread");
  await_collections(10);
  for (int i = 0; i < ROUNDS; i++) {
    watch("static data", table);
    watch("a mapping", mapping);
    watch("a block", block);
  }
  await_collections(2);
  atomic_store(&must_end, true);
  check(cgc_collect && pthread_join(thread, NULL), "pthread_join", "thread");
  return 0;
}
