/* SPDX-License-Identifier: MIT */
/* Paths in which "%p" stands for the process id. */
#ifndef CGC_BASE_PATH_TEMPLATE_H
#define CGC_BASE_PATH_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

enum { PATH_TEMPLATE_BYTES = 1024, PATH_TEMPLATE_EXPANDED_BYTES = PATH_TEMPLATE_BYTES + 64 };

struct path_template {
  char text[PATH_TEMPLATE_BYTES];   /* empty: none */
};

/* Copies it.  False if it is too long: then nothing changes. */
bool path_set(struct path_template *path, const char *text, size_t length_bytes);

/* The path for this process, into PATH_TEMPLATE_EXPANDED_BYTES, ended by 0. */
void path_expand(const struct path_template *path, char *expanded);

#endif
