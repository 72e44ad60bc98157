/* SPDX-License-Identifier: MIT */
/*
 * The file is opened for each line: a descriptor kept open would be seen, and
 * closed, by programs that close all descriptors they did not open.
 */
#include "base/log.h"

#include "base/platform.h"
#include "base/quiet_write.h"

#include <errno.h>

static const struct path_template *log_path;

void
log_set_path(const struct path_template *path) {
  log_path = path;
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
  if (quiet_write(2, text->start, text->length_bytes) != EBADF)
    return;
  int fd = open_error_of_main_thread();
  if (fd < 0)
    return;   /* nowhere to report it */
  quiet_write(fd, text->start, text->length_bytes);
  platform_close(fd);
}

static int
open_file(void) {
  char path[PATH_TEMPLATE_EXPANDED_BYTES];
  if (!log_path || !log_path->text[0])
    return -1;
  path_expand(log_path, path);
  return platform_open_append(path);
}

void
log_write(const struct text *text) {
  int fd = open_file();
  if (fd < 0) {
    write_to_error(text);
    return;
  }
  quiet_write(fd, text->start, text->length_bytes);
  platform_close(fd);
}
