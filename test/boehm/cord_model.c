/* SPDX-License-Identifier: MIT */
/*
 * Random cords beside plain copies of their characters.
 *
 * Each step makes a cord of others in the table, puts it in the place of one of them, and asks it something; what is
 * asked of an older one must be answered as before.  Collections run between.
 */
#include "cord_test.h"

#include <gc/ec.h>
#include <gc/gc.h>
#include <string.h>

enum { ENTRIES = 64, LENGTH_MAX = 3000, COLLECT_EVERY = 500 };

struct entry {
  CORD cord;
  char *chars;        /* malloc'd, with a zero after them */
  size_t length;
};

static struct entry entries[ENTRIES];

static struct entry *
any_entry(void) {
  return &entries[random_below(ENTRIES)];
}

static size_t
least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Mostly of the few letters that make strings occur in others, sometimes anything but zero. */
static char
any_char(void) {
  if (random_below(50) == 0)
    return (char)(1 + random_below(255));
  return (char)('a' + random_below(3));
}

static char *
chars_new(size_t length) {
  char *chars = malloc(length + 1);
  CHECK(chars);
  chars[length] = '\0';
  return chars;
}

static struct entry
entry_of_concatenation(CORD cord, const struct entry *x, const struct entry *y) {
  struct entry entry = {cord, chars_new(x->length + y->length), x->length + y->length};
  memcpy(entry.chars, x->chars, x->length);
  memcpy(entry.chars + x->length, y->chars, y->length);
  return entry;
}

static struct entry
entry_of_part(CORD cord, const struct entry *x, size_t start, size_t length) {
  struct entry entry = {cord, chars_new(length), length};
  memcpy(entry.chars, x->chars + start, length);
  return entry;
}

/* ---- ways to make one ---- */

/* A string of the program's. */
static struct entry
any_string(void) {
  size_t length = random_below(random_below(4) ? 40 : 400);
  struct entry entry = {CORD_EMPTY, chars_new(length), length};
  for (size_t i = 0; i < length; i++)
    entry.chars[i] = any_char();
  return entry;
}

static struct entry
make_from_char_star(void) {
  struct entry entry = any_string();
  char *copy = strdup(entry.chars);
  entry.cord = CORD_from_char_star(copy);
  CHECK(entry.length || entry.cord == CORD_EMPTY);
  memset(copy, '!', entry.length);   /* the cord has a copy of its own */
  free(copy);
  return entry;
}

/* Characters of a function: of a seed that it is given, with some zeroes. */
static char
function_char(size_t i, void *client_data) {
  uint64_t mixed = (*(const uint64_t *)client_data + i) * 0x9e3779b97f4a7c15;
  return (char)(mixed >> 60 ? 'a' + (mixed >> 40) % 3 : 0);
}

static char
function_char_checked(size_t i, void *client_data) {
  CHECK(i < ((const uint64_t *)client_data)[1]);
  return function_char(i, client_data);
}

static struct entry
make_from_fn(void) {
  size_t length = random_below(300);
  uint64_t *seed = GC_MALLOC_ATOMIC(2 * sizeof *seed);
  seed[0] = random_below(UINT64_MAX);
  seed[1] = is_reference ? SIZE_MAX : length;   /* bdwgc's asks for one beyond */
  struct entry entry = {CORD_from_fn(function_char_checked, seed, length), chars_new(length), length};
  for (size_t i = 0; i < length; i++)
    entry.chars[i] = function_char(i, seed);
  return entry;
}

static struct entry
make_chars(void) {
  size_t length = random_below(100);
  char c = random_below(2) ? any_char() : '\0';
  struct entry entry = {CORD_chars(c, length), chars_new(length), length};
  memset(entry.chars, c, length);
  return entry;
}

static struct entry
make_cat(void) {
  struct entry *x = any_entry();
  struct entry *y = any_entry();
  return entry_of_concatenation(CORD_cat(x->cord, y->cord), x, y);
}

static struct entry
make_catn(void) {
  struct entry *x = any_entry();
  struct entry *y = any_entry();
  struct entry *z = any_entry();
  struct entry two = entry_of_concatenation(CORD_EMPTY, x, y);
  struct entry three = entry_of_concatenation(CORD_catn(3, x->cord, y->cord, z->cord), &two, z);
  free(two.chars);
  return three;
}

static struct entry
make_cat_char(void) {
  struct entry *x = any_entry();
  struct entry one = {CORD_EMPTY, chars_new(1), 1};
  one.chars[0] = random_below(8) ? any_char() : '\0';
  struct entry result = entry_of_concatenation(CORD_cat_char(x->cord, one.chars[0]), x, &one);
  free(one.chars);
  return result;
}

