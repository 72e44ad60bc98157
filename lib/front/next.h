/* SPDX-License-Identifier: MIT */
/* libc's functions behind ours. */
#ifndef CGC_FRONT_NEXT_H
#define CGC_FRONT_NEXT_H

#include "base/atom.h"

#include <dlfcn.h>

/* Looked up at the first call; *found is the same for all who look it up at once. */
CGC_INLINE uintptr_t
next_function(atom_word *found, const char *name) {
  uintptr_t function = atom_load_acq(found);
  if (!function) {
    function = (uintptr_t)dlsym(RTLD_NEXT, name);
    atom_store_rel(found, function);
  }
  return function;
}

#endif
