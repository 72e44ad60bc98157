/* SPDX-License-Identifier: MIT */
/* The functions that ours stand before. */
#ifndef CGC_FRONT_NEXT_H
#define CGC_FRONT_NEXT_H

#include "base/atom.h"
#include "gc/runtime.h"

#include <dlfcn.h>

/* The next function of that name and version (NULL: the default), looked up once; the same for all who look at
 * once. */
CGC_INLINE void *
next_function_of(atom_word *found, const char *name, const char *version) {
  uintptr_t function = atom_load_acq(found);
  if (CGC_UNLIKELY(!function)) {
    function = (uintptr_t)(version ? dlvsym(RTLD_NEXT, name, version) : dlsym(RTLD_NEXT, name));
    atom_store_rel(found, function);
  }
  return (void *)function;
}

CGC_INLINE void *
next_function(atom_word *found, const char *name) {
  return next_function_of(found, name, NULL);
}

/* For what programs may call in signal handlers, which may have interrupted a slow path: makes sure that the
 * library has started, knows this thread and has adopted a fork.  False if it cannot be made so here. */
CGC_INLINE bool
next_is_prepared_sig(void) {
  return !atom_int_load_rlx(&thread_cache_self->is_inside) && runtime_prepare();
}

#endif
