/* SPDX-License-Identifier: MIT */
/* free and realloc for other names of theirs: they report who called those. */
#ifndef CGC_FRONT_INTERPOSE_H
#define CGC_FRONT_INTERPOSE_H

#include "record/recorder.h"

#include <stddef.h>

void  interpose_free(const char *function, void *block, const void *caller);
void *interpose_realloc(void *block, size_t bytes, enum record_function function, const void *caller);

#endif
