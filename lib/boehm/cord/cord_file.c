/* SPDX-License-Identifier: MIT */
/*
 * Files as cords: read into blocks at once, or a function that reads the file when a character is needed.
 *
 * The function keeps the lines of the file that were read last.  Threads may share a cord: it holds the FILE's own lock
 * while it reads.
 */
#include "boehm/cord/cord_balance.h"
#include "boehm/cord/cord_fail.h"
#include "boehm/cord/cord_node.h"

#include <gc/gc.h>
#include <string.h>

enum {
  BLOCK_BYTES = 16 * 1024 - 64,   /* of files that are read at once: little less than a size that allocators like */
  AT_ONCE_BYTES_MAX = 128 * 1024, /* larger ones CORD_from_file reads when needed */
  LINE_BYTES = 1024,
  LINES = 16,
};

/* Bytes number * LINE_BYTES and following of the file. */
struct line {
  size_t number;
  char chars[LINE_BYTES];
};

struct lazy_file {
  FILE *file;
  off_t length_bytes;
  struct line *lines;             /* line n is at n modulo LINES, or nowhere */
};

/* ---- at once ---- */

CORD
CORD_from_file_eager(FILE *file) {
  struct cord_piece contents = {NULL, 0};
  char block[BLOCK_BYTES];
  size_t length;
  do {
    length = fread(block, 1, sizeof block, file);
    contents = cord_join(contents, cord_of_copy(block, length));
  } while (length == sizeof block);
  fclose(file);
  return cord_admit(contents);
}

/* ---- when needed ---- */

static void
lazy_file_read(const struct lazy_file *lazy, struct line *line, size_t number) {
  off_t start = (off_t)number * LINE_BYTES;
  off_t rest = lazy->length_bytes - start;
  size_t length = rest < LINE_BYTES ? (size_t)rest : LINE_BYTES;
  if (fseeko(lazy->file, start, SEEK_SET) || fread(line->chars, 1, length, lazy->file) != length)
    cord_fail("cannot read the file of a cord");
  line->number = number;
}

static char
lazy_file_char(size_t i, void *client_data) {
  const struct lazy_file *lazy = client_data;
  size_t number = i / LINE_BYTES;
  struct line *line = &lazy->lines[number % LINES];
  flockfile(lazy->file);
  if (line->number != number)
    lazy_file_read(lazy, line, number);
  char c = line->chars[i % LINE_BYTES];
  funlockfile(lazy->file);
  GC_reachable_here(lazy);   /* or its finalizer could close the file meanwhile */
  return c;
}

static void
lazy_file_close(void *object, void *client_data) {
  (void)client_data;
  fclose(((struct lazy_file *)object)->file);
}

static struct lazy_file *
lazy_file_new(FILE *file, off_t length_bytes) {
  struct lazy_file *lazy = GC_MALLOC(sizeof *lazy);
  struct line *lines = GC_MALLOC_ATOMIC(LINES * sizeof *lines);
  if (!lazy || !lines)
    cord_fail_memory("out of memory");
  for (size_t i = 0; i < LINES; i++)
    lines[i].number = SIZE_MAX;   /* no file has it */
  *lazy = (struct lazy_file){file, length_bytes, lines};
  GC_END_STUBBORN_CHANGE(lazy);
  GC_reachable_here(lines);
  GC_REGISTER_FINALIZER(lazy, lazy_file_close, NULL, NULL, NULL);
  return lazy;
}

/* Length of a file, which is at its beginning afterwards; -1, and it is where it was, if it is not seekable. */
static off_t
file_length(FILE *file) {
  if (fseeko(file, 0, SEEK_END))
    return -1;
  off_t length_bytes = ftello(file);
  return fseeko(file, 0, SEEK_SET) ? -1 : length_bytes;
}

static CORD
lazy_file_cord(FILE *file, off_t length_bytes) {
  return CORD_from_fn(lazy_file_char, lazy_file_new(file, length_bytes), (size_t)length_bytes);
}

CORD
CORD_from_file_lazy(FILE *file) {
  off_t length_bytes = file_length(file);
  return length_bytes > 0 ? lazy_file_cord(file, length_bytes) : CORD_from_file_eager(file);
}

CORD
CORD_from_file(FILE *file) {
  off_t length_bytes = file_length(file);
  return length_bytes > AT_ONCE_BYTES_MAX ? lazy_file_cord(file, length_bytes) : CORD_from_file_eager(file);
}
