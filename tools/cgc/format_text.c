/* SPDX-License-Identifier: MIT */
/*
 * LeakSanitizer's text, for people and for the programs that read that.  What it does not have follows its SUMMARY.
 */
#include "format.h"

#include "file_text.h"
#include "stack_text.h"

#include <inttypes.h>

enum { GROWTHS_MAX = 10, SUPPRESSIONS_LINE_CHARS = 53 };

static const char red[] = "\033[1;31m", blue[] = "\033[1;34m", plain[] = "\033[0m";

static const char *
color(const struct format_style *style, const char *code) {
  return style->has_color ? code : "";
}

/* ---- stacks ---- */

static void
print_source(FILE *file, const struct frame *frame) {
  const char *line = frame && frame->file ? file_text_line(frame->file, frame->line) : NULL;
  if (line)
    fprintf(file, "    %s:%u: %s\n", path_base_name(frame->file), frame->line, line);
}

/* ---- leaks ---- */

static void
print_leak(FILE *file, const struct leak *leak, const struct format_style *style) {
  fprintf(file, "%s%s of %" PRId64 " byte(s) in %" PRId64 " object(s) allocated from:%s\n", color(style, blue),
          leak_kind_title(leak->kind), leak->bytes, leak->blocks, color(style, plain));
  stack_text_print(file, leak->stack);
  fputc('\n', file);
}

static void
print_suppressions(FILE *file, const struct leak_report *report) {
  char line[SUPPRESSIONS_LINE_CHARS + 1];
  if (report->suppressions.count == 0)
    return;
  for (unsigned i = 0; i < SUPPRESSIONS_LINE_CHARS; i++)
    line[i] = '-';
  line[SUPPRESSIONS_LINE_CHARS] = 0;
  fprintf(file, "%s\nSuppressions used:\n  count      bytes template\n", line);
  LIST_EACH(use, &report->suppressions)
    fprintf(file, "%7" PRId64 " %10" PRId64 " %s\n", use->blocks, use->bytes, use->pattern);
  fprintf(file, "%s\n\n", line);
}

static int64_t
pid_of(const struct leak_report *report) {
  LIST_EACH(leak, &report->leaks)
    if ((*leak)->verdict == LEAK_VERDICT_NEW)
      return (*leak)->processes.items[0]->pid;
  return 0;
}

static void
print_leaks(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct leak_total total = leak_report_total(report, LEAK_KIND_COUNT, LEAK_VERDICT_NEW);
  if (total.leaks > 0) {
    fputs("\n=================================================================\n", file);
    fprintf(file, "%s==%" PRId64 "==ERROR: LeakSanitizer: detected memory leaks%s\n\n", color(style, red),
            pid_of(report), color(style, plain));
  }
  LIST_EACH(leak, &report->leaks)
    if ((*leak)->verdict == LEAK_VERDICT_NEW)
      print_leak(file, *leak, style);
  print_suppressions(file, report);
  if (total.leaks > 0)
    fprintf(file, "SUMMARY: LeakSanitizer: %" PRId64 " byte(s) leaked in %" PRId64 " allocation(s).\n", total.bytes,
            total.blocks);
}

/* ---- what LeakSanitizer does not have ---- */

static bool
is_unsure_but_shown(const struct leak *leak, const struct format_style *style) {
  return leak->verdict == LEAK_VERDICT_UNSURE && style->is_shown[leak->kind];
}

static void
print_unsure(FILE *file, const struct leak_report *report, const struct format_style *style) {
  LIST_EACH(leak, &report->leaks)
    if (is_unsure_but_shown(*leak, style)) {
      fputc('\n', file);
      print_leak(file, *leak, style);
    }
}

static void
print_numbers(FILE *file, const struct numbers *numbers) {
  const char *before = "";
  LIST_EACH(number, numbers) {
    fprintf(file, "%s%" PRId64, before, *number);
    before = ", ";
  }
}

