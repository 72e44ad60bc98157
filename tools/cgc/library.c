/* SPDX-License-Identifier: MIT */
#include "library.h"

#include "memory.h"
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* NULL and errno if there is no such file.  Symbolic links are kept: the library knows itself by its name. */
static const char *
absolute(const char *path) {
  char directory[PATH_MAX];
  if (access(path, R_OK))
    return NULL;
  if (*path == '/')
    return memory_copy(path, strlen(path));
  return getcwd(directory, sizeof directory) ? memory_format("%s/%s", directory, path) : NULL;
}

static const char *
directory_of_program(void) {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  while (length > 0 && path[length - 1] != '/')
    length--;
  return memory_copy(path, length > 0 ? (size_t)length : 0);
}

static const char *
find_beside_program(void) {
  static const char *const places[] = {"", ".libs/", "../lib/"};
  const char *directory = directory_of_program(), *found = NULL;
  for (size_t i = 0; !found && *directory && i < sizeof places / sizeof *places; i++)
    found = absolute(memory_format("%s%slibcgc.so", directory, places[i]));
  return found;
}

static const char *
take_named(const char *path) {
  const char *found = absolute(path);
  if (!found)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  return found;
}

static const char *
find(const char *given) {
  const char *variable = getenv("CGC_LIBRARY");
  if (given)
    return take_named(given);
  if (variable && *variable)
    return take_named(variable);
  const char *found = find_beside_program();
  return found ? found : absolute(CGC_LIBDIR "/libcgc.so");
}

const char *
library_find(const char *given) {
  const char *found = find(given);
  if (!found)
    message_die(STATUS_TROUBLE, "libcgc.so is neither beside this program nor in %s; name it with --library",
                CGC_LIBDIR);
  if (strpbrk(found, ": \t\n"))
    message_die(STATUS_TROUBLE, "%s: LD_PRELOAD cannot name a path with colons or spaces", found);
  return found;
}
