/* SPDX-License-Identifier: MIT */
/* The commands, each in a file command_NAME.c.  argv[0] is "cgc NAME". */
#ifndef CGC_TOOL_COMMAND_H
#define CGC_TOOL_COMMAND_H

typedef int command_function(int argc, char **argv);

command_function command_run, command_leaks, command_report, command_diff;

#endif
