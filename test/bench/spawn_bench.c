/* SPDX-License-Identifier: MIT */
/*
 * What preloading a library adds to the start and end of a program.
 *
 * Usage: spawn_bench COUNT PROGRAM [LIB...]
 *
 * Runs PROGRAM COUNT times without LD_PRELOAD and COUNT times with each LIB,
 * in turn, and prints a line for each: library mean_us median_us
 * (library "-": none).  A time is from posix_spawn to the end of the child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

struct variant {
  const char *library;
  char **environment;
  double *times_us;
};

static void
fail(const char *what, const char *which) {
  fprintf(stderr, "spawn_bench: %s: %s\n", what, which);
  exit(1);
}

static void *
allocate(size_t count, size_t size) {
  void *block = calloc(count, size);
  if (!block)
    fail("out of memory", "");
  return block;
}

static char *
preload_setting(const char *library) {
  char *setting;
  if (asprintf(&setting, "LD_PRELOAD=%s", library) < 0)
    fail("out of memory", library);
  return setting;
}

/* The environment of this process with no LD_PRELOAD, or with this one. */
static char **
environment_with(const char *library) {
  size_t count = 0, kept = 0;
  while (environ[count])
    count++;
  char **environment = allocate(count + 2, sizeof *environment);
  for (size_t i = 0; i < count; i++)
    if (strncmp(environ[i], "LD_PRELOAD=", strlen("LD_PRELOAD=")))
      environment[kept++] = environ[i];
  if (library)
    environment[kept] = preload_setting(library);
  return environment;
}

static double
now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double
spawn_us(char *program, const char *library, char **environment) {
  char *arguments[] = {program, NULL};
  pid_t child;
  int status;
  double start = now_us();
  int error = posix_spawn(&child, program, NULL, NULL, arguments, environment);
  if (error)
    fail(strerror(error), program);
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      fail(strerror(errno), "waitpid");
  double end = now_us();
  if (status)
    fail("did not end with status 0", library ? library : program);
  return end - start;
}

static int
compare_times(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
mean(const double *times, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += times[i];
  return sum / (double)count;
}

static void
print_times(struct variant *variant, size_t count) {
  qsort(variant->times_us, count, sizeof *variant->times_us, compare_times);
  printf("%s %.1f %.1f\n", variant->library ? variant->library : "-", mean(variant->times_us, count),
         (variant->times_us[(count - 1) / 2] + variant->times_us[count / 2]) / 2);
}

/* Each round starts with another variant: none profits from its place. */
static void
measure(struct variant *variants, size_t variant_count, size_t count, char *program) {
  for (size_t round = 0; round < count; round++)
    for (size_t i = 0; i < variant_count; i++) {
      struct variant *variant = &variants[(round + i) % variant_count];
      variant->times_us[round] = spawn_us(program, variant->library, variant->environment);
    }
}

int
main(int argc, char **argv) {
  size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
  if (!count) {
    fputs("Usage: spawn_bench COUNT PROGRAM [LIB...]\n", stderr);
    return 2;
  }
  size_t variant_count = (size_t)argc - 2;
  struct variant *variants = allocate(variant_count, sizeof *variants);
  for (size_t i = 0; i < variant_count; i++) {
    const char *library = i ? argv[i + 2] : NULL;
    variants[i] = (struct variant){library, environment_with(library), allocate(count, sizeof(double))};
  }
  measure(variants, variant_count, count, argv[2]);
  for (size_t i = 0; i < variant_count; i++)
    print_times(&variants[i], count);
  return 0;
}
