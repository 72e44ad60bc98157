/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "memory.h"
#include "message.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

const char *argp_program_version = "cgc " PACKAGE_VERSION;

static const struct {
  const char       *name, *help;
  command_function *run;
} commands[] = {
  {"run", "run a program and reclaim what it leaks", command_run},
  {"leaks", "run a program and tell what it leaked", command_leaks},
  {"report", "tell it from the library's files", command_report},
  {"diff", "tell which leaks are new", command_diff},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void
print_help(FILE *file) {
  fputs("Usage: cgc COMMAND [OPTION...] ...\n\n", file);
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    fprintf(file, "  cgc %-8s %s\n", commands[i].name, commands[i].help);
  fputs("\n\"cgc COMMAND --help\" tells of a command, \"cgc --version\" the version.\n", file);
}

static int
run_command(const char *name, int argc, char **argv) {
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    if (strcmp(name, commands[i].name) == 0) {
      argv[0] = memory_format("cgc %s", name);
      return commands[i].run(argc, argv);
    }
  message("\"%s\" is no command", name);
  print_help(stderr);
  return STATUS_TROUBLE;
}

int
main(int argc, char **argv) {
  argp_err_exit_status = STATUS_TROUBLE;
  if (argc < 2) {
    print_help(stderr);
    return STATUS_TROUBLE;
  }
  if (strcmp(argv[1], "--help") == 0)
    print_help(stdout);
  else if (strcmp(argv[1], "--version") == 0)
    puts(argp_program_version);
  else
    return run_command(argv[1], argc - 1, argv + 1);
  return 0;
}
