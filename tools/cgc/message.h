/* SPDX-License-Identifier: MIT */
/* Lines on standard error, and the exit statuses that are ours. */
#ifndef CGC_TOOL_MESSAGE_H
#define CGC_TOOL_MESSAGE_H

enum status {
  STATUS_NEW_LEAKS = 1,    /* diff */
  STATUS_TROUBLE = 2,      /* wrong usage, files that cannot be read or written */
  STATUS_LEAKS = 23,       /* the default of --exit-code */
  STATUS_UNCHECKED = 24,
  STATUS_NOT_EXECUTABLE = 126,
  STATUS_NOT_FOUND = 127,
  STATUS_SIGNAL = 128,     /* and the signal's number */
};

void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void message_die(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
