/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *
open_output(const char *path, FILE *standard) {
  if (!path)
    return standard;
  if (strcmp(path, "-") == 0)
    return stdout;
  FILE *file = fopen(path, "w");
  if (!file)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
  return file;
}

static void
close_output(FILE *file, const char *path) {
  bool is_standard = file == stdout || file == stderr;
  if (fflush(file) || ferror(file) || (!is_standard && fclose(file)))
    message_die(STATUS_TROUBLE, "%s: %s", path ? path : "standard output", strerror(errno));
}

static bool
wants_color(const char *when, FILE *file) {
  const char *no_color = getenv("NO_COLOR");
  if (strcmp(when, "auto"))
    return strcmp(when, "always") == 0;
  return isatty(fileno(file)) && !(no_color && *no_color);
}

static void
write_one(const struct settings *settings, const struct leak_report *report, struct output output, FILE *standard) {
  const char *path = output.path ? output.path : settings->output_path;
  FILE *file = open_output(path, standard);
  struct format_style style = settings->style;
  style.has_color = wants_color(settings->color, file);
  output.format->write(file, report, &style);
  close_output(file, path);
}

void
output_write(const struct settings *settings, const struct leak_report *report, FILE *standard) {
  LIST_EACH(output, &settings->outputs)
    write_one(settings, report, *output, standard);
  if (settings->outputs.count == 0)
    write_one(settings, report, (struct output){formats, NULL}, standard);
}