static struct entry
make_cat_char_star(void) {
  struct entry *x = any_entry();
  struct entry string = any_string();
  const char *chars = string.length ? GC_STRDUP(string.chars) : NULL;
  struct entry result = entry_of_concatenation(CORD_cat_char_star(x->cord, chars, string.length), x, &string);
  free(string.chars);
  return result;
}

static struct entry
make_substr(void) {
  struct entry *x = any_entry();
  size_t start = random_below(x->length + 2);
  size_t asked = random_below(2) ? random_below(x->length + 2) : random_below(50);
  if (!is_reference && random_below(20) == 0)
    asked = SIZE_MAX;   /* which bdwgc's adds to the start */
  size_t length = start < x->length ? least(asked, x->length - start) : 0;
  return entry_of_part(CORD_substr(x->cord, start, asked), x, length ? start : 0, length);
}

static struct entry
make_balanced(void) {
  struct entry *x = any_entry();
  return entry_of_part(CORD_balance(x->cord), x, 0, x->length);
}

/* Single characters before and after a cord. */
static struct entry
make_extended(void) {
  struct entry *x = any_entry();
  struct entry *y = any_entry();
  CORD_ec ec;
  CORD_ec_init(ec);
  for (size_t i = 0; i < x->length; i++)
    CORD_ec_append(ec, !x->chars[i] && is_reference ? 'z' : x->chars[i]);   /* bdwgc's takes no zeroes */
  struct entry result = entry_of_concatenation(CORD_EMPTY, x, y);
  for (size_t i = 0; is_reference && i < x->length; i++)
    result.chars[i] = result.chars[i] ? result.chars[i] : 'z';
  CORD_ec_append_cord(ec, y->cord);
  result.cord = CORD_ec_to_cord(ec);
  return result;
}

static struct entry
make_sprintf(void) {
  struct entry *x = any_entry();
  struct entry *y = any_entry();
  struct entry result = entry_of_concatenation(CORD_EMPTY, x, y);
  CHECK(CORD_sprintf(&result.cord, "%r%r", x->cord, y->cord) == (int)result.length);
  return result;
}

/* Through a file, read in one of the three ways. */
static struct entry
make_from_file(void) {
  static CORD (*const ways[])(FILE *) = {CORD_from_file, CORD_from_file_eager, CORD_from_file_lazy};
  struct entry *x = any_entry();
  FILE *file = tmpfile();
  CHECK(file && CORD_put(x->cord, file) == 1 && fseek(file, 0, SEEK_SET) == 0);
  return entry_of_part(ways[random_below(3)](file), x, 0, x->length);
}

/* ---- what is asked ---- */

static void
check_copies(const struct entry *x) {
  char *copy = CORD_to_char_star(x->cord);
  CHECK(memcmp(copy, x->chars, x->length + 1) == 0);
  memset(copy, '!', x->length);   /* it is nobody else's */
  CHECK(memcmp(CORD_to_const_char_star(x->cord), x->chars, x->length + 1) == 0);
}

static void
check_fetch(const struct entry *x) {
  for (int i = 0; x->length && i < 20; i++) {
    size_t index = random_below(x->length);
    CHECK(CORD_fetch(x->cord, index) == x->chars[index]);
  }
}

static void
check_put(const struct entry *x) {
  char *written;
  size_t length;
  FILE *file = open_memstream(&written, &length);
  CHECK(file && CORD_put(x->cord, file) == 1 && fclose(file) == 0);
  CHECK(length == x->length && memcmp(written, x->chars, length) == 0);
  free(written);
}

static void
check_forward(const struct entry *x) {
  size_t i = 0;
  CORD_pos p;
  CORD_FOR(p, x->cord) {
    CHECK(CORD_pos_to_index(p) == i && CORD_pos_to_cord(p) == x->cord && p->path_len <= MAX_DEPTH);
    CHECK(i < x->length && CORD_pos_fetch(p) == x->chars[i]);
    i++;
  }
  CHECK(i == x->length && (!i || CORD_pos_to_index(p) == i));
}

static void
check_backward(const struct entry *x) {
  size_t i = x->length;
  CORD_pos p;
  for (CORD_set_pos(p, x->cord, i - !!i); CORD_pos_valid(p); CORD_prev(p)) {
    CHECK(i-- > 0 && CORD_pos_to_index(p) == i);
    CHECK(CORD_pos_fetch(p) == x->chars[i]);
  }
  CHECK(i == 0);
}

