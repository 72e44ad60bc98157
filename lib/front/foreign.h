/* SPDX-License-Identifier: MIT */
/*
 * Blocks of glibc's own malloc.  They reach us where a library is bound to libc's functions directly:
 * from another link namespace, or loaded with RTLD_DEEPBIND by a dlopen that we did not see.
 */
#ifndef CGC_FRONT_FOREIGN_H
#define CGC_FRONT_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the pointer looks like a block of glibc's malloc: its header is read safely and must make
 * sense. */
bool foreign_is_libc_block(const void *block);

void   foreign_free(void *block);
void  *foreign_realloc(void *block, size_t bytes);
size_t foreign_usable_size(const void *block);

#endif
