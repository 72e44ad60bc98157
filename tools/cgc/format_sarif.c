/* SPDX-License-Identifier: MIT */
/*
 * SARIF 2.1.0, one run, within what GitHub's code scanning takes: of more results than that the largest leaks are kept,
 * and a notification tells of the rest.
 */
#include "format.h"

#include "gzip.h"
#include "json_text.h"
#include "leak_text.h"
#include "sarif_location.h"
#include "selection.h"
#include "source_root.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* GitHub's limit of compressed bytes is 10 MB; the rest is for what is not results, and for what zlib holds back. */
enum { RESULTS_MAX = 25000, COMPRESSED_BYTES_MAX = 9 * 1000 * 1000, PROCESSES_TOLD_MAX = 100 };

/* Results are written one by one, for want of memory for all. */
struct sarif {
  FILE                      *file;
  const struct leak_report  *report;
  const struct format_style *style;
  struct gzip               *counter;
  size_t                     written, left_out;
};

/* ---- rules ---- */

static const struct {
  const char *summary, *help;
} rules[] = {
  [LEAK_KIND_DIRECT] = {
    "Memory that nothing refers to any more",
    "No pointer to this memory is left in the program, nor in other memory that was leaked, so it cannot be freed any "
    "more. Free it before the last pointer to it goes away: the stack tells where it was allocated."},
  [LEAK_KIND_INDIRECT] = {
    "Memory that only leaked memory refers to",
    "Only other leaked memory refers to this memory. It often goes together with a direct leak: free that one with all "
    "that belongs to it."},
};

static json_t *
rule(enum leak_kind kind) {
  return json_pack("{s:s, s:s, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:[s,s], s:s, s:s}}", "id",
                   memory_format("cgc/%s", leak_text_rule(kind)), "name",
                   kind == LEAK_KIND_DIRECT ? "DirectLeak" : "IndirectLeak", "shortDescription", "text",
                   rules[kind].summary, "fullDescription", "text", rules[kind].help, "help", "text", rules[kind].help,
                   "defaultConfiguration", "level", "error", "properties", "tags", "memory", "leak", "precision",
                   "very-high", "problem.severity", "error");
}

static json_t *
tool(void) {
  return json_pack("{s:{s:s, s:s, s:[o, o]}}", "driver", "name", "cgc", "version", PACKAGE_VERSION, "rules",
                   rule(LEAK_KIND_DIRECT), rule(LEAK_KIND_INDIRECT));
}

/* ---- results ---- */

static json_t *
suppressions_of(const struct leak *leak) {
  if (leak->verdict != LEAK_VERDICT_SUPPRESSED)
    return json_array();
  return json_pack("[{s:s, s:s, s:o}]", "kind", "external", "status", "accepted", "justification",
                   json_text(leak->suppressed_by ? leak->suppressed_by : "--suppress-indirect"));
}

static json_t *
result(const struct leak *leak, const char *level, const char *message) {
  return json_pack("{s:s, s:i, s:s, s:{s:o}, s:{s:s}}", "ruleId", memory_format("cgc/%s", leak_text_rule(leak->kind)),
                   "ruleIndex", (int)leak->kind, "level", level, "message", "text", json_text(message),
                   "partialFingerprints", "cgcLeak/v1", leak->fingerprint);
}

static json_t *
result_of_leak(const struct leak *leak, const struct format_style *style) {
  const char *root = style->source_root;
  const struct frame *site = source_root_site(root, leak->stack);
  json_t *object = result(leak, "error", leak_text_summary(leak, site));
  json_object_set_new(object, "locations", json_pack("[o]", sarif_location(root, site)));
  json_object_set_new(object, "stacks", sarif_stacks(root, leak->stack));
  json_t *flows = sarif_code_flows(root, leak->stack);
  if (flows)
    json_object_set_new(object, "codeFlows", flows);
  json_object_set_new(object, "suppressions", suppressions_of(leak));
  json_object_set_new(object, "properties", json_pack("{s:I, s:I}", "blocks", (json_int_t)leak->blocks, "bytes",
                                                      (json_int_t)leak->bytes));
  if (style->baseline_path)
    json_object_set_new(object, "baselineState", json_string(leak->is_in_baseline ? "unchanged" : "new"));
  return object;
}

