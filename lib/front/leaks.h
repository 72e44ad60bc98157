/* SPDX-License-Identifier: MIT */
/* mode=leak: when checks are made, and what comes of them. */
#ifndef CGC_FRONT_LEAKS_H
#define CGC_FRONT_LEAKS_H

#include <stdint.h>

/* Once, before the program's code runs. */
void leaks_start(void);

struct check_result {
  int  err;      /* why it could not be made, or 0 */
  long blocks;   /* leaked */
};

/* At the request of the program, or of the thread of option leak-interval. */
struct check_result leaks_check_requested(void);
void                leaks_check_interval(void);

/* The last check, unless there was one; then, with leaks, the process ends.  As LeakSanitizer has it. */
void leaks_check_for_good(void);

/* The process is about to end with that status, in that way: the last check, unless there was one.  The thread's stack
 * counts from stack_pointer; 0: from the caller's frame.  Returns the status to end with. */
int leaks_end(int status, const char *how, uintptr_t stack_pointer);

/* It is about to exec. */
void leaks_note_exec(const char *path);

#endif
