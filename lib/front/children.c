/* SPDX-License-Identifier: MIT */
#include "front/children.h"

#include "base/options.h"

#include <string.h>
#include <unistd.h>

static const char variable[] = "LD_PRELOAD=", library[] = "libcgc.so";

/* Whatever directory it is in, and whatever version follows. */
static bool
is_library(const char *path, size_t length) {
  size_t name = length;
  while (name > 0 && path[name - 1] != '/')
    name--;
  return length - name >= sizeof library - 1 && memcmp(path + name, library, sizeof library - 1) == 0;
}

/* Paths are divided by colons or spaces.  Those of other libraries move up, each with the divider before it. */
static void
remove_library(char *paths) {
  char *to = paths, *from = paths;
  while (*from) {
    size_t divider = strspn(from, ": "), length = strcspn(from + divider, ": ");
    if (!is_library(from + divider, length)) {
      memmove(to, from, divider + length);
      to += divider + length;
    }
    from += divider + length;
  }
  *to = 0;
}

void
children_forget_library(void) {
  if (option(OPTION_CHILDREN))
    return;
  char **to = environ;
  for (char **entry = environ; entry && *entry; entry++) {
    bool is_preload = strncmp(*entry, variable, sizeof variable - 1) == 0;
    if (is_preload)
      remove_library(*entry + sizeof variable - 1);
    if (!is_preload || (*entry)[sizeof variable - 1])
      *to++ = *entry;
  }
  if (to)
    *to = NULL;
}
