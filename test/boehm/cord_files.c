/* SPDX-License-Identifier: MIT */
/*
 * Files as cords, with files that tell how they are used: of a stream that fopencookie makes it is known how often it
 * was read and whether it was closed.
 */
#include "cord_test.h"

#include <errno.h>
#include <gc/gc.h>
#include <string.h>
#include <unistd.h>

/* A file that computes its bytes.  It stays for good: a finalizer may close it at any time. */
struct made_file {
  FILE *file;
  off64_t length_bytes;
  off64_t at;
  size_t read_bytes;
  int closed_count;
};

static char
made_char(size_t i) {
  uint64_t mixed = (i + 1) * 0x9e3779b97f4a7c15;
  return (char)(mixed >> 61 ? 'a' + (mixed >> 32) % 26 : 0);
}

static ssize_t
made_read(void *cookie, char *buffer, size_t size) {
  struct made_file *made = cookie;
  size_t count = 0;
  for (; count < size && made->at < made->length_bytes; count++)
    buffer[count] = made_char((size_t)made->at++);
  made->read_bytes += count;
  return (ssize_t)count;
}

static int
made_seek(void *cookie, off64_t *offset, int whence) {
  struct made_file *made = cookie;
  off64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? made->at : made->length_bytes;
  made->at = *offset = base + *offset;
  return 0;
}

static int
made_close(void *cookie) {
  ((struct made_file *)cookie)->closed_count++;
  return 0;
}

static struct made_file *
made_open(off64_t length_bytes, bool is_seekable) {
  struct made_file *made = malloc(sizeof *made);
  CHECK(made);
  *made = (struct made_file){.length_bytes = length_bytes};
  cookie_io_functions_t functions = {.read = made_read, .seek = is_seekable ? made_seek : NULL, .close = made_close};
  made->file = fopencookie(made, "r", functions);
  CHECK(made->file);
  return made;
}

static void
check_contents(CORD x, size_t from, size_t length) {
  CHECK(CORD_len(x) == length);
  CORD_pos p;
  size_t i = 0;
  CORD_FOR(p, x) {
    CHECK(CORD_pos_fetch(p) == made_char(from + i));
    i++;
  }
  for (int times = 0; length && times < 100; times++) {
    size_t index = random_below(length);
    CHECK(CORD_fetch(x, index) == made_char(from + index));
  }
}

/* Around the sizes at which something changes. */
static void
test_sizes(void) {
  static const off64_t sizes[] = {
    0, 1, 31, 32, 127, 128, 129, 511, 512, 1023, 1024, 1025, 16319, 16320, 16321, 16384, 131071, 131072, 131073, 400000,
  };
  static CORD (*const ways[])(FILE *) = {CORD_from_file, CORD_from_file_eager, CORD_from_file_lazy};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
      struct made_file *made = made_open(sizes[i], true);
      check_contents(ways[way](made->file), 0, (size_t)sizes[i]);
      CHECK(made->closed_count <= 1);
    }
}

/* The eager way reads from where the file is, and the others all of it. */
static void
test_positions(void) {
  struct made_file *made = made_open(5000, true);
  CHECK(fseek(made->file, 1000, SEEK_SET) == 0);
  check_contents(CORD_from_file_eager(made->file), 1000, 4000);
  CHECK(made->closed_count == 1);

  made = made_open(5000, true);
  CHECK(fseek(made->file, 1000, SEEK_SET) == 0);
  check_contents(CORD_from_file(made->file), 0, 5000);
  CHECK(made->closed_count == 1);   /* of moderate size: at once */

  made = made_open(5000, true);
  CHECK(fseek(made->file, 1000, SEEK_SET) == 0);
  check_contents(CORD_from_file_lazy(made->file), 0, 5000);
}

static void
check_at_once(CORD (*way)(FILE *)) {
  struct made_file *made = made_open(200000, false);
  check_contents(way(made->file), 0, 200000);
  CHECK(made->closed_count == 1);
}

static void
test_not_seekable(void) {
  check_at_once(CORD_from_file_eager);
  if (is_reference)
    return;   /* bdwgc's ends the process */
  check_at_once(CORD_from_file);
  check_at_once(CORD_from_file_lazy);
}

/* Of a large file only what is needed is read, and it stays open until the cord is gone. */
static void
test_lazy(void) {
  struct made_file *made = made_open(100000000, true);
  CORD x = CORD_from_file(made->file);
  CHECK(CORD_len(x) == 100000000);
  CHECK(CORD_fetch(x, 99999999) == made_char(99999999));
  CHECK(CORD_cmp(CORD_substr(x, 50000000, 20), CORD_substr(x, 50000000, 20)) == 0);
  CHECK(made->read_bytes < 100000 && made->closed_count == 0);
}

enum { DROPPED_FILES = 100 };
static struct made_file *dropped[DROPPED_FILES];

static __attribute__((noinline)) void
drop_files(void) {
  for (int i = 0; i < DROPPED_FILES; i++) {
    dropped[i] = made_open(1000, true);
    CHECK(CORD_fetch(CORD_from_file_lazy(dropped[i]->file), 999) == made_char(999));
  }
}

/* Cords that are not reachable any more close their files, each once.  A stale word may keep a few. */
static void
test_closed(void) {
  drop_files();
  GC_gcollect();
  GC_gcollect();
  GC_invoke_finalizers();
  int closed_count = 0;
  for (int i = 0; i < DROPPED_FILES; i++) {
    CHECK(dropped[i]->closed_count <= 1);
    closed_count += dropped[i]->closed_count;
  }
  CHECK(closed_count >= DROPPED_FILES * 8 / 10);
}

static ssize_t
full_write(void *cookie, const char *buffer, size_t size) {
  (void)cookie, (void)buffer, (void)size;
  errno = ENOSPC;
  return 0;
}

static void
test_put_failure(void) {
  FILE *file = fopencookie(NULL, "w", (cookie_io_functions_t){.write = full_write});
  CHECK(file && setvbuf(file, NULL, _IONBF, 0) == 0);
  CHECK(CORD_put(CORD_EMPTY, file) == 1);
  CHECK(CORD_put("text", file) == EOF);
  CHECK(CORD_put(CORD_chars('x', 10000), file) == EOF);
  CHECK(CORD_put(CORD_cat(CORD_chars('x', 10000), "text"), file) == EOF);
  fclose(file);
}

void
test_files(void) {
  test_sizes();
  test_positions();
  test_not_seekable();
  test_lazy();
  test_closed();
  test_put_failure();
}
