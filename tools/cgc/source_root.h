/* SPDX-License-Identifier: MIT */
/* Source files by their paths in the source tree, which are the same on every machine. */
#ifndef CGC_TOOL_SOURCE_ROOT_H
#define CGC_TOOL_SOURCE_ROOT_H

#include "leaks.h"

/* The top of the git tree that the working directory is in, or that directory itself. */
const char *source_root_default(void);

/* The path of a file below a directory, without "./"; NULL if it is elsewhere, or nobody knows where. */
const char *source_root_relative(const char *root, const char *path);

/* An absolute path without . and .. and double slashes, whether there is such a file or not. */
const char *source_root_normal(const char *path);

/* The frame that a reader should look at first: outside the runtime, and if any is, in the tree; or NULL. */
const struct frame *source_root_site(const char *root, const struct stack *stack);

#endif
