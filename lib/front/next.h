/* SPDX-License-Identifier: MIT */
/* The functions that ours stand before. */
#ifndef CGC_FRONT_NEXT_H
#define CGC_FRONT_NEXT_H

#include "base/atom.h"
#include "gc/runtime.h"

#include <dlfcn.h>

/* The next function of that name, looked up once; the same for all who look at once. */
CGC_INLINE void *
next_function(atom_word *found, const char *name) {
  uintptr_t function = atom_load_acq(found);
  if (CGC_UNLIKELY(!function)) {
    function = (uintptr_t)dlsym(RTLD_NEXT, name);
    atom_store_rel(found, function);
  }
  return (void *)function;
}

/* For what programs may call in signal handlers, which may have interrupted a slow path: makes sure that the
 * library has started, knows this thread and has adopted a fork.  False if it cannot be made so here. */
CGC_INLINE bool
next_is_prepared_sig(void) {
  if (atom_int_load_rlx(&thread_cache_self->is_inside))
    return false;
  struct thread_cache *cache = runtime_enter();
  if (!cache)
    return false;
  runtime_leave(cache);
  return true;
}

#endif
