/* SPDX-License-Identifier: MIT */
/* One line of the library's record after the other. */
#ifndef CGC_TOOL_RECORD_LINE_H
#define CGC_TOOL_RECORD_LINE_H

#include "record.h"

#include <jansson.h>

struct record_reader {
  struct record *record;
  const char    *path;
  size_t         line_number;
  struct image  *image;     /* NULL before the first process line */
  json_t        *line;
  const char    *problem;   /* of the line, or NULL */
};

/* What cannot be read is told, and noted in the image. */
void record_take_line(struct record_reader *reader, const char *line, size_t length_bytes);

/* An image for a program that is not known, or of which nothing is. */
void record_add_unchecked(struct record_reader *reader, const char *exe, int64_t pid, const char *error);

#endif
