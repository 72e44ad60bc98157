/* SPDX-License-Identifier: MIT */
/* What the library says to the program's functions, and to people. */
#ifndef CGC_LIB_BOEHM_MESSAGES_H
#define CGC_LIB_BOEHM_MESSAGES_H

#include "base/compiler.h"

#include <stddef.h>

#define MESSAGES_PRINTED __attribute__((format(printf, 1, 2)))

/* As printf, to standard output, standard error, or where GC_set_log_fd says.  bdwgc exports them, but no header has
 * them. */
CGC_EXPORT void GC_printf(const char *format, ...) MESSAGES_PRINTED;
CGC_EXPORT void GC_err_printf(const char *format, ...) MESSAGES_PRINTED;
CGC_EXPORT void GC_log_printf(const char *format, ...) MESSAGES_PRINTED;

/* The format has one conversion of a word, as a warning function of gc.h gets it. */
void messages_warn(const char *format, uintptr_t word);

/* Tells the abort function of gc.h, and aborts. */
__attribute__((noreturn)) void messages_abort(const char *text);

/* GC_oom_fn at first: warns, and returns NULL. */
void *messages_no_memory(size_t bytes);

/* In a stop: noted to be warned of later. */
void messages_note_cycle_stw(uintptr_t addr);
void messages_warn_of_cycles(void);

#endif
