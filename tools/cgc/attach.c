/* SPDX-License-Identifier: MIT */
#include "attach.h"

#include "memory.h"
#include "message.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- what the process was started with ---- */

/* What the library was told, of each option the last that counts; NULL: nothing. */
struct wanted {
  const char *mode, *report, *leak_signal;
};

static FILE *
open_of_process(pid_t process, const char *name) {
  FILE *file = fopen(memory_format("/proc/%d/%s", (int)process, name), "r");
  if (!file && (errno == ENOENT || errno == ESRCH))
    message_die(STATUS_TROUBLE, "there is no process %d", (int)process);
  if (!file)
    message_die(STATUS_TROUBLE, "process %d: %s", (int)process, strerror(errno));
  return file;
}

static const char **
place_of(struct wanted *wanted, const char *name, size_t length) {
  static const char *const names[] = {"mode", "report", "leak-signal"};
  const char **places[] = {&wanted->mode, &wanted->report, &wanted->leak_signal};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
      return places[i];
  return NULL;
}

/* name=value:name=value */
static void
take_list(struct wanted *wanted, const char *list) {
  while (*list) {
    size_t length = strcspn(list, ":"), name_length = strcspn(list, "=:");
    const char **place = place_of(wanted, list, name_length);
    if (place && list[name_length] == '=')
      *place = memory_copy(list + name_length + 1, length - name_length - 1);
    list += length + (list[length] == ':');
  }
}

static const char *
value_if(const char *entry, const char *variable) {
  size_t length = strlen(variable);
  return strncmp(entry, variable, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

static void
take_variable(const char **place, const char *entry, const char *variable) {
  const char *value = value_if(entry, variable);
  if (value)
    *place = memory_copy(value, strlen(value));
}

/* An option's own variable wins over the list. */
static struct wanted
read_wanted(pid_t process) {
  struct wanted wanted = {NULL, NULL, NULL}, own = wanted;
  FILE *file = open_of_process(process, "environ");
  char *entry = NULL;
  size_t capacity = 0;
  while (getdelim(&entry, &capacity, 0, file) > 0) {
    const char *list = value_if(entry, "CGC_OPTIONS");
    if (list)
      take_list(&wanted, list);
    take_variable(&own.mode, entry, "CGC_MODE");
    take_variable(&own.report, entry, "CGC_REPORT");
    take_variable(&own.leak_signal, entry, "CGC_LEAK_SIGNAL");
  }
  free(entry);
  fclose(file);
  return (struct wanted){own.mode ? own.mode : wanted.mode, own.report ? own.report : wanted.report,
                         own.leak_signal ? own.leak_signal : wanted.leak_signal};
}

/* It may have ended when its record is read. */
static const char *
directory_of(pid_t process) {
  char *path = realpath(memory_format("/proc/%d/cwd", (int)process), NULL);
  if (!path)
    message_die(STATUS_TROUBLE, "the working directory of process %d: %s", (int)process, strerror(errno));
  return memory_format("%s/", path);
}

/* %p stands for the process id; a relative path is one of the process. */
static const char *
report_path(pid_t process, const char *pattern) {
  const char *path = *pattern == '/' ? "" : directory_of(process);
  for (const char *c = pattern; *c; c++) {
    bool is_id = c[0] == '%' && c[1] == 'p';
    path = is_id ? memory_format("%s%d", path, (int)process) : memory_format("%s%c", path, *c);
    c += is_id;
  }
  return path;
}

/* ---- its state ---- */

struct state {
  bool     has_ended;
  uint64_t caught;   /* signals that it handles: the lowest bit is signal 1 */
};

static struct state
read_state(pid_t process) {
  struct state state = {false, 0};
  FILE *file = fopen(memory_format("/proc/%d/status", (int)process), "r");
  char line[256], letter = 'X';
  while (file && fgets(line, sizeof line, file)) {
    sscanf(line, "State: %c", &letter);
    sscanf(line, "SigCgt: %lx", &state.caught);
  }
  if (file)
    fclose(file);
  state.has_ended = letter == 'X' || letter == 'Z';
  return state;
}

/* Of its last program. */
static unsigned
count_checks(const char *path) {
  unsigned count = 0;
  FILE *file = fopen(path, "r");
  char *line = NULL;
  size_t capacity = 0;
  if (!file)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  while (getline(&line, &capacity, file) > 0) {
    bool is_whole = strchr(line, '\n');
    if (strncmp(line, "{\"type\":\"process\"", 17) == 0)
      count = 0;
    else if (strncmp(line, "{\"type\":\"check\"", 15) == 0)
      count += is_whole;
  }
  free(line);
  fclose(file);
  return count;
}

/* ---- a check ---- */

static int
signal_to_send(pid_t process, const struct wanted *wanted) {
  int number = wanted->leak_signal ? atoi(wanted->leak_signal) : 0;
  if (!wanted->mode || strcmp(wanted->mode, "leak") != 0 || !wanted->report)
    message_die(STATUS_TROUBLE, "process %d was not started with mode=leak and report=FILE, as \"cgc leaks\" does it",
                (int)process);
  if (number < 1 || number > 64 || !(read_state(process).caught >> (number - 1) & 1))
    message_die(STATUS_TROUBLE, "process %d does not listen to a signal of option leak-signal", (int)process);
  return number;
}

/* Whether it lives is asked first: a check at its end is found then. */
static void
await_check(pid_t process, const char *path, unsigned before, int64_t timeout_s) {
  const struct timespec pause = {0, 20 * 1000 * 1000};
  time_t end = time(NULL) + timeout_s;
  for (;;) {
    bool has_ended = read_state(process).has_ended;
    if (count_checks(path) > before)
      return;
    if (has_ended)
      message_die(STATUS_UNCHECKED, "process %d ended before it was checked", (int)process);
    if (time(NULL) > end)
      message_die(STATUS_UNCHECKED, "process %d has not made a check in %lld s", (int)process, (long long)timeout_s);
    nanosleep(&pause, NULL);
  }
}

const char *
attach_check(pid_t process, int64_t timeout_s) {
  struct wanted wanted = read_wanted(process);
  int signal = signal_to_send(process, &wanted);
  const char *path = report_path(process, wanted.report);
  unsigned before = count_checks(path);
  if (kill(process, signal))
    message_die(STATUS_TROUBLE, "process %d: %s", (int)process, strerror(errno));
  await_check(process, path, before, timeout_s);
  return path;
}
