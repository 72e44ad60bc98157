/* SPDX-License-Identifier: MIT */
/* Writing lines of JSON to a file, without allocation; what the file does not take is lost, and noted. */
#ifndef CGC_REPORT_JSON_LINES_H
#define CGC_REPORT_JSON_LINES_H

#include "base/text.h"

#include <stdbool.h>

struct json_lines {
  int  fd;
  int  err;                 /* of opening, or EIO if not all was written */
  bool needs_comma;
  struct text text;
  char buffer[16 * 1024];
};

/* Appends to the file, which is created.  Then it has to be closed, whether that worked or not. */
void json_open(struct json_lines *json, const char *path);
void json_close(struct json_lines *json);

/* A line, an object in all: {"type":TYPE ... } */
void json_begin_line(struct json_lines *json, const char *type);
void json_end_line(struct json_lines *json);

/* Members.  Strings may hold anything: bytes that are not UTF-8 are written as Latin-1. */
void json_add_number(struct json_lines *json, const char *name, uint64_t value);
void json_add_bool(struct json_lines *json, const char *name, bool value);
void json_add_string(struct json_lines *json, const char *name, const char *value);   /* NULL: null */
void json_add_chars(struct json_lines *json, const char *name, const char *chars, size_t bytes);
void json_add_address(struct json_lines *json, const char *name, uintptr_t addr);

/* Arrays and objects within; in an array the members' names are NULL. */
void json_begin(struct json_lines *json, const char *name, char bracket);
void json_end(struct json_lines *json, char bracket);

#endif
