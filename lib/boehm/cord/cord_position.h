/* SPDX-License-Identifier: MIT */
/* Runs of characters at positions. */
#ifndef CGC_BOEHM_CORD_POSITION_H
#define CGC_BOEHM_CORD_POSITION_H

#include <gc/cord.h>

/* How many characters, from the current one on, are in memory at CORD_pos_cur_char_addr: at least one.  The position is
 * valid. */
static inline size_t
position_run(CORD_pos p) {
  if (CORD_pos_chars_left(p) <= 0)
    CORD__pos_fetch(p);
  return (size_t)CORD_pos_chars_left(p);
}

static inline size_t
position_run_of_both(CORD_pos x, CORD_pos y) {
  size_t x_run = position_run(x);
  size_t y_run = position_run(y);
  return x_run < y_run ? x_run : y_run;
}

#endif
