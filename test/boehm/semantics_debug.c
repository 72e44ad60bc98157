/* SPDX-License-Identifier: MIT */
/* What is told of leaks and of blocks that were written out of, and the functions that allocate such blocks. */
#include "semantics_common.h"

#include <gc/gc_mark.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void **kept;   /* a block of pointers, kept by this variable */

static void
start(void) {
  GC_INIT();
  kept = GC_malloc_uncollectable(1000 * sizeof *kept);
}

/* ---- what is printed ---- */

static int captured_fd = -1, real_fd;
static char text[1 << 18];

/* Of standard output or error, until end_capture. */
static void
begin_capture(int fd) {
  fflush(stdout);
  captured_fd = memfd_create("captured", 0);
  real_fd = dup(fd);
  EXPECT(captured_fd >= 0 && real_fd >= 0 && dup2(captured_fd, fd) == fd);
}

static const char *
end_capture(int fd) {
  EXPECT(dup2(real_fd, fd) == fd);
  ssize_t bytes = pread(captured_fd, text, sizeof text - 1, 0);
  EXPECT(bytes >= 0 && bytes < (ssize_t)sizeof text - 1);
  text[bytes] = 0;
  close(captured_fd);
  close(real_fd);
  return text;
}

static unsigned
count_of(const char *what) {
  unsigned count = 0;
  for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
    count++;
  return count;
}

/* ---- leaks ---- */

enum { LEAKED = 30, FREED = 25, REACHABLE = 20 };

static void
leak_plain(void) {
  for (unsigned i = 0; i < LEAKED; i++)
    GC_reachable_here(GC_malloc(20 + i));
  for (unsigned i = 0; i < FREED; i++)
    GC_free(GC_malloc(20 + i));
  for (unsigned i = 0; i < REACHABLE; i++)
    kept[i] = GC_malloc(20 + i);
}

static void
leak_with_places(void) {
  for (unsigned i = 0; i < LEAKED; i++)
    GC_reachable_here(GC_debug_malloc(20 + i, "here.c", 1234));
  for (unsigned i = 0; i < FREED; i++)
    GC_debug_free(GC_debug_malloc(20 + i, "freed.c", 1));
  for (unsigned i = 0; i < REACHABLE; i++)
    kept[i] = GC_debug_malloc(20 + i, "reachable.c", 1);
}

/* bdwgc tells in the next allocation. */
static void
collect_and_tell(void) {
  collect_once();
  GC_free(GC_malloc(100000));
}

static unsigned leaks_at_least;   /* bdwgc's frames may hold one */

static void
find_leaks(void (*leak)(void)) {
  leaks_at_least = getenv("BOEHM_SLACK") ? LEAKED - 1 : LEAKED;
  GC_set_find_leak(1);
  start();
  EXPECT_EQUAL(GC_get_find_leak(), 1);
  deep(leak);
  begin_capture(STDERR_FILENO);
  collect_and_tell();
  end_capture(STDERR_FILENO);
}

static void
leaks_counted(void) {
  find_leaks(leak_plain);
  EXPECT(count_of("object at") >= leaks_at_least && count_of("object at") <= LEAKED);
}

/* Each is told once, for it is freed then. */
static void
leaks_told_once(void) {
  find_leaks(leak_plain);
  unsigned told = count_of("object at");
  begin_capture(STDERR_FILENO);
  collect_and_tell();
  collect_and_tell();
  end_capture(STDERR_FILENO);
  EXPECT(told + count_of("object at") <= LEAKED);
}

static void
leaks_with_places(void) {
  find_leaks(leak_with_places);
  EXPECT(count_of("here.c:1234") >= leaks_at_least && count_of("here.c:1234") <= LEAKED);
  EXPECT(!count_of("freed.c") && !count_of("reachable.c"));
}

/* bdwgc tells of 40 in each collection. */
static void
leak_many(void) {
  for (unsigned i = 0; i < 500; i++)
    GC_reachable_here(GC_malloc(20 + i));
}

static void
leaks_told_all(void) {
  find_leaks(leak_many);
  EXPECT_EQUAL(count_of("object at"), 500);
}

/* All of a structure has leaked, not its head alone. */
static void
leak_list(void) {
  void **last = NULL;
  for (unsigned i = 0; i < LEAKED; i++) {
    void **block = GC_malloc(32);
    *block = last;
    last = block;
    GC_reachable_here(block);
  }
}

static void
leaked_lists_are_told_whole(void) {
  find_leaks(leak_list);
  EXPECT(count_of("object at") >= (leaks_at_least == LEAKED ? LEAKED : 1) && count_of("object at") <= LEAKED);
}

static void
describe(void *block, char *description) {
  (void)block;
  strcpy(description, "widget");
}

static int widget_kind;

static void
leak_widgets(void) {
  for (unsigned i = 0; i < LEAKED; i++)
    GC_reachable_here(GC_debug_generic_or_special_malloc(50, widget_kind, "widget.c", 7));
}

