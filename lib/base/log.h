/* SPDX-License-Identifier: MIT */
/* Where lines for people go: standard error, or the file of option `log`. */
#ifndef CGC_BASE_LOG_H
#define CGC_BASE_LOG_H

#include "base/path_template.h"
#include "base/text.h"

/* Sends lines to this file from now on, which is constant; empty: to standard error. */
void log_set_path(const struct path_template *path);

/* Appends the text with one write(2).  Async-signal-safe. */
void log_write(const struct text *text);

#endif
