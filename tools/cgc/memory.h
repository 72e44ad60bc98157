/* SPDX-License-Identifier: MIT */
/*
 * Memory that is kept until the program ends, and lists in it that only grow.  When there is no more, the program
 * ends with a message: no caller has to check.  Any thread.
 */
#ifndef CGC_TOOL_MEMORY_H
#define CGC_TOOL_MEMORY_H

#include <stddef.h>

/* Zeroed. */
void *memory_take(size_t bytes);

char *memory_copy(const char *chars, size_t length_bytes);
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The items, elsewhere if there is no room for one more. */
void *memory_grow(void *items, size_t count, size_t *capacity, size_t item_bytes);

/* struct names LIST(const char *); declares the list type. */
#define LIST(type)                                                                                                   \
  {                                                                                                                  \
    type  *items;                                                                                                    \
    size_t count, capacity;                                                                                          \
  }

/* The address of a new last item, zeroed. */
#define LIST_ADD(list)                                                                                               \
  ((list)->items = memory_grow((list)->items, (list)->count, &(list)->capacity, sizeof *(list)->items),              \
   &(list)->items[(list)->count++])

#define LIST_EACH(item, list)                                                                                        \
  for (__typeof__(*(list)->items) *item = (list)->items, *item##_end = (list)->count ? item + (list)->count : item;  \
       item < item##_end; item++)

/* Sorts by a function as qsort takes it. */
#define LIST_SORT(list, compare)                                                                                     \
  do {                                                                                                               \
    if ((list)->count > 0)                                                                                           \
      qsort((list)->items, (list)->count, sizeof *(list)->items, compare);                                           \
  } while (0)

#endif
