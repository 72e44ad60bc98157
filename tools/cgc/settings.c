/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "source_root.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum key {
  KEY_OUTPUT = 'O', KEY_FORMAT = 'f', KEY_SUPPRESSIONS = 's', KEY_BASELINE = 'b',
  KEY_SHOW = 256, KEY_DETAILS, KEY_SOURCE, KEY_COLOR, KEY_SUPPRESS_INDIRECT, KEY_UPDATE_BASELINE, KEY_MIN_BYTES,
  KEY_SOURCE_ROOT, KEY_ONLY, KEY_SKIP,
  KEY_FAIL_ON, KEY_EXIT_CODE, KEY_EXIT_CODE_WINS, KEY_ALLOW_UNCHECKED,
};

static const struct argp_option options[] = {
  {NULL, 0, NULL, 0, "Output:", 1},
  {"format", KEY_FORMAT, "NAME[=FILE]", 0, 
   "text (the default), json, sarif, junit, gitlab, github, folded, pprof or html; may be given several times", 0},
  {"output", KEY_OUTPUT, "FILE", 0, "for formats without a file of their own; - is standard output", 0},
  {"show", KEY_SHOW, "KINDS", 0, "show these too, separated by commas: possible, doubtful", 0},
  {"details", KEY_DETAILS, NULL, 0, "tell fingerprint, threads, processes and age of each leak after the summary", 0},
  {"source", KEY_SOURCE, NULL, 0, "as --details, and the line of the source", 0},
  {"source-root", KEY_SOURCE_ROOT, "DIRECTORY", 0,
   "what paths of sources are told relative to; by default the top of the git tree, or the working directory", 0},
  {"color", KEY_COLOR, "WHEN", 0, "auto, always or never", 0},
  {NULL, 0, NULL, 0, "What counts:", 2},
  {"only", KEY_ONLY, "PATTERN", 0,
   "processes of programs whose path matches, as \"./*\" does for those below the working directory; without / of the "
   "name alone; may be given several times", 0},
  {"skip", KEY_SKIP, "PATTERN", 0, "no processes of such programs; may be given several times", 0},
  {"suppressions", KEY_SUPPRESSIONS, "FILE", 0,
   "do not count leaks that match, in LeakSanitizer's or Valgrind's syntax; may be given several times", 0},
  {"suppress-indirect", KEY_SUPPRESS_INDIRECT, NULL, 0,
   "nor indirect leaks of processes all of whose direct leaks are suppressed, whatever they hang off", 0},
  {"baseline", KEY_BASELINE, "FILE", 0, "do not count leaks that this file knows", 0},
  {"update-baseline", KEY_UPDATE_BASELINE, NULL, 0, "write the present leaks to the file of --baseline", 0},
  {"min-bytes", KEY_MIN_BYTES, "N", 0, "do not count leaks of fewer bytes at one place", 0},
  {"fail-on", KEY_FAIL_ON, "WHAT", 0,
   "any (the default): direct and indirect leaks; direct; growth: leaks and growing places; none", 0},
  {"exit-code", KEY_EXIT_CODE, "N", 0, "exit status if leaks count, by default 23", 0},
  {"exit-code-wins", KEY_EXIT_CODE_WINS, NULL, 0, "even if the command itself has failed", 0},
  {"allow-unchecked", KEY_ALLOW_UNCHECKED, NULL, 0, "only warn of processes that were not checked, if others were", 0},
  {NULL, 0, NULL, 0, NULL, 0},
};

/* ---- values ---- */

static int64_t
parse_number(const char *text, int64_t max, const struct argp_state *state) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (errno || end == text || *end || value < 0 || value > max)
    argp_error(state, "\"%s\" is not a number from 0 to %lld", text, (long long)max);
  return value;
}

/* The index of a text in a list. */
static unsigned
parse_choice(const char *text, const char *const *choices, const struct argp_state *state) {
  unsigned i = 0;
  while (choices[i] && strcmp(text, choices[i]))
    i++;
  if (!choices[i])
    argp_error(state, "\"%s\" is not known here", text);
  return i;
}

static void
add_format(struct settings *settings, const char *text, const struct argp_state *state) {
  size_t length = strcspn(text, "=");
  const struct format *format = format_find(text, length);
  if (!format)
    argp_error(state, "unknown format \"%s\"", text);
  *LIST_ADD(&settings->outputs) = (struct output){format, text[length] ? text + length + 1 : NULL};
}

static void
show_kinds(struct settings *settings, const char *list, const struct argp_state *state) {
  enum leak_kind kind;
  for (; *list; list += strspn(list, ",")) {
    size_t length = strcspn(list, ",");
    if (!leak_kind_parse(memory_copy(list, length), &kind))
      argp_error(state, "unknown kind of leak in \"%s\"", list);
    settings->style.is_shown[kind] = true;
    list += length;
  }
}

static void
complete(struct settings *settings, const struct argp_state *state) {
  if (settings->updates_baseline && !settings->style.baseline_path)
    argp_error(state, "--update-baseline needs --baseline FILE");
  if (!settings->style.source_root)
    settings->style.source_root = source_root_default();
}

/* ---- options ---- */

static error_t
parse_output_option(int key, char *arg, struct argp_state *state) {
  static const char *const colors[] = {"auto", "always", "never", NULL};
  struct settings *settings = state->input;
  switch (key) {
  case KEY_FORMAT: add_format(settings, arg, state); return 0;
  case KEY_OUTPUT: settings->output_path = arg; return 0;
  case KEY_SHOW: show_kinds(settings, arg, state); return 0;
  case KEY_DETAILS: settings->style.has_details = true; return 0;
  case KEY_SOURCE: settings->style.has_source = true; return 0;
  case KEY_SOURCE_ROOT: settings->style.source_root = source_root_normal(arg); return 0;
  case KEY_COLOR: settings->color = colors[parse_choice(arg, colors, state)]; return 0;
  default: return ARGP_ERR_UNKNOWN;
  }
}

static error_t
parse_option(int key, char *arg, struct argp_state *state) {
  static const char *const fail_on[] = {"any", "direct", "growth", "none", NULL};
  struct settings *settings = state->input;
  switch (key) {
  case KEY_ONLY: *LIST_ADD(&settings->programs.only) = arg; return 0;
  case KEY_SKIP: *LIST_ADD(&settings->programs.skipped) = arg; return 0;
  case KEY_SUPPRESSIONS: *LIST_ADD(&settings->suppression_paths) = arg; return 0;
  case KEY_SUPPRESS_INDIRECT: settings->suppresses_indirect = true; return 0;
  case KEY_BASELINE: settings->style.baseline_path = arg; return 0;
  case KEY_UPDATE_BASELINE: settings->updates_baseline = true; return 0;
  case KEY_MIN_BYTES: settings->min_bytes = parse_number(arg, INT64_MAX, state); return 0;
  case KEY_FAIL_ON: settings->fail_on = (enum fail_on)parse_choice(arg, fail_on, state); return 0;
  case KEY_EXIT_CODE: settings->exit_code = (int)parse_number(arg, 255, state); return 0;
  case KEY_EXIT_CODE_WINS: settings->exit_code_wins = true; return 0;
  case KEY_ALLOW_UNCHECKED: settings->allows_unchecked = true; return 0;
  case ARGP_KEY_END: complete(settings, state); return 0;
  default: return parse_output_option(key, arg, state);
  }
}

const struct argp settings_argp = {.options = options, .parser = parse_option};