/* Steps in both directions, some without a look at the character, by macros and functions. */
static void
check_walk(const struct entry *x) {
  if (!x->length)
    return;
  size_t i = random_below(x->length);
  bool is_ahead = random_below(2);
  CORD_pos p;
  CORD_set_pos(p, x->cord, i);
  for (int step = 0; step < 200; step++) {
    if (!is_reference && random_below(6) == 0)   /* bdwgc's then reads before what it has computed */
      is_ahead = !is_ahead;
    if (is_ahead ? i + 1 == x->length : i == 0)
      continue;
    i += is_ahead ? 1 : (size_t)-1;
    bool by_function = random_below(2);
    if (is_ahead)
      by_function ? (CORD_next)(p) : (void)CORD_next(p);
    else
      by_function ? (CORD_prev)(p) : (void)CORD_prev(p);
    CHECK((CORD_pos_valid)(p) && (CORD_pos_to_index)(p) == i && (CORD_pos_to_cord)(p) == x->cord);
    if (random_below(2))
      CHECK((by_function ? (CORD_pos_fetch)(p) : CORD_pos_fetch(p)) == x->chars[i]);
  }
}

/* As many characters at a time as are at hand. */
static void
check_runs(const struct entry *x) {
  if (!x->length)
    return;
  CORD_pos p;
  CORD_set_pos(p, x->cord, random_below(x->length));
  while (CORD_pos_valid(p)) {
    size_t i = CORD_pos_to_index(p);
    CHECK(CORD_pos_fetch(p) == x->chars[i]);
    long count = CORD_pos_chars_left(p);
    if (count > 0) {
      CHECK((size_t)count <= x->length - i);
      CHECK(memcmp(CORD_pos_cur_char_addr(p), x->chars + i, (size_t)count) == 0);
    }
    if (count > 1)
      CORD_pos_advance(p, random_below((uint64_t)count - 1) + 1);
    else
      CORD_next(p);
  }
  CHECK(CORD_pos_to_index(p) == x->length);
}

struct visit {
  const struct entry *entry;
  size_t index;
  size_t end;         /* stop before this one */
};

static int
visit_char(char c, void *client_data) {
  struct visit *visit = client_data;
  if (visit->index == visit->end)
    return 7;
  CHECK(visit->index < visit->entry->length && visit->entry->chars[visit->index] == c);
  visit->index++;
  return 0;
}

static int
visit_char_back(char c, void *client_data) {
  struct visit *visit = client_data;
  if (visit->index == visit->end)
    return 7;
  visit->index--;
  CHECK(visit->entry->chars[visit->index] == c);
  return 0;
}

static int
visit_string(const char *string, void *client_data) {
  struct visit *visit = client_data;
  size_t length = strlen(string);
  CHECK(length && length <= visit->entry->length - visit->index);
  CHECK(memcmp(string, visit->entry->chars + visit->index, length) == 0);
  visit->index += length;
  return 0;
}

static void
check_iterations(const struct entry *x) {
  struct visit visit = {x, 0, SIZE_MAX};
  CHECK(CORD_iter(x->cord, visit_char, &visit) == 0 && visit.index == x->length);
  visit = (struct visit){x, 0, SIZE_MAX};
  CHECK((CORD_iter)(x->cord, visit_char, &visit) == 0 && visit.index == x->length);
  visit = (struct visit){x, x->length, SIZE_MAX};
  CHECK(CORD_riter(x->cord, visit_char_back, &visit) == 0 && visit.index == 0);
  if (!x->length)
    return;

  size_t start = random_below(x->length);
  visit = (struct visit){x, start, SIZE_MAX};
  CHECK(CORD_iter5(x->cord, start, visit_char, visit_string, &visit) == 0 && visit.index == x->length);
  visit = (struct visit){x, start + 1, SIZE_MAX};
  CHECK(CORD_riter4(x->cord, start, visit_char_back, &visit) == 0 && visit.index == 0);

  size_t end = start + random_below(x->length - start);
  visit = (struct visit){x, start, end};
  CHECK(CORD_iter5(x->cord, start, visit_char, CORD_NO_FN, &visit) != 0 && visit.index == end);
  visit = (struct visit){x, end + 1, start + 1};
  CHECK(CORD_riter4(x->cord, end, visit_char_back, &visit) != 0 && visit.index == start + 1);
}

static int
sign(int order) {
  return (order > 0) - (order < 0);
}

