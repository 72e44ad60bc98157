/* SPDX-License-Identifier: MIT */
/* Which programs' leaks are told: globs on their paths. */
#ifndef CGC_TOOL_PROGRAMS_H
#define CGC_TOOL_PROGRAMS_H

#include "record.h"

struct programs {
  struct strings only, skipped;   /* none of the first: all programs */
};

/*
 * A pattern without / is of a program's base name, one that begins with / of its path, any other of its path below a
 * directory.
 */
bool programs_match(const char *pattern, const char *directory, const char *path);

/* Takes the other programs' processes out of the record and returns how many these were. */
size_t programs_select(const struct programs *programs, struct record *record);

#endif
