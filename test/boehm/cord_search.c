/* SPDX-License-Identifier: MIT */
/* Searches in which almost everything begins as what is searched. */
#include "cord_test.h"

#include <string.h>

enum { RUNS = 30, RUN_CHARS_MAX = 300 };

/* Runs of one letter, each ended by another one, as a cord of small pieces; and the same plain. */
static CORD
make_runs(char *plain) {
  CORD x = CORD_EMPTY;
  size_t length = 0;
  for (int i = 0; i < RUNS; i++) {
    size_t count = random_below(RUN_CHARS_MAX);
    x = CORD_cat_char(CORD_cat(x, CORD_chars('a', count)), 'b');
    memset(plain + length, 'a', count);
    length += count;
    plain[length++] = 'b';
  }
  plain[length] = '\0';
  return x;
}

static void
check_run(CORD x, const char *plain, size_t start, size_t count) {
  char wanted[RUN_CHARS_MAX + 2];
  memset(wanted, 'a', count);
  strcpy(wanted + count, "b");
  const char *found = strstr(plain + start, wanted);
  size_t index = found ? (size_t)(found - plain) : CORD_NOT_FOUND;
  CHECK(CORD_str(x, start, CORD_cat(CORD_chars('a', count), "b")) == index);
  CHECK(CORD_str(x, start, wanted) == index);
}

void
test_search(void) {
  static char plain[RUNS * RUN_CHARS_MAX + 1];
  for (int times = 0; times < 20; times++) {
    CORD x = make_runs(plain);
    for (int i = 0; i < 20; i++)
      check_run(x, plain, random_below(strlen(plain) / 2), random_below(RUN_CHARS_MAX));
  }
}
