/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "conclude.h"

struct arguments {
  struct settings settings;
  struct strings  paths;
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT: state->child_inputs[0] = &arguments->settings; return 0;
  case ARGP_KEY_ARG: *LIST_ADD(&arguments->paths) = arg; return 0;
  case ARGP_KEY_NO_ARGS: argp_error(state, "no file to read"); return 0;
  default: return ARGP_ERR_UNKNOWN;
  }
}

static struct arguments
parse(int argc, char **argv) {
  static const struct argp_child children[] = {{&settings_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
  static const struct argp argp = {
    .parser = parse_option, .children = children, .args_doc = "FILE|DIRECTORY...",
    .doc = "Tells what was leaked, from the files that the library wrote with option report.\v"
           "Exit status: 0 if nothing counts, that of --exit-code if leaks do, 24 if a process was not checked or "
           "nothing was, 2 for wrong usage and files that cannot be read or written."};
  struct arguments arguments = {.settings = SETTINGS_DEFAULT};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  return arguments;
}

int
command_report(int argc, char **argv) {
  struct arguments arguments = parse(argc, argv);
  struct policy policy = policy_read(&arguments.settings);
  struct record record = {.modules = {NULL, 0, 0}};
  struct leak_report report = {.command = {NULL, 0, 0}};
  LIST_EACH(path, &arguments.paths)
    record_read(&record, *path);
  return conclude(&policy, &record, &report, 0, stdout);
}
