/* SPDX-License-Identifier: MIT */
/* <gc_cpp.h>: the same as <gc/gc_cpp.h>. */
#include "gc/gc_cpp.h"
