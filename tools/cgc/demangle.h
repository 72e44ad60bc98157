/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_DEMANGLE_H
#define CGC_TOOL_DEMANGLE_H

/* The name as it was written in C++ or Rust; other names as they are.  Any thread. */
const char *demangle(const char *raw_name);

#endif
