/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_LIBRARY_H
#define CGC_TOOL_LIBRARY_H

/* The absolute path of libcgc.so: the given one, or of $CGC_LIBRARY, or beside this program, or where it was
 * installed.  The program ends with a message if there is none, or none that LD_PRELOAD can name. */
const char *library_find(const char *given);

#endif
