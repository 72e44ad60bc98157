/* SPDX-License-Identifier: MIT */
#include "source_root.h"

#include "table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- paths ---- */

static const char *
working_directory(void) {
  static char path[PATH_MAX];
  return *path || getcwd(path, sizeof path) ? path : "/";
}

static char *
without_last_part(char *start, char *end) {
  while (end > start && *--end != '/')
    continue;
  return end;
}

const char *
source_root_normal(const char *path) {
  const char *full = *path == '/' ? path : memory_format("%s/%s", working_directory(), path);
  char *normal = memory_take(strlen(full) + 2), *end = normal;
  while (*(full += strspn(full, "/"))) {
    size_t length = strcspn(full, "/");
    if (length == 2 && memcmp(full, "..", 2) == 0)
      end = without_last_part(normal, end);
    else if (length != 1 || *full != '.')
      end = stpncpy(stpcpy(end, "/"), full, length);
    full += length;
  }
  strcpy(end, end == normal ? "/" : "");
  return normal;
}

/* Both normal. */
static const char *
below(const char *root, const char *path) {
  size_t length = strcmp(root, "/") ? strlen(root) : 0;
  return strncmp(root, path, length) == 0 && path[length] == '/' && path[length + 1] ? path + length + 1 : NULL;
}

/* The root or the file may be named by way of symbolic links. */
static const char *
find_absolute(const char *root, const char *path) {
  const char *relative = below(source_root_normal(root), source_root_normal(path));
  char *real_root = relative ? NULL : realpath(root, NULL), *real_path = real_root ? realpath(path, NULL) : NULL;
  if (real_path && below(real_root, real_path)) {
    relative = below(real_root, real_path);
    relative = memory_copy(relative, strlen(relative));
  }
  free(real_path);
  free(real_root);
  return relative;
}

/* A relative path is of a build that hid where it was made, of this tree or of any other. */
static const char *
find_relative(const char *root, const char *path) {
  if (*path == '/')
    return find_absolute(root, path);
  const char *joined = memory_format("%s/%s", root, path);
  return access(joined, F_OK) == 0 ? find_absolute(root, joined) : NULL;
}

/* Most frames lie in few files. */
const char *
source_root_relative(const char *root, const char *path) {
  static struct table known;
  static const char none[] = "";
  const char **slot = (const char **)table_slot(&known, memory_format("%s\n%s", root, path));
  if (!*slot) {
    const char *relative = find_relative(root, path);
    *slot = relative ? relative : none;
  }
  return *slot == none ? NULL : *slot;
}

const char *
source_root_default(void) {
  char *top = memory_format("%s", working_directory());
  for (char *end = top + strlen(top); end > top; end = without_last_part(top, end)) {
    *end = 0;
    if (access(memory_format("%s/.git", top), F_OK) == 0)
      return top;
  }
  return working_directory();
}

/* ---- stacks ---- */

const struct frame *
source_root_site(const char *root, const struct stack *stack) {
  const struct frame *with_file = NULL;
  LIST_EACH(frame, &stack->frames) {
    if (!frame->file || frame_is_runtime(frame))
      continue;
    if (source_root_relative(root, frame->file))
      return frame;
    with_file = with_file ? with_file : frame;
  }
  return with_file ? with_file : stack_site(stack);
}
