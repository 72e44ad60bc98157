/* SPDX-License-Identifier: MIT */
/* Where lines for people go: standard error, or the file of option `log`. */
#ifndef CGC_BASE_LOG_H
#define CGC_BASE_LOG_H

#include "base/text.h"

/* Sends lines to this file from now on; "%p" stands for the process id.
 * The path is copied; longer than 255 bytes it is refused (returns ENAMETOOLONG). */
int log_set_path(const char *path);

/* Appends the text with one write(2).  Async-signal-safe. */
void log_write(const struct text *text);

#endif
