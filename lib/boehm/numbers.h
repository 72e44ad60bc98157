/* SPDX-License-Identifier: MIT */
/* What is counted for programs to read. */
#ifndef CGC_LIB_BOEHM_NUMBERS_H
#define CGC_LIB_BOEHM_NUMBERS_H

#include <stddef.h>

/* The program has freed a block; a cycle has ended. */
void numbers_note_freed(size_t bytes);
void numbers_end_cycle(void);

#endif
