/* SPDX-License-Identifier: MIT */
/*
 * What the semantics_ programs share.  Each has a table of cases; with a name as its argument it runs that one, in a
 * process in which the library has not started, and without any it lists them for semantics.sh.
 */
#ifndef CGC_TEST_BOEHM_SEMANTICS_COMMON_H
#define CGC_TEST_BOEHM_SEMANTICS_COMMON_H

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Whose promise a case is: bdwgc's too, or cgc's alone.  All that is ANYONES has passed with Debian's libgc 8.2.2-3, by
 * `semantics.sh --with DIRECTORY`; what is OURS has not, or not always.
 */
enum {
  ANYONES = 1,
  OURS    = 2,
  COUNTS  = 4,   /* beside: counts collections, so that there must be none but its own */
};

struct test_case {
  const char *name;
  void (*run)(void);
  int flags;
};

#define CASE(function, flags) {#function, function, flags}

/* The program's exit status. */
int run_cases(const struct test_case *cases, size_t count, int argc, char **argv);
#define RUN_CASES(cases, argc, argv) run_cases(cases, sizeof(cases) / sizeof *(cases), argc, argv)

/* Ends the process if it is not so. */
#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
void expect(bool is_so, const char *what, const char *file, int line);

/* Whether the values are equal, told if not. */
#define EXPECT_EQUAL(value, wanted) expect_equal((long)(value), (long)(wanted), #value, __FILE__, __LINE__)
void expect_equal(long value, long wanted, const char *what, const char *file, int line);

/* ---- blocks that nothing refers to by accident ---- */

/* Calls the function so far down the stack that a collection from here looks at nothing it has left there. */
void deep(void (*function)(void));

/* Notes blocks by number, without keeping them; is_gone tells whether a collection has found one unreachable. */
enum { WATCHED_MAX = 4096 };

void watch(unsigned number, void *block);
bool is_gone(unsigned number);

/* How many have gone.  With the environment's BOEHM_SLACK so many of them may be left. */
unsigned count_gone(void);
#define EXPECT_GONE(count) expect_gone(count, __FILE__, __LINE__)
void expect_gone(unsigned wanted, const char *file, int line);

/* The block of that number; it must be there.  Before it is freed it must not be watched any more. */
void *watched(unsigned number);
void  unwatch(unsigned number);

/* What was called before, an earlier collection too, has left nothing on the stack that it could look at.  The second
 * does it twice, so that what one of them has left to be done is done. */
void collect_once(void);
void collect(void);

/* Whether all bytes are that one. */
bool is_filled(const void *block, int value, size_t bytes);

/* ---- random numbers ---- */

unsigned random_below(unsigned limit);
void     random_start(unsigned long seed);

#endif
