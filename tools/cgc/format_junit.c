/* SPDX-License-Identifier: MIT */
/* JUnit's XML: a test per process, and one that has failed per leak.  Names stay the same while the fingerprints do. */
#include "format.h"

#include "leak_text.h"
#include "selection.h"
#include "source_root.h"
#include "xml_text.h"

#include <inttypes.h>

struct counts {
  size_t tests, failures, errors, skipped;
};

/* ---- what is written ---- */

static bool
is_skipped(const struct leak *leak) {
  return leak->verdict == LEAK_VERDICT_SUPPRESSED || leak->verdict == LEAK_VERDICT_KNOWN;
}

static struct counts
count(const struct leak_report *report, const struct leaks *leaks) {
  struct counts counts = {.tests = report->processes.count + leaks->count};
  LIST_EACH(process, &report->processes)
    counts.errors += (*process)->error != NULL;
  LIST_EACH(leak, leaks)
    counts.skipped += is_skipped(*leak);
  counts.failures = leaks->count - counts.skipped;
  return counts;
}

/* What shares a name would pass for one test. */
static const char *
unique(struct table *names, const char *name) {
  unsigned ordinal = selection_ordinal(names, name);
  return ordinal > 1 ? memory_format("%s #%u", name, ordinal) : name;
}

static void
begin_test(FILE *file, const char *class, const char *name) {
  fprintf(file, "    <testcase classname=\"cgc.%s\" name=\"%s\" time=\"0\"", class, xml_attribute(name));
}

/* ---- processes ---- */

static void
write_process(FILE *file, struct table *names, const struct process *process) {
  const char *exe = *process->exe ? path_base_name(process->exe) : "unknown program";
  begin_test(file, "process", unique(names, exe));
  if (!process->error) {
    fputs("/>\n", file);
    return;
  }
  fprintf(file, ">\n      <error type=\"unchecked\" message=\"%s\">", xml_attribute(process->error));
  fprintf(file, "process %" PRId64 " (%s) was not checked</error>\n    </testcase>\n", process->pid,
          xml_text(process->exe));
}

/* ---- leaks ---- */

static const char *
name_of(const struct leak *leak, const struct frame *site) {
  return memory_format("%s [%s]", site ? leak_text_function(site) : "unknown place", leak->fingerprint);
}

static void
write_skipped(FILE *file, const struct leak *leak) {
  const char *why = leak->verdict == LEAK_VERDICT_KNOWN ? "known to the baseline"
                    : leak->suppressed_by               ? memory_format("suppressed by %s", leak->suppressed_by)
                                                        : "suppressed with its direct leaks";
  fprintf(file, ">\n      <skipped message=\"%s\"/>\n    </testcase>\n", xml_attribute(why));
}

static void
write_leak(FILE *file, struct table *names, const struct leak *leak, const char *root) {
  const struct frame *site = source_root_site(root, leak->stack);
  const char *class = leak_text_rule(leak->kind), *path = site && site->file ? site->file : NULL;
  const char *relative = path ? source_root_relative(root, path) : NULL;
  begin_test(file, class, unique(names, name_of(leak, site)));
  if (path)
    fprintf(file, " file=\"%s\" line=\"%u\"", xml_attribute(relative ? relative : path), site->line);
  if (is_skipped(leak)) {
    write_skipped(file, leak);
    return;
  }
  fprintf(file, ">\n      <failure type=\"%s\" message=\"%s\">", class, xml_attribute(leak_text_summary(leak, site)));
  fprintf(file, "\n%s\n</failure>\n    </testcase>\n", xml_text(leak_text_stack(leak->stack)));
}

/* ---- the document ---- */

static void
begin_suites(FILE *file, const struct leak_report *report, const struct leaks *leaks) {
  struct counts counts = count(report, leaks);
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", file);
  fprintf(file, "  <testsuite name=\"cgc\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"0\">\n",
          counts.tests, counts.failures, counts.errors, counts.skipped);
}

void
format_junit(FILE *file, const struct leak_report *report, const struct format_style *style) {
  const unsigned verdicts = 1 << LEAK_VERDICT_NEW | 1 << LEAK_VERDICT_KNOWN | 1 << LEAK_VERDICT_SUPPRESSED;
  struct leaks leaks = selection_by_size(report, verdicts);
  struct table process_names = {NULL, 0, 0}, leak_names = {NULL, 0, 0};
  begin_suites(file, report, &leaks);
  LIST_EACH(process, &report->processes)
    write_process(file, &process_names, *process);
  LIST_EACH(leak, &leaks)
    write_leak(file, &leak_names, *leak, style->source_root);
  fputs("  </testsuite>\n</testsuites>\n", file);
}
