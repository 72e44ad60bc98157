/* SPDX-License-Identifier: MIT */
/*
 * The file is opened for each line: a descriptor kept open would be seen, and
 * closed, by programs that close all descriptors they did not open.
 */
#include "base/log.h"

#include "base/platform.h"

#include <errno.h>
#include <string.h>

static char log_path[256];   /* empty: standard error */

int
log_set_path(const char *path) {
  if (strlen(path) >= sizeof log_path)
    return ENAMETOOLONG;
  strcpy(log_path, path);
  return 0;
}

static struct text
log_expand_path(char *buffer, size_t bytes) {
  struct text path = text_in(buffer, bytes - 1);
  for (const char *c = log_path; *c; c++) {
    if (c[0] == '%' && c[1] == 'p') {
      text_add_u64(&path, (uint64_t)platform_process_id());
      c++;
    } else {
      text_add_chars(&path, c, 1);
    }
  }
  path.start[path.length_bytes] = 0;
  return path;
}

void
log_write(const struct text *text) {
  if (!log_path[0]) {
    platform_write(2, text->start, text->length_bytes);
    return;
  }
  char path[300];
  int fd = platform_open_append(log_expand_path(path, sizeof path).start);
  platform_write(fd < 0 ? 2 : fd, text->start, text->length_bytes);
  if (fd >= 0)
    platform_close(fd);
}
