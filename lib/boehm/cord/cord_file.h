/* SPDX-License-Identifier: MIT */
/* The function of cords whose file is read when needed. */
#ifndef CGC_BOEHM_CORD_FILE_H
#define CGC_BOEHM_CORD_FILE_H

#include <stddef.h>

char cord_file_char(size_t i, void *client_data);

/* What the function returns for start to start + length - 1, in less time. */
void cord_file_copy(size_t start, size_t length, void *client_data, char *to);

#endif
