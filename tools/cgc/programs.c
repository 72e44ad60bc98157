/* SPDX-License-Identifier: MIT */
#include "programs.h"

#include "source_root.h"

#include <fnmatch.h>
#include <string.h>

/* The directory that the beginning of a pattern leads to, and the rest of the pattern. */
static const char *
skip_dots(const char *pattern, const char **directory) {
  for (;;) {
    if (strncmp(pattern, "./", 2) == 0) {
      pattern += 2;
    } else if (strncmp(pattern, "../", 3) == 0) {
      pattern += 3;
      *directory = source_root_normal(memory_format("%s/..", *directory));
    } else if (*pattern == '/') {
      pattern++;
    } else {
      return pattern;
    }
  }
}

/* NULL if the path is not below the directory. */
static const char *
below(const char *directory, const char *path) {
  size_t length = strcmp(directory, "/") ? strlen(directory) : 0;
  return strncmp(path, directory, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

bool
programs_match(const char *pattern, const char *directory, const char *path) {
  if (!strchr(pattern, '/'))
    return fnmatch(pattern, path_base_name(path), 0) == 0;
  if (*pattern == '/')
    return fnmatch(pattern, path, 0) == 0;
  pattern = skip_dots(pattern, &directory);
  const char *rest = below(directory, path);
  return rest && fnmatch(pattern, rest, 0) == 0;
}

static bool
is_any_matched(const struct strings *patterns, const char *directory, const char *path) {
  LIST_EACH(pattern, patterns)
    if (programs_match(*pattern, directory, path))
      return true;
  return false;
}

/* The kernel's names are absolute; that of a program after exec is as it was given. */
static const char *
path_of(const struct process *process) {
  return *process->exe == '/' ? process->exe
                              : source_root_normal(memory_format("%s/%s", process->cwd, process->exe));
}

/* What cannot be read might be of any program. */
static bool
is_selected(const struct programs *programs, const char *directory, const struct process *process) {
  if (!*process->exe)
    return true;
  const char *path = path_of(process);
  return (programs->only.count == 0 || is_any_matched(&programs->only, directory, path)) &&
         !is_any_matched(&programs->skipped, directory, path);
}

size_t
programs_select(const struct programs *programs, struct record *record) {
  size_t all = record->images.count, kept = 0;
  if (programs->only.count == 0 && programs->skipped.count == 0)
    return 0;
  const char *directory = source_root_normal(".");
  LIST_EACH(image, &record->images)
    if (is_selected(programs, directory, (*image)->process))
      record->images.items[kept++] = *image;
  record->images.count = kept;
  return all - kept;
}
