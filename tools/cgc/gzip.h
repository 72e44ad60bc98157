/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_GZIP_H
#define CGC_TOOL_GZIP_H

#include <stddef.h>
#include <stdio.h>

struct gzip;

/* To a file, or with NULL to nowhere, to know the size. */
struct gzip *gzip_begin(FILE *file);
void gzip_add(struct gzip *gzip, const void *bytes, size_t count);

/* Bytes that have come out; some are held back. */
size_t gzip_size(const struct gzip *gzip);
void gzip_end(struct gzip *gzip);

#endif
