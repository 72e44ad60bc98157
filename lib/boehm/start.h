/* SPDX-License-Identifier: MIT */
/* Start of the library: by GC_init, or by the first call that needs it. */
#ifndef CGC_LIB_BOEHM_START_H
#define CGC_LIB_BOEHM_START_H

#include "base/atom.h"

extern atom_int start_is_done;

void start_slow(void);

/* Returns when the library is ready.  The same thread may come back meanwhile. */
CGC_INLINE void
start_once(void) {
  if (CGC_UNLIKELY(!atom_int_load_acq(&start_is_done)))
    start_slow();
}

#endif
