/* SPDX-License-Identifier: MIT */
/* Reads a file line by line without stdio. */
#ifndef CGC_BASE_LINES_H
#define CGC_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Begin with {.fd = ...}. */
struct line_reader {
  int    fd;
  int    err;                 /* errno code of a read that failed */
  bool   skips_line;          /* the line was longer than the buffer: its rest is left out */
  size_t start, end;
  char   buffer[4096];
};

/* The next line, ended by 0 in the buffer, or NULL at the end or on an error.  A long one is cut. */
char *line_reader_next(struct line_reader *reader);

#endif