static void
leaks_described(void) {
  GC_set_find_leak(1);
  start();
  widget_kind = (int)GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  GC_register_describe_type_fn(widget_kind, describe);
  deep(leak_widgets);
  begin_capture(STDERR_FILENO);
  collect_and_tell();
  end_capture(STDERR_FILENO);
  EXPECT(count_of("widget object") + count_of("widget)") >= LEAKED - 1);
}

/* Nothing is finalized, and no link is cleared. */
static unsigned finalized;

static void
note_finalized(void *block, void *data) {
  (void)block, (void)data;
  finalized++;
}

static void
leak_finalizable(void) {
  GC_register_finalizer(GC_malloc(20), note_finalized, NULL, NULL, NULL);
}

static void
leaks_are_not_finalized(void) {
  find_leaks(leak_finalizable);
  EXPECT_EQUAL(finalized, 0);
  EXPECT_EQUAL(GC_general_register_disappearing_link(&kept[0], kept), GC_UNIMPLEMENTED);
}

/* In a child, before the library has started here; its exit status. */
static int
run_child(void (*function)(void)) {
  int status;
  begin_capture(STDERR_FILENO);
  pid_t pid = fork();
  if (!pid) {
    function();
    exit(0);
  }
  EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
  end_capture(STDERR_FILENO);
  return status;
}

static void
leak_and_exit(void) {
  GC_set_find_leak(1);
  start();
  deep(leak_with_places);
}

static void
leaks_told_at_exit(void) {
  EXPECT_EQUAL(run_child(leak_and_exit), 0);
  EXPECT(count_of("here.c:1234") >= LEAKED - 1 && count_of("here.c:1234") <= LEAKED);
}

static void
leaks_found_by_environment(void) {
  setenv("GC_FIND_LEAK", "1", 1);
  setenv("GC_ABORT_ON_LEAK", "1", 1);
  start();
  EXPECT_EQUAL(GC_get_find_leak(), 1);
}

static void
leak_and_collect(void) {
  leaks_found_by_environment();
  deep(leak_plain);
  collect_and_tell();
  collect_and_tell();
}

static void
leaks_abort(void) {
  int status = run_child(leak_and_collect);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  EXPECT(count_of("object at") > 0);
}

/* ---- written out of ---- */

static void
smash_and_free(ptrdiff_t offset, size_t bytes) {
  char *body = GC_debug_malloc(bytes, "smashed.c", 77);
  memset(body, 1, bytes);
  __asm__ volatile("" : "+r"(body));   /* the compiler knows how long it is */
  body[offset]++;
  begin_capture(STDERR_FILENO);
  GC_debug_free(body);
  end_capture(STDERR_FILENO);
}

static void
smashed_found_when_freed(void) {
  start();
  for (size_t bytes = 8; bytes <= 800; bytes += 8) {
    smash_and_free((ptrdiff_t)bytes, bytes);
    EXPECT(count_of("smashed") && count_of("smashed.c:77"));
    smash_and_free(-1, bytes);
    EXPECT(count_of("smashed") > 0 || count_of("GC_debug_free") > 0);
    smash_and_free((ptrdiff_t)bytes - 1, bytes);
    EXPECT(!text[0]);
    smash_and_free(0, bytes);
    EXPECT(!text[0]);
  }
}

static void
smash_kept(void) {
  for (unsigned i = 0; i < 10; i++)
    kept[i] = GC_debug_malloc(64, i == 4 ? "bad.c" : "good.c", 10);
  char *volatile bad = kept[4];
  bad[64] ^= 1;
}

static void
smashed_found_by_collections(void) {
  start();
  deep(smash_kept);
  begin_capture(STDERR_FILENO);
  collect_once();
  end_capture(STDERR_FILENO);
  EXPECT(count_of("smashed") && count_of("bad.c:10") == 1 && !count_of("good.c"));
}

static void
freed_twice(void) {
  start();
  kept[0] = GC_debug_malloc(40, "a.c", 1);
  void *body = GC_debug_malloc(40, "b.c", 2);
  kept[1] = GC_debug_malloc(40, "c.c", 3);
  begin_capture(STDERR_FILENO);
  GC_debug_free(body);
  end_capture(STDERR_FILENO);
  EXPECT(!text[0]);
  begin_capture(STDERR_FILENO);
  GC_debug_free(body);
  end_capture(STDERR_FILENO);
  EXPECT(count_of("GC_debug_free") > 0);
  EXPECT(is_filled(kept[0], 0, 40) && is_filled(kept[1], 0, 40));
}

/* ---- the functions ---- */

static void
debug_blocks(void) {
  start();
  size_t header = GC_get_debug_header_size();
  EXPECT(header > 0 && header % sizeof(void *) == 0);
  for (size_t bytes = 1; bytes < 20000; bytes += bytes < 300 ? 1 : 997) {
    char *body = GC_debug_malloc(bytes, "here.c", 1);
    EXPECT(is_filled(body, 0, bytes));
    memset(body, 0x5a, bytes);
    EXPECT((char *)GC_base(body) + header == body && GC_USR_PTR_FROM_BASE(GC_base(body)) == body);
    kept[0] = body;
    kept[1] = GC_debug_malloc_atomic(bytes, "here.c", 2);
    memset(kept[1], 0x5a, bytes);
    EXPECT_EQUAL(GC_get_kind_and_size(GC_base(kept[1]), NULL), 0);
    if (bytes % 100 == 0)
      collect();
    EXPECT(is_filled(body, 0x5a, bytes));
    GC_debug_free(body);
  }
}

