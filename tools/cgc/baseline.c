/* SPDX-License-Identifier: MIT */
#include "baseline.h"

#include "document.h"
#include "json_text.h"
#include "message.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many functions of a stack as its fingerprint is made of. */
enum { FUNCTIONS_MAX = 5 };

struct leaks
baseline_read(const char *path, struct table *known) {
  struct leak_report baseline = {.leaks = {NULL, 0, 0}};
  if (!document_try_read(path, &baseline))
    message_die(STATUS_TROUBLE, "%s: no baseline; --update-baseline makes one", path);
  LIST_EACH(leak, &baseline.leaks)
    *table_slot(known, (*leak)->fingerprint) = *leak;
  return baseline.leaks;
}

/* ---- writing ---- */

static json_t *
functions_of(const struct stack *stack) {
  json_t *functions = json_array();
  LIST_EACH(frame, &stack->frames)
    if (!frame_is_runtime(frame) && json_array_size(functions) < FUNCTIONS_MAX)
      json_array_append_new(functions, json_text(frame->function));
  return functions;
}

static char *
line_of(const struct leak *leak) {
  json_t *object = json_pack("{s:s, s:s, s:o}", "fingerprint", leak->fingerprint, "kind", leak_kind_name(leak->kind),
                             "functions", functions_of(leak->stack));
  char *text = json_dumps(object, 0);
  char *line = memory_copy(text, strlen(text));
  free(text);
  json_decref(object);
  return line;
}

static int
compare_strings(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Leaks that differ in lines only have one fingerprint, hence one line. */
static struct strings
lines_of(const struct leak_report *report, struct table *known) {
  struct strings lines = {NULL, 0, 0};
  LIST_EACH(leak, &report->leaks) {
    void **slot = table_slot(known, (*leak)->fingerprint);
    if ((*leak)->verdict == LEAK_VERDICT_NEW && !*slot) {
      *slot = *leak;
      *LIST_ADD(&lines) = line_of(*leak);
    }
  }
  LIST_SORT(&lines, compare_strings);
  return lines;
}

static bool
write_lines(FILE *file, const struct strings *lines) {
  const char *before = "\n";
  fputs("{\"version\": 1, \"leaks\": [", file);
  LIST_EACH(line, lines) {
    fprintf(file, "%s%s", before, *line);
    before = ",\n";
  }
  fputs("\n]}\n", file);
  return !ferror(file);
}

void
baseline_write(const char *path, const struct leak_report *report, struct table *known) {
  struct strings lines = lines_of(report, known);
  const char *new_path = memory_format("%s.new", path);
  FILE *file = fopen(new_path, "w");
  bool is_written = file && write_lines(file, &lines);
  if (!file || fclose(file) || !is_written || rename(new_path, path))
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
}
