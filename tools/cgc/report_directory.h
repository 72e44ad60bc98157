/* SPDX-License-Identifier: MIT */
/* The directory that the library writes to. */
#ifndef CGC_TOOL_REPORT_DIRECTORY_H
#define CGC_TOOL_REPORT_DIRECTORY_H

/* The given one, made if need be, or a new one for this user only if that is NULL.  Returns its absolute path. */
const char *report_directory_make(const char *given);

/* With the files in it. */
void report_directory_remove(const char *path);

#endif
