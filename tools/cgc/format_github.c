/* SPDX-License-Identifier: MIT */
/* Workflow commands of GitHub Actions, of which it shows ten errors a step, and a table in the summary of the step. */
#include "format.h"

#include "leak_text.h"
#include "message.h"
#include "selection.h"
#include "source_root.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS_MAX = 10, TABLE_ROWS_MAX = 200, ESCAPE_BYTES_MAX = 3 };

/* ---- text in commands ---- */

/* Bytes of these as %XX. */
static const char *
escape(const char *text, const char *bytes) {
  char *escaped = memory_take(strlen(text) * ESCAPE_BYTES_MAX + 1), *end = escaped;
  for (; *text; text++)
    if (strchr(bytes, *text))
      end += sprintf(end, "%%%02X", (unsigned)*text);
    else
      *end++ = *text;
  return escaped;
}

static const char *
message_text(const char *text) {
  return escape(text, "%\r\n");
}

static const char *
property_text(const char *text) {
  return escape(text, "%\r\n:,");
}

/* ---- commands ---- */

/* Only what is in the tree can be shown beside its lines. */
static void
print_place(FILE *file, const char *root, const struct frame *site) {
  const char *relative = site && site->file ? source_root_relative(root, site->file) : NULL;
  if (!relative)
    return;
  fprintf(file, "file=%s,line=%u,", property_text(relative), site->line);
  if (site->column > 0)
    fprintf(file, "col=%u,", site->column);
}

static void
print_error(FILE *file, const struct leak *leak, const char *root) {
  const struct frame *site = source_root_site(root, leak->stack);
  const char *text = memory_format("%s\n%s", leak_text_summary(leak, site), leak_text_stack(leak->stack));
  fputs("::error ", file);
  print_place(file, root, site);
  fprintf(file, "title=%s::%s\n", property_text(leak_kind_title(leak->kind)), message_text(text));
}

static void
print_rest(FILE *file, const struct leaks *leaks) {
  int64_t bytes = 0;
  if (leaks->count <= ERRORS_MAX)
    return;
  for (size_t i = ERRORS_MAX; i < leaks->count; i++)
    bytes += leaks->items[i]->bytes;
  fprintf(file, "::notice title=More leaks::%zu more leak(s) of %" PRId64 " byte(s) together\n",
          leaks->count - ERRORS_MAX, bytes);
}

static size_t
count_unchecked(const struct leak_report *report) {
  size_t count = 0;
  LIST_EACH(process, &report->processes)
    count += (*process)->error != NULL;
  return count;
}

static void
print_unchecked(FILE *file, const struct leak_report *report) {
  LIST_EACH(each, &report->processes) {
    const struct process *process = *each;
    if (!process->error)
      continue;
    const char *text = memory_format("%zu process(es) not checked; %" PRId64 " (%s): %s", count_unchecked(report),
                                     process->pid, process->exe, process->error);
    fprintf(file, "::warning title=Not checked for leaks::%s\n", message_text(text));
    return;
  }
}

/* ---- the summary ---- */

/* In a table of Markdown; names of C++ have brackets. */
static const char *
cell_text(const char *text) {
  char *cell = memory_take(strlen(text) * 5 + 1), *end = cell;
  for (; *text; text++)
    switch (*text) {
    case '<': end = stpcpy(end, "&lt;"); break;
    case '&': end = stpcpy(end, "&amp;"); break;
    case '\n': *end++ = ' '; break;
    case '|': case '*': case '_': case '`': case '[': case '\\': *end++ = '\\'; __attribute__((fallthrough));
    default: *end++ = *text;
    }
  return cell;
}

static const char *
place_text(const char *root, const struct frame *site) {
  if (!site || !site->file)
    return site && site->module ? site->module->path : "";
  const char *relative = source_root_relative(root, site->file);
  return memory_format("%s:%u", relative ? relative : site->file, site->line);
}

static void
write_row(FILE *file, const struct leak *leak, const char *root) {
  const struct frame *site = source_root_site(root, leak->stack);
  fprintf(file, "| %" PRId64 " | %" PRId64 " | %s | %s | %s | %s |\n", leak->bytes, leak->blocks,
          leak_kind_name(leak->kind), cell_text(site ? leak_text_function(site) : "?"),
          cell_text(place_text(root, site)), leak->fingerprint);
}

static void
write_heading(FILE *file, const struct leak_report *report) {
  struct leak_total total = leak_report_total(report, LEAK_KIND_COUNT, LEAK_VERDICT_NEW);
  size_t unchecked = count_unchecked(report), checked = report->processes.count - unchecked;
  const char *heading = total.leaks > 0 ? "Memory leaks" : checked > 0 ? "No memory leaks" : "Not checked for leaks";
  fprintf(file, "### %s\n\n%" PRId64 " byte(s) leaked in %" PRId64 " allocation(s) at %" PRId64 " place(s); "
          "%zu process(es) checked, %zu not\n", heading, total.bytes, total.blocks, total.leaks, checked, unchecked);
}

static void
write_summary(FILE *file, const struct leak_report *report, const struct leaks *leaks, const char *root) {
  size_t rows = 0;
  write_heading(file, report);
  if (leaks->count > 0)
    fputs("\n| bytes | objects | kind | function | place | fingerprint |\n|--:|--:|---|---|---|---|\n", file);
  LIST_EACH(leak, leaks)
    if (rows++ < TABLE_ROWS_MAX)
      write_row(file, *leak, root);
  if (leaks->count > TABLE_ROWS_MAX)
    fprintf(file, "\nand %zu more\n", leaks->count - TABLE_ROWS_MAX);
  fputc('\n', file);
}

static void
add_summary(const struct leak_report *report, const struct leaks *leaks, const char *root) {
  const char *path = getenv("GITHUB_STEP_SUMMARY");
  if (!path || !*path)
    return;
  FILE *file = fopen(path, "a");
  if (file)
    write_summary(file, report, leaks, root);
  bool is_written = file && !ferror(file);
  if (!file || fclose(file) || !is_written)
    message_die(STATUS_TROUBLE, "%s: %s", path, strerror(errno));
}

void
format_github(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct leaks leaks = selection_by_size(report, 1 << LEAK_VERDICT_NEW);
  size_t told = 0;
  LIST_EACH(leak, &leaks)
    if (told++ < ERRORS_MAX)
      print_error(file, *leak, style->source_root);
  print_rest(file, &leaks);
  print_unchecked(file, report);
  add_summary(report, &leaks, style->source_root);
}
