/* SPDX-License-Identifier: MIT */
/**
 * Included first in every file, perhaps by the compiler's option -include: malloc and its relatives allocate blocks of
 * the debugging functions, and those that became unreachable before they were freed are reported by CHECK_LEAKS and at
 * the end (after GC_set_find_leak(1)).
 *
 * GC_DONT_INCLUDE_STDLIB, if defined, leaves out the standard headers, which else come before the names are redirected.
 */
#ifndef GC_LEAK_DETECTOR_H
#define GC_LEAK_DETECTOR_H

#ifndef GC_DEBUG
#define GC_DEBUG
#endif

#include "gc.h"

#ifndef GC_DONT_INCLUDE_STDLIB
#include <stdlib.h>
#include <string.h>
#endif

#undef malloc
#undef calloc
#undef realloc
#undef free
#undef strdup
#undef strndup
#undef memalign
#undef posix_memalign
#define malloc(bytes)                           GC_MALLOC(bytes)
#define calloc(count, bytes)                    GC_MALLOC((count) * (bytes))
#define realloc(block, bytes)                   GC_REALLOC(block, bytes)
#define free(block)                             GC_FREE(block)
#define strdup(string)                          GC_STRDUP(string)
#define strndup(string, bytes)                  GC_STRNDUP(string, bytes)
#define memalign(alignment, bytes)              GC_memalign(alignment, bytes)
#define posix_memalign(block, alignment, bytes) GC_posix_memalign(block, alignment, bytes)

#ifdef GC_REQUIRE_WCSDUP
#include <wchar.h>
#undef wcsdup
#define wcsdup(string) GC_WCSDUP(string)
#endif

#ifndef CHECK_LEAKS
#define CHECK_LEAKS() GC_gcollect()
#endif

#endif
