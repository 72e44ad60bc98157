/* SPDX-License-Identifier: MIT */
#include "report_directory.h"

#include "memory.h"
#include "message.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void
fail(const char *path) {
  message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
}

/* The library opens files there after the program has changed its directory. */
static const char *
absolute(const char *path) {
  char *resolved = realpath(path, NULL);
  if (!resolved)
    fail(path);
  const char *copy = memory_copy(resolved, strlen(resolved));
  free(resolved);
  if (strstr(copy, "%p"))
    message_die(STATUS_TROUBLE, "%s: a directory for reports cannot have %%p in its name", copy);
  return copy;
}

const char *
report_directory_make(const char *given) {
  const char *parent = getenv("TMPDIR");
  if (given) {
    if (mkdir(given, 0777) && errno != EEXIST)
      fail(given);
    return absolute(given);
  }
  char *path = memory_format("%s/cgc-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(path))
    fail(path);
  return absolute(path);
}

void
report_directory_remove(const char *path) {
  DIR *directory = opendir(path);
  if (!directory)
    fail(path);
  for (struct dirent *entry; (entry = readdir(directory));)
    unlinkat(dirfd(directory), entry->d_name, 0);   /* fails for . and .. */
  closedir(directory);
  rmdir(path);
}
