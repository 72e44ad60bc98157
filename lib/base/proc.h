/* SPDX-License-Identifier: MIT */
/* Reading files and directories of /proc, without stdio and without allocation. */
#ifndef CGC_BASE_PROC_H
#define CGC_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_reader {
  int    fd;
  int    err;                 /* set when a read fails */
  bool   skips_line;          /* the line was longer than the buffer: its rest is left out */
  size_t start, end;
  char   buffer[4096];
};

/* 0 or an errno code: then there is nothing to close. */
int  line_reader_open(struct line_reader *reader, const char *path);
void line_reader_close(struct line_reader *reader);

/* The next line, ended by 0 in the buffer, or NULL at the end or on an error.  A long one is cut. */
char *line_reader_next(struct line_reader *reader);

/* The number whose digits (of base 10 or 16, in small letters) the text begins with; 0 if there are none. */
uint64_t proc_parse_number(const char *text, unsigned base);

/* What the process holds in memory; 0 if that is not known. */
uint64_t proc_resident_bytes(void);

/* Reads hexadecimal digits; returns what follows them. */
const char *proc_parse_hex(const char *text, uintptr_t *value);

struct mapping {
  uintptr_t start_addr, end_addr;
  bool      is_private, is_readable, is_writable;
};

/* "START-END rwxp ...", a line of maps or smaps; another one leaves the mapping as it is and gives false. */
bool proc_parse_mapping(const char *line, struct mapping *mapping);

/* Calls visit for each mapping of the process, in ascending order, with its line of maps, until it returns an errno code.
 * 0 or that, or one of the system's. */
int proc_visit_mappings(int (*visit)(const struct mapping *mapping, const char *line, void *arg), void *arg);

/* Calls visit for each entry of a directory whose name is a number, until it returns false.  0 or an errno
 * code; 0 also if stopped. */
int proc_visit_numbers(const char *path, bool (*visit)(int number, void *arg), void *arg);

#endif