static void
debug_realloc(void) {
  start();
  begin_capture(STDERR_FILENO);
  for (int kind = 0; kind < 2; kind++) {
    char *body = kind ? GC_debug_malloc(3, "here.c", 1) : GC_debug_malloc_atomic(3, "here.c", 1);
    strcpy(body, "ab");
    for (size_t bytes = 10; bytes < 100000; bytes = bytes * 3 + 1) {
      body = GC_debug_realloc(body, bytes, "there.c", 2);
      EXPECT(!strcmp(body, "ab"));
      EXPECT_EQUAL(GC_get_kind_and_size(GC_base(body), NULL), kind);
      memset(body + 3, 0, bytes - 3);
    }
    body = GC_debug_realloc(body, 3, "there.c", 3);
    EXPECT(!strcmp(body, "ab"));
    EXPECT(!GC_debug_realloc(body, 0, "there.c", 4));
  }
  char *body = GC_debug_realloc(NULL, 10, "there.c", 5);
  EXPECT(is_filled(body, 0, 10));
  GC_debug_free(body);
  GC_debug_free(NULL);
  end_capture(STDERR_FILENO);
  EXPECT(!text[0]);
}

static void
debug_strings(void) {
  start();
  EXPECT(!strcmp(GC_debug_strdup("text", "here.c", 1), "text"));
  EXPECT(!strcmp(GC_debug_strndup("text", 2, "here.c", 1), "te"));
}

static char *uncollectable_body;

static void
take_uncollectable(void) {
  void **body = GC_debug_malloc_uncollectable(100, "here.c", 1);
  body[3] = GC_debug_malloc(10, "here.c", 2);
  watch(0, GC_base(body[3]));
  uncollectable_body = (char *)GC_HIDE_POINTER(body);
}

static void
debug_uncollectable(void) {
  start();
  deep(take_uncollectable);
  collect();
  EXPECT(!is_gone(0));
  GC_debug_free(GC_REVEAL_POINTER(uncollectable_body));
  collect();
  EXPECT(is_gone(0));
}

static unsigned called;
static int datum;

static void
call_with_body(void *body, void *data) {
  EXPECT(!strcmp(body, "content") && data == &datum);
  called++;
}

static void
make_finalizable(void) {
  char *body = GC_debug_malloc(20, "here.c", 1);
  strcpy(body, "content");
  GC_finalization_proc old_function = note_finalized;
  void *old_data = body;
  GC_debug_register_finalizer(body, note_finalized, body, &old_function, &old_data);
  EXPECT(!old_function && !old_data);
  GC_debug_register_finalizer_no_order(body, call_with_body, &datum, &old_function, &old_data);
  EXPECT(old_function == note_finalized && old_data == body);
}

static void
debug_finalizers(void) {
  start();
  GC_set_java_finalization(1);
  deep(make_finalizable);
  collect();
  EXPECT_EQUAL(called, 1);
  EXPECT_EQUAL(finalized, 0);
}

/* ---- the state, for people ---- */

static void
dumped(void) {
  start();
  for (unsigned i = 0; i < 50; i++)
    kept[i] = GC_malloc(i * 100);
  GC_register_finalizer(kept[3], note_finalized, NULL, NULL, NULL);
  begin_capture(STDOUT_FILENO);
  GC_dump();
  end_capture(STDOUT_FILENO);
  EXPECT(strlen(text) > 100);
  begin_capture(STDOUT_FILENO);
  GC_dump_named("a name of it");
  end_capture(STDOUT_FILENO);
  EXPECT(count_of("a name of it") == 1);
}

static const struct test_case cases[] = {
  CASE(leaks_counted, ANYONES | COUNTS),
  CASE(leaks_told_once, ANYONES | COUNTS),
  CASE(leaks_with_places, ANYONES | COUNTS),
  CASE(leaks_told_all, OURS | COUNTS),
  CASE(leaked_lists_are_told_whole, ANYONES | COUNTS),
  CASE(leaks_described, ANYONES | COUNTS),
  CASE(leaks_are_not_finalized, ANYONES),
  CASE(leaks_told_at_exit, ANYONES),
  CASE(leaks_abort, ANYONES),
  CASE(smashed_found_when_freed, ANYONES),
  CASE(smashed_found_by_collections, ANYONES | COUNTS),
  CASE(freed_twice, ANYONES | COUNTS),
  CASE(debug_blocks, ANYONES),
  CASE(debug_realloc, ANYONES),
  CASE(debug_strings, ANYONES),
  CASE(debug_uncollectable, ANYONES),
  CASE(debug_finalizers, ANYONES),
  CASE(dumped, ANYONES),
};

int
main(int argc, char **argv) {
  return RUN_CASES(cases, argc, argv);
}
