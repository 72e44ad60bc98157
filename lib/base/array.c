/* SPDX-License-Identifier: MIT */
#include "base/array.h"

#include "base/meta.h"

#include <string.h>

void *
array_add(struct array *array, size_t item_bytes) {
  if (array->count == array->capacity) {
    size_t capacity = array->capacity ? array->capacity * 2 : 64;
    void *bigger = meta_alloc(capacity * item_bytes);   /* the old one is left behind */
    if (!bigger)
      return NULL;
    if (array->count)
      memcpy(bigger, array->items, array->count * item_bytes);
    array->items = bigger;
    array->capacity = capacity;
  }
  return (char *)array->items + array->count++ * item_bytes;
}

bool
array_add_word(struct array *words, uintptr_t word) {
  uintptr_t *added = array_add(words, sizeof word);
  if (added)
    *added = word;
  return added != NULL;
}