static void
print_pids(FILE *file, const struct processes *processes) {
  const char *before = "";
  LIST_EACH(process, processes) {
    fprintf(file, "%s%" PRId64, before, (*process)->pid);
    before = ", ";
  }
}

static void
print_details(FILE *file, const struct leak *leak, const struct format_style *style) {
  fprintf(file, "%s %s: %" PRId64 " byte(s) in %" PRId64 " object(s), thread ", leak_kind_title(leak->kind),
          leak->fingerprint, leak->bytes, leak->blocks);
  print_numbers(file, &leak->threads);
  fputs(", process ", file);
  print_pids(file, &leak->processes);
  fprintf(file, ", %" PRId64 " to %" PRId64 " ms before the check", leak->first.age_ms, leak->last.age_ms);
  if (leak->kind == LEAK_KIND_DIRECT && leak->reach_blocks > leak->blocks)
    fprintf(file, ", with all that hangs off them %" PRId64 " byte(s) in %" PRId64 " object(s)", leak->reach_bytes,
            leak->reach_blocks);
  fprintf(file, "%s\n", leak->is_cycle ? ", a cycle" : "");
  if (style->has_source)
    print_source(file, stack_site(leak->stack));
}

static void
print_all_details(FILE *file, const struct leak_report *report, const struct format_style *style) {
  if (!style->has_details && !style->has_source)
    return;
  LIST_EACH(leak, &report->leaks)
    if ((*leak)->verdict == LEAK_VERDICT_NEW || is_unsure_but_shown(*leak, style))
      print_details(file, *leak, style);
}

static void
print_growth(FILE *file, const struct growth *growth) {
  fprintf(file, "\nGrowth by %.0f byte(s) per second, from %" PRId64 " to %" PRId64 " byte(s) in %" PRId64 " checks, "
          "allocated from:\n", growth->bytes_per_second, growth->first_bytes, growth->last_bytes, growth->checks);
  stack_text_print(file, growth->stack);
}

static void
print_growths(FILE *file, const struct leak_report *report) {
  size_t shown = 0;
  LIST_EACH(growth, &report->growths)
    if (shown++ < GROWTHS_MAX)
      print_growth(file, growth);
}

static void
print_note(FILE *file, const struct leak_report *report, enum leak_kind kind, enum leak_verdict verdict,
           const char *what) {
  struct leak_total total = leak_report_total(report, kind, verdict);
  if (total.leaks > 0)
    fprintf(file, "cgc: %s: %" PRId64 " byte(s) in %" PRId64 " allocation(s)\n", what, total.bytes, total.blocks);
}

static void
print_notes(FILE *file, const struct leak_report *report) {
  int64_t checked = 0;
  LIST_EACH(process, &report->processes)
    checked += (*process)->is_checked;
  print_note(file, report, LEAK_KIND_COUNT, LEAK_VERDICT_SUPPRESSED, "suppressed");
  print_note(file, report, LEAK_KIND_COUNT, LEAK_VERDICT_KNOWN, "known by the baseline");
  print_note(file, report, LEAK_KIND_COUNT, LEAK_VERDICT_SMALL, "too small to count");
  print_note(file, report, LEAK_KIND_POSSIBLE, LEAK_VERDICT_UNSURE, "possible leaks (--show possible)");
  print_note(file, report, LEAK_KIND_DOUBTFUL, LEAK_VERDICT_UNSURE, "doubtful leaks (--show doubtful)");
  fprintf(file, "cgc: %" PRId64 " process(es) checked, ", checked);
  if (report->left_out > 0)
    fprintf(file, "%zu left out, ", report->left_out);
  fprintf(file, "%" PRId64 " leak(s)\n", leak_report_total(report, LEAK_KIND_COUNT, LEAK_VERDICT_NEW).leaks);
}

void
format_text(FILE *file, const struct leak_report *report, const struct format_style *style) {
  print_leaks(file, report, style);
  print_unsure(file, report, style);
  print_all_details(file, report, style);
  print_growths(file, report);
  print_notes(file, report);
}
