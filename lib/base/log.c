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

/* The main thread's standard error.  Where a descriptor cannot be copied (before Linux 5.6) it is opened by its name in
 * /proc, unless it is a socket's.  If there is none, none of ours may take its number. */
static int
open_error_of_main_thread(void) {
  char path_buffer[64], target[1];
  struct text path = text_in(path_buffer, sizeof path_buffer - 1);
  text_add(&path, "/proc/self/task/");
  text_add_u64(&path, (uint64_t)platform_process_id());
  text_add(&path, "/fd/2");
  path_buffer[path.length_bytes] = 0;
  if (platform_read_link(path_buffer, target, sizeof target) < 0)
    return -1;
  int fd = platform_copy_descriptor_of_main_thread(2);
  return fd >= 0 ? fd : platform_open_append(path_buffer);
}

/* Threads of ours do not have the program's descriptors. */
static void
write_to_error(const struct text *text) {
  if (platform_write(2, text->start, text->length_bytes))
    return;
  int fd = open_error_of_main_thread();
  if (fd < 0)
    return;   /* nowhere to report it */
  platform_write(fd, text->start, text->length_bytes);
  platform_close(fd);
}

void
log_write(const struct text *text) {
  char path[300];
  int fd = log_path[0] ? platform_open_append(log_expand_path(path, sizeof path).start) : -1;
  if (fd < 0) {
    write_to_error(text);
    return;
  }
  platform_write(fd, text->start, text->length_bytes);
  platform_close(fd);
}
