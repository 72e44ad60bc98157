/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_FILE_TEXT_H
#define CGC_TOOL_FILE_TEXT_H

/* All of a file; the program ends with a message if it cannot be read. */
const char *file_text_read(const char *path);

/* A line of a file without its end, counted from 1; NULL if there is none. */
const char *file_text_line(const char *path, unsigned line_number);

#endif