/* bdwgc's compares well only what is in memory, with neither zeroes nor characters beyond ASCII. */
static bool
is_comparable(const struct entry *x) {
  CORD_pos p;
  if (is_reference)
    CORD_FOR(p, x->cord)
      if (CORD_pos_chars_left(p) <= 0 || CORD_pos_fetch(p) <= 0)
        return false;
  return true;
}

static int
plain_order(const char *x, size_t x_length, const char *y, size_t y_length) {
  int order = memcmp(x, y, least(x_length, y_length));
  return order ? sign(order) : (x_length > y_length) - (x_length < y_length);
}

static void
check_order(const struct entry *x) {
  struct entry *y = random_below(8) ? any_entry() : &(struct entry){x->cord, x->chars, x->length};
  if (!is_comparable(x) || !is_comparable(y))
    return;
  CHECK(sign(CORD_cmp(x->cord, y->cord)) == plain_order(x->chars, x->length, y->chars, y->length));

  size_t x_start = random_below(x->length + 1);
  size_t y_start = random_below(2) ? least(x_start, y->length) : random_below(y->length + 1);
  size_t length = random_below(100);
  CHECK(sign(CORD_ncmp(x->cord, x_start, y->cord, y_start, length)) ==
    plain_order(x->chars + x_start, least(x->length - x_start, length), y->chars + y_start,
      least(y->length - y_start, length)));
}

static size_t
index_in(const struct entry *x, const char *found) {
  return found ? (size_t)(found - x->chars) : CORD_NOT_FOUND;
}

static void
check_search_char(const struct entry *x) {
  char c = random_below(3) || is_reference ? any_char() : '\0';   /* bdwgc's finds a zero where a C string ends */
  size_t start = random_below(x->length + 1);
  if (start < x->length || !is_reference)   /* bdwgc's ends the process */
    CHECK(CORD_chr(x->cord, start, c) == index_in(x, memchr(x->chars + start, c, x->length - start)));
  if (start < x->length)
    CHECK(CORD_rchr(x->cord, start, c) == index_in(x, memrchr(x->chars, c, start + 1)));
}

/* Something that is there, more often than not. */
static void
check_search_string(const struct entry *x) {
  struct entry *from = random_below(3) ? &(struct entry){x->cord, x->chars, x->length} : any_entry();
  if (!is_comparable(x) || !is_comparable(from))
    return;
  size_t at = random_below(from->length + 1);
  size_t length = random_below(least(from->length - at, random_below(10) ? 12 : 400) + 1);
  CORD wanted = CORD_substr(from->cord, at, length);
  size_t start = random_below(x->length + 1);
  CHECK(CORD_str(x->cord, start, wanted) ==
    index_in(x, memmem(x->chars + start, x->length - start, from->chars + at, length)));
}

/* A cord that is a C string ends where that does. */
static void
check_string(const struct entry *x) {
  if (x->length && CORD_IS_STRING(x->cord))
    CHECK(strlen(x->cord) == x->length);
}

static void
check_entry(const struct entry *x) {
  static void (*const checks[])(const struct entry *) = {
    check_copies, check_fetch, check_put, check_forward, check_backward, check_walk, check_runs, check_iterations,
    check_order, check_search_char, check_search_string, check_string,
  };
  CHECK(CORD_len(x->cord) == x->length && !x->cord == !x->length);
  checks[random_below(sizeof checks / sizeof *checks)](x);
}

/* ---- steps ---- */

static struct entry
make_any(void) {
  static struct entry (*const ways[])(void) = {
    make_from_char_star, make_from_fn, make_chars, make_cat, make_cat, make_cat, make_catn, make_cat_char,
    make_cat_char_star, make_cat_char_star, make_substr, make_substr, make_substr, make_balanced, make_extended,
    make_sprintf,
  };
  if (random_below(100) == 0)
    return make_from_file();
  return ways[random_below(sizeof ways / sizeof *ways)]();
}

static void
model_step(void) {
  struct entry made = make_any();
  for (int i = 0; i < 3; i++)
    check_entry(&made);
  struct entry *place = any_entry();
  if (made.length > LENGTH_MAX) {
    free(made.chars);
    made = (struct entry){CORD_EMPTY, chars_new(0), 0};
  }
  free(place->chars);
  *place = made;
  check_entry(any_entry());
}

void
test_model(unsigned long steps) {
  for (int i = 0; i < ENTRIES; i++)
    entries[i] = (struct entry){CORD_EMPTY, chars_new(0), 0};
  for (unsigned long i = 0; i < steps; i++) {
    model_step();
    if (i % COLLECT_EVERY == 0)
      GC_gcollect();
  }
}
