/* SPDX-License-Identifier: MIT */
/* Arrays in metadata memory that only grow. */
#ifndef CGC_BASE_ARRAY_H
#define CGC_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct array {
  void  *items;
  size_t count, capacity;
};

/* A new last item, whatever it held before, or NULL if there is no memory; then all is as it was. */
void *array_add(struct array *array, size_t item_bytes);

/* Adds to an array of words.  False if there is no memory. */
bool array_add_word(struct array *words, uintptr_t word);

#endif
