/* SPDX-License-Identifier: MIT */
/* Conversion specifications of printf, taken apart. */
#ifndef CGC_BOEHM_CORD_FORMAT_H
#define CGC_BOEHM_CORD_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Of an argument, as it is passed, or of what %n points to. */
enum format_size {
  FORMAT_SIZE_INT, FORMAT_SIZE_CHAR, FORMAT_SIZE_SHORT, FORMAT_SIZE_LONG, FORMAT_SIZE_LONG_DOUBLE
};

enum { FORMAT_TEXT_BYTES = 48 };

struct format_spec {
  enum format_size size;
  char conversion;
  bool is_left;             /* flag "-" */
  int width;                /* 0 if there is none */
  int precision;            /* -1 if there is none */
  char text[FORMAT_TEXT_BYTES];   /* for the C library's printf: no "*" in it, and all sizes of long as "l" */
};

/* The characters of a format that are still to be read. */
struct format_input {
  const char *next;
  const char *end;
};

/* Reads a specification behind its "%", and from args the values of each "*".  False if it is wrong, not whether
 * the conversion exists. */
bool format_parse(struct format_input *input, va_list *args, struct format_spec *spec);

#endif
