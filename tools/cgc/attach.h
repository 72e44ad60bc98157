/* SPDX-License-Identifier: MIT */
/* A process that runs in mode=leak, with options report and leak-signal, asked for a check while it runs. */
#ifndef CGC_TOOL_ATTACH_H
#define CGC_TOOL_ATTACH_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Asks for a check and waits until it has been made, timeout_s seconds at most.  The file that it is recorded in; the tool
 * ends with a message if there is none.
 */
const char *attach_check(pid_t process, int64_t timeout_s);

#endif
