/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "attach.h"
#include "conclude.h"
#include "environment.h"
#include "launch.h"
#include "library.h"
#include "message.h"
#include "report_directory.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum key { KEY_LIBRARY = 'l', KEY_OPTION = 'o', KEY_KEEP = 'k', KEY_INTERVAL = 512, KEY_PID, KEY_TIMEOUT };

static const struct argp_option options[] = {
  {"library", KEY_LIBRARY, "FILE", 0, "libcgc.so, if it is neither in $CGC_LIBRARY nor where it was installed", 0},
  {"option", KEY_OPTION, "NAME=VALUE", 0, "an option of the library; may be given several times", 0},
  {"keep", KEY_KEEP, "DIRECTORY", 0, "keep the library's files there, for \"cgc report\"", 0},
  {"interval", KEY_INTERVAL, "SECONDS", 0, "check so often, and tell where reachable memory grows", 0},
  {"pid", KEY_PID, "PID", 0, "no COMMAND: check a process that \"cgc leaks\" has started, and that goes on", 0},
  {"timeout", KEY_TIMEOUT, "SECONDS", 0, "how long to wait for that, by default 60", 0},
  {NULL, 0, NULL, 0, NULL, 0},
};

struct arguments {
  struct settings settings;
  const char     *library_path, *kept_directory;
  struct strings  options;
  int64_t         interval_s;   /* 0: not asked for */
  int64_t         process;      /* to be asked for a check; 0: none */
  int64_t         timeout_s;
  char          **command;
};

static int64_t
parse_number(const char *text, const char *what, long max, const struct argp_state *state) {
  char *end;
  long number = strtol(text, &end, 10);
  if (end == text || *end || number < 1 || number > max)
    argp_error(state, "\"%s\" is not %s from 1 to %ld", text, what, max);
  return number;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state) {
  enum { DAY_S = 86400 };   /* the library takes no more */
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_LIBRARY: arguments->library_path = arg; return 0;
  case KEY_OPTION: *LIST_ADD(&arguments->options) = arg; return 0;
  case KEY_KEEP: arguments->kept_directory = arg; return 0;
  case KEY_INTERVAL: arguments->interval_s = parse_number(arg, "a number of seconds", DAY_S, state); return 0;
  case KEY_TIMEOUT: arguments->timeout_s = parse_number(arg, "a number of seconds", DAY_S, state); return 0;
  case KEY_PID: arguments->process = parse_number(arg, "a process id", INT_MAX, state); return 0;
  case ARGP_KEY_INIT: state->child_inputs[0] = &arguments->settings; return 0;
  case ARGP_KEY_ARGS:
    arguments->command = state->argv + state->next;
    state->next = state->argc;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->command == !arguments->process)
      argp_error(state, arguments->command ? "--pid takes no command" : "no command to run");
    return 0;
  default: return ARGP_ERR_UNKNOWN;
  }
}

static struct arguments
parse(int argc, char **argv) {
  static const struct argp_child children[] = {{&settings_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
  static const struct argp argp = {
    .options = options, .parser = parse_option, .children = children, .args_doc = "[--] COMMAND...\n--pid=PID",
    .doc = "Runs a program, and all that it starts, and tells what they leaked, by default on standard error.\v"
           "Exit status: COMMAND's own if it is not 0 (128 and the signal if one ended it, 127 if it is not found); "
           "else that of --exit-code if leaks count; else 24 if a process was not checked, or none was; else 0.  With "
           "--exit-code-wins COMMAND's comes last.  2 for wrong usage and files that cannot be read or written."};
  struct arguments arguments = {.settings = SETTINGS_DEFAULT, .timeout_s = 60};
  argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
  return arguments;
}

static bool
has_option(const struct arguments *arguments, const char *start) {
  LIST_EACH(option, &arguments->options)
    if (strncmp(*option, start, strlen(start)) == 0)
      return true;
  return false;
}

/* Growth cannot be seen without several checks. */
static void
set_interval(const struct arguments *arguments) {
  int64_t interval_s = arguments->interval_s;
  if (interval_s == 0 && arguments->settings.fail_on == FAIL_ON_GROWTH)
    interval_s = 1;
  if (interval_s == 0)
    return;
  if (arguments->interval_s > 0 || !has_option(arguments, "leak-interval="))
    environment_set_option("leak-interval", memory_format("%" PRId64, interval_s));
  environment_set_option("sites", "1");
}

/* The library must neither end a program with a status of its own nor write elsewhere, whatever the user says. */
static void
set_environment(const struct arguments *arguments, const char *library_path, const char *directory) {
  environment_preload(library_path);
  LIST_EACH(option, &arguments->options)
    environment_add_option(*option);
  set_interval(arguments);
  if (!has_option(arguments, "leak-signal="))
    environment_set_option("leak-signal", "59");   /* for --pid */
  environment_set_option("exit-code", "0");
  environment_set_option("mode", "leak");
  environment_set_option("report", memory_format("%s/%%p.jsonl", directory));
}

/* Background processes may outlive the command. */
static void
note_running(const struct record *record) {
  LIST_EACH(image, &record->images) {
    struct process *process = (*image)->process;
    if (process->error && process->pid > 0 && (kill((pid_t)process->pid, 0) == 0 || errno == EPERM))
      process->error = "it is still running";
  }
}

static void
tell_if_no_reports(const struct record *record, char **command, int status) {
  if (record->images.count == 0 && status != STATUS_NOT_FOUND && status != STATUS_NOT_EXECUTABLE)
    message("%s left no report: a program that is linked statically or has a set-user-ID bit cannot be checked",
            command[0]);
}

static struct strings
strings_of(char **list) {
  struct strings strings = {NULL, 0, 0};
  for (; *list; list++)
    *LIST_ADD(&strings) = *list;
  return strings;
}

static int
check_running(const struct arguments *arguments, struct policy *policy) {
  struct record record = {.modules = {NULL, 0, 0}};
  struct leak_report report = {.command = {NULL, 0, 0}};
  record_read(&record, attach_check((pid_t)arguments->process, arguments->timeout_s));
  return conclude(policy, &record, &report, 0, stderr);
}

int
command_leaks(int argc, char **argv) {
  struct arguments arguments = parse(argc, argv);
  struct policy policy = policy_read(&arguments.settings);   /* what is wrong with it is told before anything runs */
  if (arguments.process)
    return check_running(&arguments, &policy);
  struct record record = {.modules = {NULL, 0, 0}};
  struct leak_report report = {.command = strings_of(arguments.command)};
  const char *library_path = library_find(arguments.library_path);
  const char *directory = report_directory_make(arguments.kept_directory);
  set_environment(&arguments, library_path, directory);
  int command_status = launch_run(arguments.command);
  record_read(&record, directory);
  note_running(&record);
  if (!arguments.kept_directory)
    report_directory_remove(directory);
  tell_if_no_reports(&record, arguments.command, command_status);
  return conclude(&policy, &record, &report, command_status, stderr);
}
