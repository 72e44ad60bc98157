/* SPDX-License-Identifier: MIT */
/**
 * Why a block was not reclaimed: what the last collection found pointing to it.
 *
 * Only in libraries built to keep back pointers, which neither Debian's nor cgc's are.  cgc has "cgc leaks" for
 * questions of this sort.
 */
#ifndef GC_BACKPTR_H
#define GC_BACKPTR_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  GC_UNREFERENCED,     /* nothing is known */
  GC_NO_SPACE,         /* not a block of the debugging functions */
  GC_REFD_FROM_ROOT,
  GC_REFD_FROM_REG,    /* a root without address */
  GC_REFD_FROM_HEAP,
  GC_FINALIZER_REFD
} GC_ref_kind;

/**
 * address  In a block of the debugging functions.
 * from     Where the root, or the start of the block, that pointed to it is stored.
 * offset   Where the pointer's offset, in bytes, in that block is stored.
 */
GC_API GC_ref_kind GC_CALL GC_get_back_ptr_info(void * /* address */, void ** /* from */, size_t * /* offset */)
  GC_ATTR_NONNULL(1);

/**
 * Returns  An address somewhere in the heap; one in a block that is reachable.
 */
GC_API void *GC_CALL GC_generate_random_heap_address(void);
GC_API void *GC_CALL GC_generate_random_valid_address(void);

/**
 * Write what points to a block, what to that, and so on: for a block taken at random after a collection, or the one
 * that the address is in.
 */
GC_API void GC_CALL GC_generate_random_backtrace(void);
GC_API void GC_CALL GC_print_backtrace(void * /* address */) GC_ATTR_NONNULL(1);

#ifdef __cplusplus
}
#endif

#endif
