/* SPDX-License-Identifier: MIT */
/*
 * Checks.  CGC_CHECK is always on and stays off fast paths; CGC_ASSERT is for
 * debug builds.  Both are compiled in every build.
 */
#ifndef CGC_BASE_FATAL_H
#define CGC_BASE_FATAL_H

#include "base/compiler.h"

/* Writes one line to the log and aborts.  Allocates nothing, takes no lock.
 * Async-signal-safe. */
CGC_COLD _Noreturn void fatal(const char *what, const char *file, int line);

#define CGC_CHECK(c)  ((void)(CGC_LIKELY(c) || (fatal(#c, __FILE__, __LINE__), 0)))
#define CGC_ASSERT(c) \
  ((void)(!CGC_CONFIG_DEBUG || CGC_LIKELY(c) || (fatal(#c, __FILE__, __LINE__), 0)))

#endif
