/* SPDX-License-Identifier: MIT */
/**
 * What the library says: warnings, the log, dumps, and last words.
 */
#ifndef CGC_BOEHM_MESSAGES_H
#define CGC_BOEHM_MESSAGES_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called with a warning: a format for printf, and its one argument.  The setter and the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_warn_proc)(char * /* format */, GC_word /* argument */);
GC_API void GC_CALL GC_set_warn_proc(GC_warn_proc) GC_ATTR_NONNULL(1);
GC_API GC_warn_proc GC_CALL GC_get_warn_proc(void);

/**
 * For GC_set_warn_proc: says nothing.
 */
GC_API void GC_CALLBACK GC_ignore_warn_proc(char *, GC_word);

/**
 * Called before the library ends the program: with the reason before abort, with NULL before exit.  The default one
 * writes the reason to stderr.  The setter and the getter take the lock.
 */
typedef void (GC_CALLBACK *GC_abort_func)(const char * /* reason */);
GC_API void GC_CALL GC_set_abort_func(GC_abort_func) GC_ATTR_NONNULL(1);
GC_API GC_abort_func GC_CALL GC_get_abort_func(void);

/**
 * Sets the file descriptor that the log is written to.
 */
GC_API void GC_CALL GC_set_log_fd(int);

/**
 * Write the state of the heap to the log: everything, under the name of the last collection (takes the lock); the same
 * under a name of the program's, NULL for that of the last collection; the parts of the heap only; the finalizers and
 * links only.
 */
GC_API void GC_CALL GC_dump(void);
GC_API void GC_CALL GC_dump_named(const char * /* name */);
GC_API void GC_CALL GC_dump_regions(void);
GC_API void GC_CALL GC_dump_finalization(void);

#ifdef __cplusplus
}
#endif

#endif
