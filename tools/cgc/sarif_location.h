/* SPDX-License-Identifier: MIT */
/* Places and stacks in SARIF. */
#ifndef CGC_TOOL_SARIF_LOCATION_H
#define CGC_TOOL_SARIF_LOCATION_H

#include "leaks.h"

#include <jansson.h>

/* What relative paths are relative to, in SARIF's words. */
#define SARIF_ROOT_ID "%SRCROOT%"

/* file: and the path, with a slash at its end. */
const char *sarif_directory_uri(const char *path);

json_t *sarif_artifact(const char *root, const char *path);

/* Never without an artifact: of a frame without a source file that is its module, without any it is the root. */
json_t *sarif_location(const char *root, const struct frame *frame);

json_t *sarif_stacks(const char *root, const struct stack *stack);

/* NULL if no frame has a source file. */
json_t *sarif_code_flows(const char *root, const struct stack *stack);

#endif
