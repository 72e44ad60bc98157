/* SPDX-License-Identifier: MIT */
/* CORD_sprintf and its relatives against the C library's. */
#include "cord_test.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

/* Formats and arguments are wrong on purpose for the compiler: %r. */
#pragma GCC diagnostic ignored "-Wformat"

static int
sprintf_by_list(CORD *result, CORD format, ...) {
  va_list args;
  va_start(args, format);
  int length = CORD_vsprintf(result, format, args);
  va_end(args);
  return length;
}

/* The same by both, with a format that is a string and one that is not. */
#define SAME_AS_PLAIN(format, ...) \
  do { \
    char plain[2000]; \
    CORD as_cord; \
    int plain_length = snprintf(plain, sizeof plain, format, __VA_ARGS__); \
    CHECK(CORD_sprintf(&as_cord, format, __VA_ARGS__) == plain_length); \
    CHECK(CORD_cmp(as_cord, plain_length ? plain : CORD_EMPTY) == 0); \
    CHECK(sprintf_by_list(&as_cord, CORD_cat(CORD_chars('-', 40), format), __VA_ARGS__) == plain_length + 40); \
    CHECK(CORD_cmp(CORD_substr(as_cord, 40, CORD_len(as_cord)), plain_length ? plain : CORD_EMPTY) == 0); \
  } while (0)

/* %r as %s. */
#define SAME_AS_STRING(format_r, format_s, ...) \
  do { \
    char plain[2000]; \
    CORD as_cord; \
    int plain_length = snprintf(plain, sizeof plain, format_s, __VA_ARGS__); \
    CHECK(CORD_sprintf(&as_cord, format_r, __VA_ARGS__) == plain_length); \
    CHECK(CORD_cmp(as_cord, plain_length ? plain : CORD_EMPTY) == 0); \
  } while (0)

static void
test_integers(void) {
  SAME_AS_PLAIN("%d %i|%5d|%-5d|%05d|%+d|% d|%.3d|%5.3d|%.0d", 1, -2, 3, 4, 5, 6, 7, 8, 9, 0);
  SAME_AS_PLAIN("%u %o %x %X %#o %#x %#X", 1u, 8u, 254u, 254u, 8u, 254u, UINT_MAX);
  SAME_AS_PLAIN("%d %d %u", INT_MIN, INT_MAX, UINT_MAX);
  SAME_AS_PLAIN("%hd %hu %hhd %hhu", 70000, 70000, 300, 300);
  SAME_AS_PLAIN("%ld %lu %lx", LONG_MIN, ULONG_MAX, 0x123456789abcdefL);
  SAME_AS_PLAIN("%lld %llu", LLONG_MIN, ULLONG_MAX);
  SAME_AS_PLAIN("%zd %zu", (size_t)-5, SIZE_MAX);
  SAME_AS_PLAIN("%*d|%-*d|%.*d|%*.*d|%*d|%.*d|", 6, 1, 6, 2, 4, 3, 7, 5, 4, -6, 5, -1, 6);
  SAME_AS_PLAIN("%p %p", (void *)16, (void *)NULL);
  SAME_AS_PLAIN("%.200d|%150d", 17, 18);
  for (int width = 250; width < 260; width++)
    SAME_AS_PLAIN("%*d", width, 19);
}

static void
test_reals(void) {
  SAME_AS_PLAIN("%f|%10.3f|%-10.2f|%+.1f|%e|%E|%g|%G", 3.14159, 2.5, -1.25, 7.0, 1e10, 1e-10, 1e20, 0.5);
  SAME_AS_PLAIN("%Lf", 1.5L);
}

static void
test_characters(void) {
  SAME_AS_PLAIN("%c|%5c|%-5c|", 'a', 'b', 'c');
  SAME_AS_PLAIN("%s|%5s|%-5s|%.2s|%5.1s|%-6.2s|%s|", "ab", "cd", "ef", "ghi", "jkl", "mno", "");
  SAME_AS_PLAIN("%*s|%-*s|%.*s|%.*s|", 5, "a", 5, "b", 2, "cde", -1, "fgh");
  char long_string[700];
  memset(long_string, 'x', sizeof long_string - 1);
  long_string[sizeof long_string - 1] = '\0';
  SAME_AS_PLAIN("%s|%800s", long_string, long_string);
  SAME_AS_PLAIN("no conversion %% but one%c", '!');
}

static void
test_cords(void) {
  CORD deep = CORD_cat(CORD_cat("0123456789012345678901234567890123456789", "abc"), "defg");
  const char *flat = "0123456789012345678901234567890123456789abcdefg";
  SAME_AS_STRING("%r|%5r|%-5r|%.2r|%5.1r|%-6.2r|", "%s|%5s|%-5s|%.2s|%5.1s|%-6.2s|",
    "ab", "cd", "ef", "ghi", "jkl", "mno");
  SAME_AS_STRING("%*r|%-*r|%.*r|%.*r|", "%*s|%-*s|%.*s|%.*s|", 5, "a", 5, "b", 2, "cde", -1, "fgh");
  CORD result;
  char expected[300];
  int length = snprintf(expected, sizeof expected, "<%s|%60s|%-60s|%.42s|%50.41s>", flat, flat, flat, flat, flat);
  CHECK(CORD_sprintf(&result, "<%r|%60r|%-60r|%.42r|%50.41r>", deep, deep, deep, deep, deep) == length);
  CHECK(CORD_cmp(result, expected) == 0);
  CHECK(CORD_sprintf(&result, "%r|%3r", CORD_EMPTY, CORD_EMPTY) == 4 && CORD_cmp(result, "|   ") == 0);

  /* With zeroes, which are characters as any. */
  CHECK(CORD_sprintf(&result, "%r%4r", CORD_nul(50), CORD_nul(2)) == 54);
  CHECK(CORD_cmp(result, CORD_catn(3, CORD_nul(50), "  ", CORD_nul(2))) == 0);

  /* Not copied: longer than memory. */
  CHECK(CORD_sprintf(&result, "%.5r", CORD_chars('x', SIZE_MAX / 2)) == 5 && CORD_cmp(result, "xxxxx") == 0);
}

