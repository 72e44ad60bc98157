/* SPDX-License-Identifier: MIT */
/**
 * Where collections begin: static data, and what the program registers.
 *
 * A range is given by its first address and the address behind its last; both may be unaligned.
 */
#ifndef CGC_BOEHM_ROOTS_H
#define CGC_BOEHM_ROOTS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Words in the range keep blocks.  Ranges may overlap.
 */
GC_API void GC_CALL GC_add_roots(void * /* start */, void * /* end */);

/**
 * Takes back the registered ranges that are wholly within this one.
 */
GC_API void GC_CALL GC_remove_roots(void * /* start */, void * /* end */);

/**
 * Takes back all, static data too.
 */
GC_API void GC_CALL GC_clear_roots(void);

/**
 * Words in the range of static data keep nothing.  GC_clear_exclusion_table takes all such ranges back.
 */
GC_API void GC_CALL GC_exclude_static_roots(void * /* start */, void * /* end */);
GC_API void GC_CALL GC_clear_exclusion_table(void);

/**
 * Whether the data of shared libraries keeps nothing but what the program registers.  To be set before GC_INIT.
 */
GC_API GC_ATTR_DEPRECATED int GC_no_dls;
GC_API void GC_CALL GC_set_no_dls(int /* whether */);
GC_API int GC_CALL GC_get_no_dls(void);

/**
 * Asked for each range of a shared library's data, with the lock held: 0, and words in it keep nothing.
 */
typedef int (GC_CALLBACK *GC_has_static_roots_func)(const char * /* path */, void * /* start */, size_t /* bytes */);

/**
 * Sets the function that is asked; NULL is none.
 */
GC_API void GC_CALL GC_register_has_static_roots_callback(GC_has_static_roots_func);

#ifdef __cplusplus
}
#endif

#endif