/* GitHub wants a place for each result; that of one that is gone is where it is still told of. */
static json_t *
result_of_gone(const struct leak *leak, const struct format_style *style) {
  const char *path = source_root_normal(style->baseline_path);   /* it is relative to where we run */
  const struct frame *frame = leak->stack->frames.count > 0 ? leak->stack->frames.items : NULL;
  const char *in = frame ? memory_format(" in %s", leak_text_function(frame)) : "";
  json_t *object = result(leak, "none", memory_format("%s%s that the baseline knows is gone",
                                                      leak_kind_title(leak->kind), in));
  json_object_set_new(object, "kind", json_string("pass"));
  json_object_set_new(object, "locations", json_pack("[{s:{s:o, s:{s:i}}}]", "physicalLocation", "artifactLocation",
                                                     sarif_artifact(style->source_root, path),
                                                     "region", "startLine", 1));
  json_object_set_new(object, "suppressions", json_array());
  json_object_set_new(object, "baselineState", json_string("absent"));
  return object;
}

static void
add_result(struct sarif *sarif, json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT);
  size_t length_bytes = strlen(text);
  gzip_add(sarif->counter, text, length_bytes);
  if (sarif->written == RESULTS_MAX || gzip_size(sarif->counter) > COMPRESSED_BYTES_MAX) {
    sarif->left_out++;
  } else {
    fprintf(sarif->file, "%s\n", sarif->written++ > 0 ? "," : "");
    fwrite(text, 1, length_bytes, sarif->file);
  }
  free(text);
  json_decref(object);
}

static void
add_results(struct sarif *sarif) {
  const unsigned verdicts = 1 << LEAK_VERDICT_NEW | 1 << LEAK_VERDICT_KNOWN | 1 << LEAK_VERDICT_SUPPRESSED;
  struct leaks leaks = selection_by_size(sarif->report, verdicts);
  LIST_EACH(leak, &leaks)
    add_result(sarif, result_of_leak(*leak, sarif->style));
  LIST_EACH(leak, &sarif->report->gone)
    add_result(sarif, result_of_gone(*leak, sarif->style));
}

/* ---- the invocation ---- */

static json_t *
notification(const char *level, const char *text) {
  return json_pack("{s:s, s:{s:o}}", "level", level, "message", "text", json_text(text));
}

static size_t
tell_unchecked(const struct leak_report *report, json_t *notifications) {
  size_t unchecked = 0;
  LIST_EACH(each, &report->processes) {
    const struct process *process = *each;
    if (process->error && unchecked++ < PROCESSES_TOLD_MAX)
      json_array_append_new(notifications,
                            notification("error", memory_format("process %" PRId64 " (%s) was not checked: %s",
                                                                process->pid, process->exe, process->error)));
  }
  if (unchecked > PROCESSES_TOLD_MAX)
    json_array_append_new(notifications, notification("error", memory_format("%zu processes were not checked",
                                                                             unchecked)));
  return unchecked;
}

static const char *
cut_text(const struct sarif *sarif) {
  return memory_format("only the first %zu of %zu results are told, the largest leaks", sarif->written,
                       sarif->written + sarif->left_out);
}

static json_t *
invocation(const struct sarif *sarif) {
  json_t *notifications = json_array(), *arguments = json_array();
  size_t unchecked = tell_unchecked(sarif->report, notifications);
  if (sarif->left_out > 0)
    json_array_append_new(notifications, notification("warning", cut_text(sarif)));
  LIST_EACH(word, &sarif->report->command)
    json_array_append_new(arguments, json_text(*word));
  return json_pack("{s:b, s:o, s:o}", "executionSuccessful", unchecked == 0 && sarif->report->processes.count > 0,
                   "arguments", arguments, "toolExecutionNotifications", notifications);
}

/* ---- the document ---- */

static void
write_member(FILE *file, const char *name, json_t *value) {
  fprintf(file, "\"%s\":", name);
  json_dumpf(value, file, JSON_COMPACT);
  fputs(",\n", file);
  json_decref(value);
}

void
format_sarif(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct sarif sarif = {.file = file, .report = report, .style = style, .counter = gzip_begin(NULL)};
  fputs("{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{\n", file);
  write_member(file, "tool", tool());
  write_member(file, "originalUriBaseIds", json_pack("{s:{s:s}}", SARIF_ROOT_ID, "uri",
                                                     sarif_directory_uri(style->source_root)));
  fputs("\"results\":[", file);
  add_results(&sarif);
  fputs("],\n", file);
  write_member(file, "invocations", json_pack("[o]", invocation(&sarif)));
  fputs("\"columnKind\":\"unicodeCodePoints\"}]}\n", file);
  gzip_end(sarif.counter);
}
