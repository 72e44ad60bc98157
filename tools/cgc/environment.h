/* SPDX-License-Identifier: MIT */
/* What the library reads of the environment that a command is run with. */
#ifndef CGC_TOOL_ENVIRONMENT_H
#define CGC_TOOL_ENVIRONMENT_H

#include "leaks.h"

/* In front of what is preloaded anyway. */
void environment_preload(const char *library_path);

/* An option's own variable, which wins over CGC_OPTIONS and may hold any character. */
void environment_set_option(const char *name, const char *value);

/* "name=value" of the user; wins over what the environment says of that option. */
void environment_add_option(const char *assignment);

#endif
