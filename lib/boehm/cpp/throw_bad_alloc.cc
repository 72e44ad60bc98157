/* SPDX-License-Identifier: MIT */
/*
 * The function that gc_cpp.h calls when there is no memory, in programs that do not include <new> with it.
 */
#include "gc/gc.h"

#include <new>

GC_API void GC_CALL GC_throw_bad_alloc();

void GC_CALL
GC_throw_bad_alloc() {
  throw std::bad_alloc();
}
