/* SPDX-License-Identifier: MIT */
/**
 * Blocks of which it is told which words may be pointers.
 *
 * For a type T whose only pointers are its members a and b:
 *
 *   GC_word words[GC_BITMAP_SIZE(T)] = {0};
 *   GC_set_bit(words, GC_WORD_OFFSET(T, a));
 *   GC_set_bit(words, GC_WORD_OFFSET(T, b));
 *   GC_descr layout = GC_make_descriptor(words, GC_WORD_LEN(T));
 */
#ifndef GC_TYPED_H
#define GC_TYPED_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A bit for each word of the block, set if it may be a pointer; the first one in the lowest bit of the first word. */
typedef GC_word *GC_bitmap;

#define GC_WORDSZ                    (8 * sizeof(GC_word))
#define GC_get_bit(bitmap, index)    (((bitmap)[(index) / GC_WORDSZ] >> ((index) % GC_WORDSZ)) & 1)
#define GC_set_bit(bitmap, index)    ((bitmap)[(index) / GC_WORDSZ] |= (GC_word)1 << ((index) % GC_WORDSZ))
#define GC_WORD_OFFSET(type, member) (offsetof(type, member) / sizeof(GC_word))
#define GC_WORD_LEN(type)            (sizeof(type) / sizeof(GC_word))
#define GC_BITMAP_SIZE(type)         ((GC_WORD_LEN(type) + GC_WORDSZ - 1) / GC_WORDSZ)

/* A layout. */
typedef GC_word GC_descr;

/**
 * Makes a layout of a bitmap, once for each type: layouts are never freed.
 *
 * words    How many bits count.  Words of a block beyond are no pointers.
 * Returns  The layout; if there is no memory one by which all words may be pointers.
 */
GC_API GC_descr GC_CALL GC_make_descriptor(const GC_word * /* bitmap */, size_t /* words */);

/**
 * As GC_malloc, GC_malloc_ignore_off_page, and for an array of count elements of bytes each.  Not for GC_realloc.
 *
 * bytes    At least what the layout's words take; in an array a multiple of a word.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_explicitly_typed(size_t /* bytes */, GC_descr);
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL
GC_malloc_explicitly_typed_ignore_off_page(size_t /* bytes */, GC_descr);
GC_API GC_ATTR_MALLOC GC_ATTR_CALLOC_SIZE(1, 2) void *GC_CALL
GC_calloc_explicitly_typed(size_t /* count */, size_t /* bytes */, GC_descr);

/* With GC_DEBUG the layout does not matter. */
#ifdef GC_DEBUG
#define GC_MALLOC_EXPLICITLY_TYPED(bytes, layout)        ((void)(layout), GC_MALLOC(bytes))
#define GC_CALLOC_EXPLICITLY_TYPED(count, bytes, layout) ((void)(layout), GC_MALLOC((count) * (bytes)))
#else
#define GC_MALLOC_EXPLICITLY_TYPED(bytes, layout)        GC_malloc_explicitly_typed(bytes, layout)
#define GC_CALLOC_EXPLICITLY_TYPED(count, bytes, layout) GC_calloc_explicitly_typed(count, bytes, layout)
#endif

#ifdef __cplusplus
}
#endif

#endif