static void
test_counts(void) {
  CORD result;
  int count = -1;
  short count_short = -1;
  long count_long = -1;
  long long count_long_long = -1;
  size_t count_size = 1;
  CHECK(CORD_sprintf(&result, "a%nbc%hnd%lne%r%lln%zn", &count, &count_short, &count_long, "fgh",
    &count_long_long, &count_size) == 8);
  CHECK(CORD_cmp(result, "abcdefgh") == 0);
  CHECK(count == 1 && count_short == 3 && count_long == 4);
  CHECK(count_long_long == 8 && count_size == 8);
}

static char
char_with_error(size_t i, void *client_data) {
  (void)i, (void)client_data;
  errno = EPERM;
  return 'x';
}

/* What bdwgc's does not know, or does wrong. */
static void
test_more(void) {
  static const char *volatile no_string;
  CORD result;
  SAME_AS_PLAIN("%jd %td %qd %Ld %'d", (intmax_t)-1, (ptrdiff_t)-2, 3LL, 4LL, 5);
  SAME_AS_PLAIN("%a %A %F", 1.5, 2.5, 3.5);
  SAME_AS_PLAIN("%f", 1e300);
  SAME_AS_PLAIN("%Lf %Lg|%.d|%.s|%s|%-*s|", 1.5L, 2.5L, 0, "abc", no_string, -5, "x");
  SAME_AS_STRING("%.r|%*r|", "%.s|%*s|", "abc", -5, "x");
  signed char counts[3] = {-1, -1, -1};
  CHECK(CORD_sprintf(&result, "ab%hhn", &counts[1]) == 2);
  CHECK(counts[0] == -1 && counts[1] == 2 && counts[2] == -1);
  CHECK(CORD_sprintf(&result, "%c%3c", 0, 0) == 4);
  CHECK(CORD_cmp(result, CORD_catn(3, CORD_nul(1), "  ", CORD_nul(1))) == 0);
  CHECK(setlocale(LC_ALL, "C.UTF-8"));
  SAME_AS_PLAIN("%lc|%C|%ls|%S|%5ls|", (wint_t)0xe4, (wint_t)0xdf, L"\xe4x", L"y", L"z");
  CHECK(CORD_sprintf(&result, "%lc", (wint_t)0xd800) == -1 && errno == EILSEQ);
  setlocale(LC_ALL, "C");
  CORD file = CORD_from_fn(char_with_error, NULL, 100);
  errno = ENOENT;
  CHECK(CORD_sprintf(&result, "%.4r: %m", file) == 31 && CORD_cmp(result, "xxxx: No such file or directory") == 0);
  CHECK(CORD_sprintf(&result, "%r%r", CORD_chars('x', INT_MAX), "x") == -1 && errno == EOVERFLOW);
}

static void
test_wrong(void) {
  static const char *const wrong[] = {"%", "abc%", "%k", "%5", "%l", "%.3", "%99999999999d", "%.99999999999d", "%1$d"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CORD result = "unchanged";
    CHECK(CORD_sprintf(&result, wrong[i], 1) == -1 && strcmp(result, "unchanged") == 0);
  }
}

static int
vprintf_by_list(FILE *file, CORD format, ...) {
  va_list args;
  va_start(args, format);
  int length = file ? CORD_vfprintf(file, format, args) : CORD_vprintf(format, args);
  va_end(args);
  return length;
}

/* What is written to a file, and to stdout in its place. */
static void
test_written(void) {
  char *written;
  size_t length;
  FILE *file = open_memstream(&written, &length);
  FILE *before = stdout;
  CHECK(CORD_fprintf(file, "%d %r|", 1, "one") == 6);
  CHECK(vprintf_by_list(file, "%d %r|", 2, "two") == 6);
  stdout = file;
  int printed = CORD_printf("%d %r|", 3, "three");
  int printed_by_list = vprintf_by_list(NULL, "%d %r|", 4, "four");
  stdout = before;
  CHECK(printed == 8 && printed_by_list == 7);
  CHECK(CORD_fprintf(file, CORD_EMPTY) == 0);
  CHECK(fclose(file) == 0 && strcmp(written, "1 one|2 two|3 three|4 four|") == 0 && length == strlen(written));
  free(written);

  file = fopen("/dev/full", "w");
  CHECK(file && setvbuf(file, NULL, _IONBF, 0) == 0);
  CHECK(is_reference || CORD_fprintf(file, "text") == -1);   /* bdwgc's does not tell */
  fclose(file);
}

void
test_printf(void) {
  test_integers();
  test_reals();
  test_characters();
  test_cords();
  test_counts();
  test_wrong();
  test_written();
  if (!is_reference)
    test_more();
}
