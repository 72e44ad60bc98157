/* SPDX-License-Identifier: MIT */
/*
 * printf with cords.  A conversion of anything but cords, single bytes and %n is the C library's.
 */
#include "boehm/cord/cord_balance.h"
#include "boehm/cord/cord_copy.h"
#include "boehm/cord/cord_format.h"
#include "boehm/cord/cord_node.h"

#include <errno.h>
#include <gc/gc.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

struct printer {
  struct cord_piece result;
  va_list args;
  int errno_before;         /* for %m */
};

/* All functions below are true, or false if there is an error. */

static bool
print_piece(struct printer *printer, struct cord_piece piece) {
  if (piece.length > INT_MAX - printer->result.length) {
    errno = EOVERFLOW;
    return false;
  }
  printer->result = cord_piece_of(CORD_cat(printer->result.cord, piece.cord));
  return true;
}

static bool
print_padded(struct printer *printer, const struct format_spec *spec, struct cord_piece piece) {
  size_t width = (size_t)spec->width;
  size_t missing = width > piece.length ? width - piece.length : 0;
  struct cord_piece spaces = {CORD_chars(' ', missing), missing};
  return spec->is_left ? print_piece(printer, piece) && print_piece(printer, spaces) :
    print_piece(printer, spaces) && print_piece(printer, piece);
}

static bool
print_cord(struct printer *printer, const struct format_spec *spec) {
  CORD cord = va_arg(printer->args, CORD);
  if (spec->precision >= 0)
    cord = CORD_substr(cord, 0, (size_t)spec->precision);
  return print_padded(printer, spec, cord_piece_of(cord));
}

static bool
print_byte(struct printer *printer, const struct format_spec *spec) {
  char c = (char)va_arg(printer->args, int);
  return print_padded(printer, spec, cord_of_copy(&c, 1));
}

static bool
print_count_so_far(struct printer *printer, const struct format_spec *spec) {
  void *to = va_arg(printer->args, void *);
  size_t count = printer->result.length;
  switch (spec->size) {
    case FORMAT_SIZE_CHAR: *(signed char *)to = (signed char)count; return true;
    case FORMAT_SIZE_SHORT: *(short *)to = (short)count; return true;
    case FORMAT_SIZE_INT: *(int *)to = (int)count; return true;
    default: *(long *)to = (long)count; return true;
  }
}

/* ---- the C library's conversions ---- */

enum { PRINT_BUFFER_BYTES = 256 };

static bool
print_formatted(struct printer *printer, const char *format, ...) {
  char buffer[PRINT_BUFFER_BYTES];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(buffer, sizeof buffer, format, args);
  va_end(args);
  if (length < 0)
    return false;
  if (length < PRINT_BUFFER_BYTES)
    return print_piece(printer, cord_of_copy(buffer, (size_t)length));

  char *block = cord_alloc_chars((size_t)length);
  va_start(args, format);
  vsnprintf(block, (size_t)length + 1, format, args);
  va_end(args);
  return print_piece(printer, cord_of_block(block, (size_t)length));
}

static bool
size_is_int(enum format_size size) {
  return size == FORMAT_SIZE_INT || size == FORMAT_SIZE_CHAR || size == FORMAT_SIZE_SHORT;
}

static bool
print_integer(struct printer *printer, const struct format_spec *spec) {
  if (size_is_int(spec->size))
    return print_formatted(printer, spec->text, va_arg(printer->args, int));
  return print_formatted(printer, spec->text, va_arg(printer->args, long));
}

static bool
print_real(struct printer *printer, const struct format_spec *spec) {
  if (spec->size == FORMAT_SIZE_LONG_DOUBLE)
    return print_formatted(printer, spec->text, va_arg(printer->args, long double));
  return print_formatted(printer, spec->text, va_arg(printer->args, double));
}

static bool
print_pointer(struct printer *printer, const struct format_spec *spec) {
  return print_formatted(printer, spec->text, va_arg(printer->args, void *));
}

static bool
print_wide(struct printer *printer, const struct format_spec *spec) {
  return print_formatted(printer, spec->text, va_arg(printer->args, wint_t));
}

static bool
print_without_argument(struct printer *printer, const struct format_spec *spec) {
  errno = printer->errno_before;
  return print_formatted(printer, spec->text);
}

/* ---- formats ---- */

static bool
print_conversion(struct printer *printer, const struct format_spec *spec) {
  switch (spec->conversion) {
    case 'r':
      return print_cord(printer, spec);
    case 'n':
      return print_count_so_far(printer, spec);
    case 'c':
      return spec->size == FORMAT_SIZE_LONG ? print_wide(printer, spec) : print_byte(printer, spec);
    case 'C':
      return print_wide(printer, spec);
    case 's': case 'S': case 'p':
      return print_pointer(printer, spec);
    case 'd': case 'i': case 'o': case 'u': case 'x': case 'X': case 'b': case 'B':
      return print_integer(printer, spec);
    case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
      return print_real(printer, spec);
    case 'm': case '%':
      return print_without_argument(printer, spec);
    default:
      errno = EINVAL;
      return false;
  }
}

static bool
print_specification(struct printer *printer, struct format_input *input) {
  struct format_spec spec;
  if (format_parse(input, &printer->args, &spec))
    return print_conversion(printer, &spec);
  errno = EINVAL;
  return false;
}

static bool
print_text(struct printer *printer, struct format_input *input) {
  const char *start = input->next;
  const char *percent = memchr(start, '%', (size_t)(input->end - start));
  input->next = percent ? percent : input->end;
  return print_piece(printer, cord_of_copy(start, (size_t)(input->next - start)));
}

static bool
print_all(struct printer *printer, struct format_input input) {
  while (input.next < input.end) {
    bool is_specification = *input.next == '%';
    if (is_specification)
      input.next++;
    if (!(is_specification ? print_specification(printer, &input) : print_text(printer, &input)))
      return false;
  }
  return true;
}

int
CORD_vsprintf(CORD *result, CORD format, va_list args) {
  struct printer printer = {.result = {NULL, 0}, .errno_before = errno};
  const char *chars = CORD_to_const_char_star(format);
  va_copy(printer.args, args);
  bool is_done = print_all(&printer, (struct format_input){chars, chars + CORD_len(format)});
  va_end(printer.args);
  if (!is_done)
    return -1;
  GC_PTR_STORE_AND_DIRTY(result, printer.result.cord);
  return (int)printer.result.length;
}

int
CORD_vfprintf(FILE *file, CORD format, va_list args) {
  CORD result;
  int length = CORD_vsprintf(&result, format, args);
  return length >= 0 && CORD_put(result, file) == EOF ? -1 : length;
}

int
CORD_vprintf(CORD format, va_list args) {
  return CORD_vfprintf(stdout, format, args);
}

int
CORD_sprintf(CORD *result, CORD format, ...) {
  va_list args;
  va_start(args, format);
  int length = CORD_vsprintf(result, format, args);
  va_end(args);
  return length;
}

int
CORD_fprintf(FILE *file, CORD format, ...) {
  va_list args;
  va_start(args, format);
  int length = CORD_vfprintf(file, format, args);
  va_end(args);
  return length;
}

int
CORD_printf(CORD format, ...) {
  va_list args;
  va_start(args, format);
  int length = CORD_vprintf(format, args);
  va_end(args);
  return length;
}
