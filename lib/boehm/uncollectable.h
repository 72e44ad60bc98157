/* SPDX-License-Identifier: MIT */
/* Blocks that only an explicit free takes back: ordinary ones, listed as roots. */
#ifndef CGC_LIB_BOEHM_UNCOLLECTABLE_H
#define CGC_LIB_BOEHM_UNCOLLECTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* A block, zeroed unless it is pointer-free, or NULL. */
void *uncollectable_alloc(size_t bytes, bool is_pointer_free);

bool uncollectable_has(const void *block);

/* Takes it off the list, before it is freed or when another takes its place.  False if it is not there. */
bool uncollectable_forget(const void *block);
bool uncollectable_replace(const void *block, const void *by);

#endif
