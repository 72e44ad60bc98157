/* SPDX-License-Identifier: MIT */
#include "file_text.h"

#include "memory.h"
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL and errno, if it cannot be read. */
static const char *
read_all(FILE *file) {
  char *text = NULL;
  size_t capacity = 0;
  ssize_t length = getdelim(&text, &capacity, 0, file);   /* files with zero bytes are no texts */
  const char *copy = ferror(file) ? NULL : memory_copy(length > 0 ? text : "", length > 0 ? (size_t)length : 0);
  free(text);
  return copy;
}

const char *
file_text_read(const char *path) {
  FILE *file = fopen(path, "r");
  const char *text = file ? read_all(file) : NULL;
  if (!text)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  fclose(file);
  return text;
}

const char *
file_text_line(const char *path, unsigned line_number) {
  FILE *file = fopen(path, "r");
  char *line = NULL;
  const char *copy = NULL;
  size_t capacity = 0;
  if (!file)
    return NULL;
  while (line_number > 0 && getline(&line, &capacity, file) > 0)
    line_number--;
  if (line_number == 0 && line)
    copy = memory_copy(line, strcspn(line, "\n"));
  free(line);
  fclose(file);
  return copy;
}
