/* SPDX-License-Identifier: MIT */
/* <gc.h>: the same as <gc/gc.h>. */
#include "gc/gc.h"
