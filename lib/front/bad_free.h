/* SPDX-License-Identifier: MIT */
/* Reports of free, realloc and the like called with what is no block. */
#ifndef CGC_FRONT_BAD_FREE_H
#define CGC_FRONT_BAD_FREE_H

#include "gc/alloc.h"

/* One line: what was wrong, with which pointer, called from where.  The heap is intact; aborts with option
 * abort-on-bad-free. */
CGC_COLD void bad_free_report(const char *function, const void *block, enum free_verdict verdict, const void *caller);

/* A size that free_sized or free_aligned_sized was told and that cannot be the block's. */
CGC_COLD void bad_free_report_size(const char *function, const void *block, size_t bytes, size_t block_bytes,
                                   const void *caller);

#endif
