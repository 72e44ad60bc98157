/* SPDX-License-Identifier: MIT */
/* Size classes: which slots serve a request. */
#ifndef CGC_HEAP_SIZE_CLASS_H
#define CGC_HEAP_SIZE_CLASS_H

#include "base/compiler.h"

struct cgc_size_class {
  uint16_t slot_bytes;
  uint16_t page_count;
  uint16_t slot_count;
  uint16_t base_page_count;   /* of the smallest span that wastes little: page_count is a multiple */
  uint32_t divide_magic;   /* offset / slot_bytes == offset * divide_magic >> 32 within a span */
};

#include "heap/size_class_table.h"

#define SIZE_CLASS_LARGE       0
#define SIZE_CLASS_SMALL_BYTES 1024
#define SIZE_CLASS_MAX_BYTES   32768

/* A request's class; SIZE_CLASS_LARGE above SIZE_CLASS_MAX_BYTES.  A small block never fills its slot, so
 * that a pointer just past its end keeps it. */
CGC_INLINE unsigned
size_class_of(size_t bytes) {
  if (CGC_LIKELY(bytes <= SIZE_CLASS_SMALL_BYTES))
    return size_class_small[bytes];
  if (CGC_LIKELY(bytes <= SIZE_CLASS_MAX_BYTES))
    return size_class_medium[(bytes - SIZE_CLASS_SMALL_BYTES + 127) >> 7];
  return SIZE_CLASS_LARGE;
}

/* What a span's blocks are, beside their size; two bits. */
enum span_kind {
  SPAN_KIND_NOSCAN    = 1,   /* blocks hold no pointers */
  SPAN_KIND_COLLECTED = 2,   /* cgc_malloc: reclaimed by the first cycle that does not reach it */
  SPAN_KIND_COUNT     = 4,
};

#define SPAN_CLASS_COUNT (SPAN_KIND_COUNT * SIZE_CLASS_COUNT)

CGC_INLINE unsigned
span_class_of(unsigned size_class, unsigned kind) {
  return kind * SIZE_CLASS_COUNT + size_class;
}

CGC_INLINE unsigned
span_class_kind(unsigned span_class) {
  return span_class / SIZE_CLASS_COUNT;
}

CGC_INLINE const struct cgc_size_class *
span_class_size(unsigned span_class) {
  return &size_class_rows[span_class % SIZE_CLASS_COUNT];
}

#endif
