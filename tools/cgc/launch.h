/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_LAUNCH_H
#define CGC_TOOL_LAUNCH_H

/* Becomes the command; if it cannot, tells why and ends as shells do. */
_Noreturn void launch_exec(char **command);

/* Runs the command and returns its status as shells tell it.  Signals that ask this program to end are passed on to the
 * command, and this program goes on. */
int launch_run(char **command);

#endif
