/* SPDX-License-Identifier: MIT */
#include "command.h"

#include "document.h"
#include "merge.h"
#include "message.h"
#include "table.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

enum { FUNCTIONS_MAX = 3 };

/* Leaks of one fingerprint. */
struct group {
  const struct leak *leak;   /* one of them */
  int64_t            blocks, bytes;
};

struct side {
  struct table table;        /* by fingerprint */
  struct LIST(struct group *) groups;
};

struct paths {
  const char *before, *after;
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) {
  struct paths *paths = state->input;
  switch (key) {
  case ARGP_KEY_ARG:
    if (state->arg_num > 1)
      argp_error(state, "more than two to compare");
    *(state->arg_num ? &paths->after : &paths->before) = arg;
    return 0;
  case ARGP_KEY_END:
    if (state->arg_num < 2)
      argp_error(state, "two to compare are needed");
    return 0;
  default: return ARGP_ERR_UNKNOWN;
  }
}

/* ---- reading ---- */

static struct leak_report
read_report(const char *path) {
  struct leak_report report = {.leaks = {NULL, 0, 0}};
  struct record record = {.modules = {NULL, 0, 0}};
  if (document_try_read(path, &report))
    return report;
  record_read(&record, path);
  merge_record(&record, &report);
  merge_places(&report);
  return report;
}

static void
add_to_group(struct side *side, const struct leak *leak) {
  struct group **slot = (struct group **)table_slot(&side->table, leak->fingerprint);
  if (!*slot) {
    *slot = memory_take(sizeof **slot);
    (*slot)->leak = leak;
    *LIST_ADD(&side->groups) = *slot;
  }
  (*slot)->blocks += leak->blocks;
  (*slot)->bytes += leak->bytes;
}

/* What is suppressed, possible or doubtful is no leak here. */
static struct side
read_side(const char *path) {
  struct leak_report report = read_report(path);
  struct side side = {.table = {NULL, 0, 0}};
  LIST_EACH(process, &report.processes)
    if ((*process)->error)
      message_die(STATUS_TROUBLE, "%s: process %" PRId64 " was not checked: %s", path, (*process)->pid,
                  (*process)->error);
  LIST_EACH(leak, &report.leaks)
    if ((*leak)->verdict == LEAK_VERDICT_NEW)
      add_to_group(&side, *leak);
  return side;
}

/* ---- telling ---- */

static const char *
name_of(const struct frame *frame) {
  if (frame->function)
    return frame->function;
  return frame->module ? path_base_name(frame->module->path) : "?";
}

static void
print_functions(const struct stack *stack) {
  const char *before = " ";
  unsigned printed = 0;
  LIST_EACH(frame, &stack->frames) {
    if (printed == FUNCTIONS_MAX)
      break;
    if (frame_is_runtime(frame))
      continue;
    printed++;
    printf("%s%s", before, name_of(frame));
    before = " < ";
  }
  putchar('\n');
}

static void
print_change(const char *what, const struct group *group, int64_t bytes, int64_t blocks) {
  printf("%-5s %s %s %" PRId64 " byte(s) in %" PRId64 " object(s):", what, group->leak->fingerprint,
         leak_kind_name(group->leak->kind), bytes, blocks);
  print_functions(group->leak->stack);
}

/* Those of one side that the other does not have; returns how many. */
static unsigned
print_missing(const char *what, const struct side *side, struct side *other) {
  unsigned count = 0;
  LIST_EACH(group, &side->groups)
    if (!*table_slot(&other->table, (*group)->leak->fingerprint)) {
      print_change(what, *group, (*group)->bytes, (*group)->blocks);
      count++;
    }
  return count;
}

static void
print_grown(struct side *before, const struct side *after) {
  LIST_EACH(group, &after->groups) {
    const struct group *old = *table_slot(&before->table, (*group)->leak->fingerprint);
    if (old && (*group)->bytes > old->bytes)
      print_change("grown", *group, (*group)->bytes - old->bytes, (*group)->blocks - old->blocks);
  }
}

int
command_diff(int argc, char **argv) {
  static const struct argp argp = {
    .parser = parse_option, .args_doc = "OLD NEW",
    .doc = "Tells which leaks are new, gone and grown; OLD and NEW are documents of --format json, or files or "
           "directories of the library's.\vExit status: 0 if none is new, 1 if some are, 2 for trouble."};
  struct paths paths = {NULL, NULL};
  argp_parse(&argp, argc, argv, 0, NULL, &paths);
  struct side before = read_side(paths.before), after = read_side(paths.after);
  unsigned new = print_missing("new", &after, &before);
  print_missing("gone", &before, &after);
  print_grown(&before, &after);
  if (fflush(stdout))
    message_die(STATUS_TROUBLE, "standard output cannot be written");
  return new > 0 ? STATUS_NEW_LEAKS : 0;
}
