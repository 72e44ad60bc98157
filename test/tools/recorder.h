/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for the library: when it is preloaded it writes a record as doc/report-format.md tells, of leaks that the
 * program makes up.  Their stacks are real.
 */
#ifndef CGC_TEST_RECORDER_H
#define CGC_TEST_RECORDER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A leaked block, allocated by the caller. */
void recorder_leak(const char *kind, size_t bytes) __attribute__((weak));

/* Blocks in use, as the next check finds them. */
void recorder_site(size_t bytes) __attribute__((weak));

/* A check before the one at the end; error: NULL, or why it could not be made. */
void recorder_check(const char *error) __attribute__((weak));

/* No check at the end, but for error NULL. */
void recorder_fail(const char *error) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
