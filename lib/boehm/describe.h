/* SPDX-License-Identifier: MIT */
/* What a block is, in a word. */
#ifndef CGC_LIB_BOEHM_DESCRIBE_H
#define CGC_LIB_BOEHM_DESCRIBE_H

#include <gc/gc_mark.h>

/* Into text, of GC_TYPE_DESCR_LEN + 1 characters: by the program's function for its kind, if there is one. */
void describe_block(const void *block, char *text);

#endif
