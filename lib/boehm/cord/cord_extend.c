/* SPDX-License-Identifier: MIT */
/* Extensible cords.  The buffer's size is the program's: only the macros of ec.h know it. */
#include "boehm/cord/cord_node.h"

#include <gc/ec.h>
#include <gc/gc.h>

void
CORD_ec_flush_buf(CORD_ec x) {
  size_t length = (size_t)(x->ec_bufptr - x->ec_buf);
  x->ec_bufptr = x->ec_buf;
  GC_PTR_STORE_AND_DIRTY(&x->ec_cord, CORD_cat(x->ec_cord, cord_of_copy(x->ec_buf, length).cord));
}

void
CORD_ec_append_cord(CORD_ec x, CORD s) {
  CORD_ec_flush_buf(x);
  GC_PTR_STORE_AND_DIRTY(&x->ec_cord, CORD_cat(x->ec_cord, s));
}
