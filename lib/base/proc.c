/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include "base/arch_x86_64.h"
#include "base/compiler.h"
#include "base/platform.h"

#include <string.h>

/* ---- lines ---- */

int
line_reader_open(struct line_reader *reader, const char *path) {
  int fd = platform_open_read(path);
  if (fd < 0)
    return -fd;
  reader->fd = fd;
  reader->err = 0;
  reader->skips_line = false;
  reader->start = reader->end = 0;
  return 0;
}

void
line_reader_close(struct line_reader *reader) {
  platform_close(reader->fd);
}

static bool
read_more(struct line_reader *reader) {
  memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
  reader->end -= reader->start;
  reader->start = 0;
  ssize_t bytes = platform_read(reader->fd, reader->buffer + reader->end, sizeof reader->buffer - reader->end);
  if (bytes < 0)
    reader->err = (int)-bytes;
  reader->end += bytes > 0 ? (size_t)bytes : 0;
  return bytes > 0;
}

char *
line_reader_next(struct line_reader *reader) {
  for (;;) {
    char *line = reader->buffer + reader->start;
    char *newline = memchr(line, '\n', reader->end - reader->start);
    bool is_full = reader->start == 0 && reader->end == sizeof reader->buffer;
    if (newline || is_full) {
      char *last = newline ? newline : &reader->buffer[sizeof reader->buffer - 1];
      bool is_rest = reader->skips_line;
      *last = 0;
      reader->start = (size_t)(last + 1 - reader->buffer);
      reader->skips_line = !newline;
      if (!is_rest)
        return line;
    } else if (!read_more(reader)) {
      return NULL;
    }
  }
}

uint64_t
proc_parse_number(const char *text, unsigned base) {
  uint64_t value = 0;
  for (;; text++) {
    unsigned digit = *text >= 'a' ? (unsigned)(*text - 'a' + 10) : (unsigned)(*text - '0');
    if (digit >= base)
      return value;
    value = value * base + digit;
  }
}

/* "size resident shared ...", in pages. */
uint64_t
proc_resident_bytes(void) {
  struct line_reader reader;
  if (line_reader_open(&reader, "/proc/thread-self/statm"))
    return 0;
  const char *line = line_reader_next(&reader), *resident = line ? strchr(line, ' ') : NULL;
  line_reader_close(&reader);
  return resident ? proc_parse_number(resident + 1, 10) * ARCH_PAGE_BYTES : 0;
}

const char *
proc_parse_hex(const char *text, uintptr_t *value) {
  *value = 0;
  for (;; text++) {
    if (*text >= '0' && *text <= '9')
      *value = *value * 16 + (uintptr_t)(*text - '0');
    else if (*text >= 'a' && *text <= 'f')
      *value = *value * 16 + (uintptr_t)(*text - 'a' + 10);
    else
      return text;
  }
}

bool
proc_parse_mapping(const char *line, struct mapping *mapping) {
  struct mapping parsed;
  const char *at = proc_parse_hex(line, &parsed.start_addr);
  if (at == line || *at != '-')
    return false;
  at = proc_parse_hex(at + 1, &parsed.end_addr);
  parsed.is_private = at[4] == 'p' && !(parsed.end_addr >> ARCH_ADDRESS_BITS);
  parsed.is_readable = at[1] == 'r';
  parsed.is_writable = at[2] == 'w';
  *mapping = parsed;
  return true;
}

/* ---- directories ---- */

/* The kernel's struct linux_dirent64. */
struct directory_entry {
  uint64_t inode;
  int64_t  offset;
  uint16_t bytes;
  uint8_t  type;
  char     name[];
};

/* -1: not a number. */
static int
parse_number(const char *digits) {
  int number = 0;
  if (!*digits)
    return -1;
  for (; *digits >= '0' && *digits <= '9'; digits++)
    number = number * 10 + (*digits - '0');
  return *digits ? -1 : number;
}

static bool
visit_entries(const char *buffer, ssize_t bytes, bool (*visit)(int number, void *arg), void *arg) {
  for (ssize_t at = 0; at < bytes;) {
    const struct directory_entry *entry = (const void *)(buffer + at);
    int number = parse_number(entry->name);
    if (number >= 0 && !visit(number, arg))
      return false;
    at += entry->bytes;
  }
  return true;
}

int
proc_visit_numbers(const char *path, bool (*visit)(int number, void *arg), void *arg) {
  char buffer[4096] CGC_ALIGNED(8);
  int fd = platform_open_read(path);
  if (fd < 0)
    return -fd;
  ssize_t bytes;
  while ((bytes = platform_list_directory(fd, buffer, sizeof buffer)) > 0)
    if (!visit_entries(buffer, bytes, visit, arg))
      break;
  platform_close(fd);
  return bytes < 0 ? (int)-bytes : 0;
}

/* Of this thread, for the first one of the process may have ended. */
int
proc_visit_mappings(int (*visit)(const struct mapping *mapping, const char *line, void *arg), void *arg) {
  struct line_reader reader;
  struct mapping mapping;
  int err = line_reader_open(&reader, "/proc/thread-self/maps");
  if (err)
    return err;
  for (char *line; !err && (line = line_reader_next(&reader));)
    if (proc_parse_mapping(line, &mapping))
      err = visit(&mapping, line, arg);
  line_reader_close(&reader);
  return err ? err : reader.err;
}
