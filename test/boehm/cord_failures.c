/* SPDX-License-Identifier: MIT */
/* What ends the process: each in a child. */
#include "cord_test.h"

#include <gc/gc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OOM_STATUS = 42 };

/* Runs it in a child whose stderr is thrown away; the status of waitpid. */
static int
status_of(void (*failing)(void)) {
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(freopen("/dev/null", "w", stderr));
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    failing();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

static bool
is_aborting(void (*failing)(void)) {
  int status = status_of(failing);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
fetch_beyond(void) {
  CORD_fetch("abc", 3);
}

static void
fetch_of_empty(void) {
  CORD_fetch(CORD_EMPTY, 0);
}

static void
next_of_invalid(void) {
  CORD_pos p;
  CORD_set_pos(p, CORD_chars('x', 100), 99);
  CORD_next(p);
  CORD_next(p);
}

static void
fetch_of_invalid(void) {
  CORD_pos p;
  CORD_set_pos(p, "abc", 2);
  CORD_next(p);
  CORD_pos_fetch(p);
}

static void
prev_of_invalid(void) {
  CORD_pos p;
  CORD_set_pos(p, "abc", 0);
  CORD_prev(p);
  CORD_prev(p);
}

static int
never_called(char c, void *client_data) {
  (void)c, (void)client_data;
  _exit(1);
}

static void
riter_beyond(void) {
  CORD_riter4("abc", 3, never_called, NULL);
}

static void
rchr_beyond(void) {
  CORD_rchr("abc", 3, 'c');
}

static void
out_of_memory(void) {
  CORD_to_char_star(CORD_chars('x', (size_t)1 << 50));
}

static void
out_of_addresses(void) {
  CORD_to_char_star(CORD_chars('x', SIZE_MAX));
}

static void
too_long(void) {
  CORD_cat(CORD_chars('x', SIZE_MAX), "x");
}

static void
exit_as_told(void) {
  _exit(OOM_STATUS);
}

static void
return_to_library(void) {
}

static void
truncated_file(void) {
  FILE *file = tmpfile();
  CHECK(file && CORD_put(CORD_chars('x', 200000), file) == 1 && fflush(file) == 0);
  int descriptor = dup(fileno(file));
  CORD x = CORD_from_file_lazy(file);
  CHECK(CORD_fetch(x, 0) == 'x' && ftruncate(descriptor, 1000) == 0);
  CORD_fetch(x, 150000);
}

static void
test_memory(void) {
  void (*const failing[])(void) = {out_of_memory, out_of_addresses, too_long};
  size_t count = is_reference ? 1 : sizeof failing / sizeof *failing;   /* in bdwgc's, lengths overflow */
  for (size_t i = 0; i < count; i++) {
    CORD_oom_fn = NULL;
    CHECK(is_aborting(failing[i]));
    CORD_oom_fn = return_to_library;
    CHECK(is_aborting(failing[i]));
    CORD_oom_fn = exit_as_told;
    int status = status_of(failing[i]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == OOM_STATUS);
  }
  CORD_oom_fn = NULL;
}

void
test_failures(void) {
  CHECK(is_aborting(fetch_beyond));
  CHECK(is_aborting(fetch_of_empty));
  CHECK(is_aborting(next_of_invalid));
  CHECK(is_aborting(riter_beyond));
  CHECK(is_aborting(rchr_beyond));
  CHECK(is_aborting(truncated_file));
  if (!is_reference) {   /* bdwgc's reads on beside the string */
    CHECK(is_aborting(fetch_of_invalid));
    CHECK(is_aborting(prev_of_invalid));
  }
  test_memory();
}
