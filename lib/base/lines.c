/* SPDX-License-Identifier: MIT */
#include "base/lines.h"

#include "base/platform.h"

#include <string.h>

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
