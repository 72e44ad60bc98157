/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include "message.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
set(const char *name, const char *value) {
  if (setenv(name, value, 1))
    message_die(STATUS_TROUBLE, "%s: %s", name, strerror(errno));
}

/* Entries of a list with colons. */
static void
set_list(const char *name, const char *first, const char *second) {
  set(name, *first && *second ? memory_format("%s:%s", first, second) : *first ? first : second);
}

static const char *
value_of(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

void
environment_preload(const char *library_path) {
  set_list("LD_PRELOAD", library_path, value_of("LD_PRELOAD"));
}

/* exit-code: CGC_EXIT_CODE. */
static const char *
variable_of(const char *option, size_t length) {
  char *name = memory_format("CGC_%.*s", (int)length, option);
  for (char *c = name; *c; c++)
    *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
  return name;
}

void
environment_set_option(const char *name, const char *value) {
  set(variable_of(name, strlen(name)), value);
}

/* CGC_OPTIONS rather than the variable if it can hold it, as the library tells of unknown names there only. */
void
environment_add_option(const char *assignment) {
  size_t length = strcspn(assignment, "=");
  const char *variable = variable_of(assignment, length);
  if (strchr(assignment, ':') && assignment[length]) {
    set(variable, assignment + length + 1);
    return;
  }
  unsetenv(variable);
  set_list("CGC_OPTIONS", value_of("CGC_OPTIONS"), assignment);
}
