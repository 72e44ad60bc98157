/* SPDX-License-Identifier: MIT */
/* What the wrappers of libc's signal functions share.  Wrappers of calls that take a mask or a set include
 * world/stop_signal.h for signal_without_ours. */
#ifndef CGC_FRONT_INTERPOSE_SIGNAL_H
#define CGC_FRONT_INTERPOSE_SIGNAL_H

#include "gc/runtime.h"
#include "world/stop_signal.h"

#include <string.h>

/* The library has started, and this thread has a record if there is memory for it.  Adopts no fork: many
 * children set up their signals and exec. */
CGC_INLINE void
interpose_signal_start(void) {
  if (!thread_self())
    runtime_prepare();
}

/* The kernel's part of a sigset_t, which is all that libc looks at. */
CGC_INLINE uint64_t
interpose_signal_bits(const sigset_t *set) {
  uint64_t bits;
  memcpy(&bits, set, sizeof bits);
  return bits;
}

CGC_INLINE void
interpose_signal_set_bits(sigset_t *set, uint64_t bits) {
  memcpy(set, &bits, sizeof bits);
}

#endif
