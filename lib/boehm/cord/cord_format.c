/* SPDX-License-Identifier: MIT */
#include "boehm/cord/cord_format.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(intmax_t) && sizeof(long) == sizeof(size_t) &&
  sizeof(long) == sizeof(ptrdiff_t), "all that is larger than int is passed as long is");

static const char FLAGS[] = "-+ #0'I";
enum { FLAG_COUNT = sizeof FLAGS - 1 };

static_assert(FORMAT_TEXT_BYTES > 1 + FLAG_COUNT + 10 + 1 + 10 + 2 + 1, "all of a specification and its zero");

static char
format_peek(const struct format_input *input) {
  return input->next < input->end ? *input->next : '\0';
}

static bool
format_accept(struct format_input *input, char c) {
  if (c == '\0' || format_peek(input) != c)
    return false;
  input->next++;
  return true;
}

/* Digits, or none, which are 0.  False if it is too large. */
static bool
format_number(struct format_input *input, int *number) {
  long long value = 0;
  while (format_peek(input) >= '0' && format_peek(input) <= '9') {
    value = 10 * value + (*input->next++ - '0');
    if (value > INT_MAX)
      return false;
  }
  *number = (int)value;
  return true;
}

/* Digits, or "*" for the next argument. */
static bool
format_count(struct format_input *input, va_list *args, int *count) {
  if (!format_accept(input, '*'))
    return format_number(input, count);
  *count = va_arg(*args, int);
  return true;
}

/* Each flag once, as it does not matter how often it is given. */
static void
format_flags(struct format_input *input, char flags[FLAG_COUNT + 1]) {
  size_t count = 0;
  for (char c; (c = format_peek(input)) && strchr(FLAGS, c); input->next++)
    if (!memchr(flags, c, count))
      flags[count++] = c;
  flags[count] = '\0';
}

static enum format_size
format_size(struct format_input *input) {
  if (format_accept(input, 'h'))
    return format_accept(input, 'h') ? FORMAT_SIZE_CHAR : FORMAT_SIZE_SHORT;
  if (format_accept(input, 'l')) {
    format_accept(input, 'l');
    return FORMAT_SIZE_LONG;
  }
  if (format_accept(input, 'L'))
    return FORMAT_SIZE_LONG_DOUBLE;
  bool is_long = format_accept(input, 'j') || format_accept(input, 'z') || format_accept(input, 't') ||
    format_accept(input, 'q') || format_accept(input, 'Z');
  return is_long ? FORMAT_SIZE_LONG : FORMAT_SIZE_INT;
}

static void
format_write(struct format_spec *spec, const char *flags) {
  static const char *const sizes[] = {
    [FORMAT_SIZE_INT] = "", [FORMAT_SIZE_CHAR] = "hh", [FORMAT_SIZE_SHORT] = "h", [FORMAT_SIZE_LONG] = "l",
    [FORMAT_SIZE_LONG_DOUBLE] = "L",
  };
  char width[12] = "";
  char precision[12] = "";
  if (spec->width)
    snprintf(width, sizeof width, "%d", spec->width);
  if (spec->precision >= 0)
    snprintf(precision, sizeof precision, ".%d", spec->precision);
  snprintf(spec->text, sizeof spec->text, "%%%s%s%s%s%c", flags, width, precision, sizes[spec->size], spec->conversion);
}

bool
format_parse(struct format_input *input, va_list *args, struct format_spec *spec) {
  char flags[FLAG_COUNT + 2] = "";
  format_flags(input, flags);
  if (!format_count(input, args, &spec->width) || spec->width == INT_MIN)
    return false;
  if (spec->width < 0) {
    spec->width = -spec->width;
    strcat(flags, strchr(flags, '-') ? "" : "-");
  }
  spec->precision = -1;
  if (format_accept(input, '.') && !format_count(input, args, &spec->precision))
    return false;
  spec->size = format_size(input);
  spec->conversion = format_peek(input);
  spec->is_left = strchr(flags, '-') != NULL;
  if (!spec->conversion)
    return false;
  input->next++;
  format_write(spec, flags);
  return true;
}
