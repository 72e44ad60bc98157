/* SPDX-License-Identifier: MIT */
/*
 * Uses every macro of the cords' headers, as macros.c does those of the others.
 */
#include <gc/cord.h>

#include <gc/ec.h>

const long values[] = {(long)CORD_EMPTY,  (long)CORD_NOT_FOUND,        CORD_POS_INVALID,
                       CORD_BUFSZ,        sizeof(struct CORD_Pos),     sizeof(struct CORD_pe),
                       MAX_DEPTH,         sizeof(struct CORD_ec_struct), FUNCTION_BUF_SZ};
#if defined(CORD_H) && defined(CORD_POSITION_H) && defined(EC_H)
const int guards = 1;
#endif

CORD_API int is_string(CORD cord);

int is_string(CORD cord) { return CORD_IS_STRING(cord); }
CORD zeros(size_t count) { return CORD_nul(count); }
int iterate(CORD cord, CORD_iter_fn function, void *data) { return CORD_iter(cord, function, data); }
CORD_batched_iter_fn no_function(void) { return CORD_NO_FN; }

size_t
count(CORD cord, char wanted) {
  CORD_pos position;
  size_t found = 0;

  CORD_FOR(position, cord) {
    found += CORD_pos_fetch(position) == wanted;
  }
  return found;
}

int valid(CORD_pos position) { return CORD_pos_valid(position); }
CORD cord_of(CORD_pos position) { return CORD_pos_to_cord(position); }
size_t index_of(CORD_pos position) { return CORD_pos_to_index(position); }
void next(CORD_pos position) { CORD_next(position); }
void previous(CORD_pos position) { CORD_prev(position); }
long left(CORD_pos position) { return CORD_pos_chars_left(position); }
const char *address(CORD_pos position) { return CORD_pos_cur_char_addr(position); }
void advance(CORD_pos position, size_t count) { CORD_pos_advance(position, count); }

CORD
append(const char *text) {
  CORD_ec cord;

  CORD_ec_init(cord);
  while (*text)
    CORD_ec_append(cord, *text++);
  return CORD_ec_to_cord(cord);
}
