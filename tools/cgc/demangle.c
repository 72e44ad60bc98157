/* SPDX-License-Identifier: MIT */
#include "demangle.h"

#include "memory.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

static char *
demangle_to_heap(const char *raw_name) {
  if (strncmp(raw_name, "_Z", 2) && strncmp(raw_name, "_R", 2))
    return NULL;
  return cplus_demangle(raw_name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
}

const char *
demangle(const char *raw_name) {
  char *name = demangle_to_heap(raw_name);
  if (!name)
    return raw_name;
  const char *copy = memory_copy(name, strlen(name));
  free(name);
  return copy;
}
