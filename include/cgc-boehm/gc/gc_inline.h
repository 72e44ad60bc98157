/* SPDX-License-Identifier: MIT */
/**
 * Allocation compiled into the program, from lists that the program keeps: for compilers that generate C.
 *
 * No byte is added at the end of a block: a pointer just behind it does not keep it.
 */
#ifndef GC_INLINE_H
#define GC_INLINE_H

#include "gc.h"
#include "gc_tiny_fl.h"

#ifndef GC_ASSERT
#ifdef NDEBUG
#define GC_ASSERT(condition)
#else
#include <assert.h>
#define GC_ASSERT(condition) assert(condition)
#endif
#endif

#ifdef __GNUC__
#define GC_EXPECT(value, likely) __builtin_expect(value, likely)
#else
#define GC_EXPECT(value, likely) (value)
#endif

#ifndef GC_PREFETCH_FOR_WRITE
#if defined(__GNUC__) && !defined(GC_NO_PREFETCH_FOR_WRITE)
#define GC_PREFETCH_FOR_WRITE(address) __builtin_prefetch((address), 1)
#else
#define GC_PREFETCH_FOR_WRITE(address) (void)0
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of blocks: not scanned, and scanned. */
#define GC_I_PTRFREE 0
#define GC_I_NORMAL  1

/**
 * Allocates several blocks of one size and kind, linked as those of GC_malloc_many.
 *
 * list     Where the first is stored, or NULL if there is no memory; the program sees to it that it is scanned.
 */
GC_API void GC_CALL GC_generic_malloc_many(size_t /* bytes */, int /* kind */, void ** /* list */);

/**
 * As GC_malloc, for a kind; GC_malloc_kind_global uses nothing of the thread's own.
 */
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_kind(size_t /* bytes */, int /* kind */);
#ifdef GC_THREADS
GC_API GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1) void *GC_CALL GC_malloc_kind_global(size_t /* bytes */, int /* kind */);
#else
#define GC_malloc_kind_global GC_malloc_kind
#endif

/**
 * Writes the free blocks of a kind to the log.
 */
GC_API void GC_CALL GC_print_free_list(int /* kind */, size_t /* granules */);

#ifdef __cplusplus
}
#endif

/* Where libatomic_ops is, a list is stored at once: a thread that marks meanwhile sees the old or the new one. */
#if defined(GC_THREADS) && defined(AO_HAVE_store)
#define GC_FAST_M_AO_STORE(list, block) AO_store((volatile AO_t *)(list), (AO_t)(block))
#else
#define GC_FAST_M_AO_STORE(list, block) (void)(*(list) = (block))
#endif

/**
 * Allocates from the program's lists.
 *
 * A word of lists is a block, the first of a list; or a small number: how many granules the list's blocks had, which
 * were allocated one by one, plus 1; or NULL, an empty list.  Numbers are for lists that begin with (void *)1 and say
 * that a size is rare: only after direct granules of it are blocks fetched in numbers.
 *
 * result   Where the block is stored; what the out-of-memory function returns if there is none.
 * granules Its size; evaluated often.
 * lists    GC_TINY_FREELISTS words, which begin as NULL, or as (void *)1 if direct is not 0.
 * direct   How many granules of a size are allocated one by one first.
 * kind     Of the block.
 * slow     An expression that allocates the block, if it is too large for the lists or allocated directly.
 * init     A statement, executed when the block came from a list: its first word is still the link.
 */
#define GC_FAST_MALLOC_GRANS(result, granules, lists, direct, kind, slow, init) \
  do { \
    void **GC_list, *GC_block; \
    if (GC_EXPECT((granules) >= GC_TINY_FREELISTS, 0)) { \
      result = (slow); \
      break; \
    } \
    GC_list = (lists) + (granules); \
    GC_block = *GC_list; \
    if (GC_EXPECT(GC_LIST_WORD_IS_NUMBER(GC_block, direct), 0)) { \
      if (GC_block != 0 && (GC_word)GC_block <= (GC_word)(direct)) { \
        GC_FAST_M_AO_STORE(GC_list, (char *)GC_block + (granules) + 1); \
        result = (slow); \
        break; \
      } \
      GC_generic_malloc_many((granules) == 0 ? GC_GRANULE_BYTES : GC_RAW_BYTES_FROM_INDEX(granules), kind, GC_list); \
      GC_block = *GC_list; \
    } \
    if (GC_block == 0) { \
      result = (*GC_get_oom_fn())((granules) * GC_GRANULE_BYTES); \
      break; \
    } \
    result = (void *)GC_block; \
    GC_block = *(void **)GC_block; \
    GC_FAST_M_AO_STORE(GC_list, GC_block); \
    init; \
    GC_PREFETCH_FOR_WRITE(GC_block); \
    if ((kind) != GC_I_PTRFREE) { \
      GC_end_stubborn_change(GC_list); \
      GC_reachable_here(GC_block); \
    } \
    GC_ASSERT(GC_size(result) >= (granules) * GC_GRANULE_BYTES); \
    GC_ASSERT((kind) == GC_I_PTRFREE || ((GC_word *)(result))[1] == 0); \
  } while (0)

/* NULL included. */
#define GC_LIST_WORD_IS_NUMBER(word, direct) ((GC_word)(word) <= (GC_word)(direct) + GC_TINY_FREELISTS + 1)

#define GC_WORDS_TO_WHOLE_GRANULES(words) GC_WORDS_TO_GRANULES((words) + GC_GRANULE_WORDS - 1)

/* The same for a number of words. */
#define GC_MALLOC_WORDS_KIND(result, words, lists, kind, init) \
  do { \
    size_t GC_granules = GC_WORDS_TO_WHOLE_GRANULES(words); \
    GC_FAST_MALLOC_GRANS(result, GC_granules, lists, 0, kind, GC_malloc_kind(GC_granules * GC_GRANULE_BYTES, kind), \
                         init); \
  } while (0)
#define GC_MALLOC_WORDS(result, words, lists) \
  GC_MALLOC_WORDS_KIND(result, words, lists, GC_I_NORMAL, *(void **)(result) = 0)
#define GC_MALLOC_ATOMIC_WORDS(result, words, lists) GC_MALLOC_WORDS_KIND(result, words, lists, GC_I_PTRFREE, (void)0)

/* A block of two words with these values. */
#define GC_CONS(result, first, second, lists) \
  do { \
    void *GC_first = (void *)(first); \
    void *GC_second = (void *)(second); \
    GC_MALLOC_WORDS_KIND(result, 2, lists, GC_I_NORMAL, (void)0); \
    if ((result) != 0) { \
      *(void **)(result) = GC_first; \
      GC_PTR_STORE_AND_DIRTY((void **)(result) + 1, GC_second); \
      GC_reachable_here(GC_first); \
    } \
  } while (0)

#endif
