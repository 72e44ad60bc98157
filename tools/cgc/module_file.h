/* SPDX-License-Identifier: MIT */
/*
 * The file that a module was loaded from, or its debugging information by build-id, read by libdw.  Different files may
 * be used by different threads at the same time.
 */
#ifndef CGC_TOOL_MODULE_FILE_H
#define CGC_TOOL_MODULE_FILE_H

#include "leaks.h"

/* Once, before the others. */
void module_file_begin(void);

/* NULL and the reason if there is no file, or it is not the one that was loaded.  build_id: "" if it is not known. */
struct module_file *module_file_open(const char *path, const char *build_id, const char **problem);
void module_file_close(struct module_file *file);

/* Adds the functions at an address of the ELF file: inlined calls first, then the function they are in; none if it is
 * not known.  Sets function, raw_name, file, line, column and is_inlined only. */
void module_file_look_up(struct module_file *file, uint64_t offset, struct frames *frames);

#endif
