/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "environment.h"
#include "launch.h"
#include "library.h"

#include <argp.h>

enum key { KEY_LIBRARY = 'l', KEY_OPTION = 'o' };

static const struct argp_option options[] = {
  {"library", KEY_LIBRARY, "FILE", 0, "libcgc.so, if it is neither in $CGC_LIBRARY nor where it was installed", 0},
  {"option", KEY_OPTION, "NAME=VALUE", 0, "an option of the library; may be given several times", 0},
  {NULL, 0, NULL, 0, NULL, 0},
};

struct arguments {
  const char    *library_path;
  struct strings options;
  char         **command;
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_LIBRARY: arguments->library_path = arg; return 0;
  case KEY_OPTION: *LIST_ADD(&arguments->options) = arg; return 0;
  case ARGP_KEY_ARGS:
    arguments->command = state->argv + state->next;
    state->next = state->argc;
    return 0;
  case ARGP_KEY_NO_ARGS: argp_error(state, "no command to run"); return 0;
  default: return ARGP_ERR_UNKNOWN;
  }
}

int
command_run(int argc, char **argv) {
  static const struct argp argp = {
    .options = options, .parser = parse_option, .args_doc = "[--] COMMAND...",
    .doc = "Runs a program with the collector.\v"
           "The exit status is COMMAND's; 127 if it is not found, 126 if it cannot be executed, 2 for wrong usage."};
  struct arguments arguments = {.command = NULL};
  argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
  environment_preload(library_find(arguments.library_path));
  environment_set_option("mode", "collect");
  LIST_EACH(option, &arguments.options)
    environment_add_option(*option);
  launch_exec(arguments.command);
}
