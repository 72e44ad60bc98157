/* SPDX-License-Identifier: MIT */
/* The document of doc/leaks.schema.json. */
#include "format.h"

#include "json_text.h"

#include <jansson.h>

enum { DOCUMENT_VERSION = 1 };

static json_t *
strings(const struct strings *list) {
  json_t *array = json_array();
  LIST_EACH(string, list)
    json_array_append_new(array, json_text(*string));
  return array;
}

static json_t *
numbers(const struct numbers *list) {
  json_t *array = json_array();
  LIST_EACH(number, list)
    json_array_append_new(array, json_integer(*number));
  return array;
}

static json_t *
hexadecimal(uint64_t value) {
  return json_sprintf("0x%llx", (unsigned long long)value);
}

static json_t *
processes(const struct processes *list) {
  json_t *array = json_array();
  LIST_EACH(process, list)
    json_array_append_new(array, json_integer((*process)->pid));
  return array;
}

/* ---- stacks ---- */

static json_t *
frame_object(const struct frame *frame) {
  const struct module *module = frame->module;
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
                   "function", json_text(frame->function), "raw_name", json_text(frame->raw_name),
                   "file", json_text(frame->file),
                   "line", frame->file ? json_integer(frame->line) : json_null(),
                   "column", frame->file ? json_integer(frame->column) : json_null(),
                   "module", json_text(module ? module->path : NULL),
                   "build_id", json_text(module ? module->build_id : NULL),
                   "offset", hexadecimal(frame->offset), "address", hexadecimal(frame->addr),
                   "inlined", frame->is_inlined, "problem", json_text(module ? module->problem : NULL));
}

static json_t *
by_frame(const struct stack *stack) {
  const struct frame *frame = &stack->by_frame;
  if (!frame->module)
    return json_null();
  return json_pack("{s:o, s:o, s:o, s:o}", "module", json_text(frame->module->path),
                   "build_id", json_text(frame->module->build_id), "offset", hexadecimal(frame->offset),
                   "address", hexadecimal(frame->addr));
}

static json_t *
frames(const struct stack *stack) {
  json_t *array = json_array();
  LIST_EACH(frame, &stack->frames)
    json_array_append_new(array, frame_object(frame));
  return array;
}

/* ---- leaks ---- */

static json_t *
allocation(const struct allocation *when) {
  return json_pack("{s:I, s:I, s:I}", "thread", (json_int_t)when->thread, "sequence",
                   (json_int_t)when->sequence, "age_ms", (json_int_t)when->age_ms);
}

static json_t *
blocks_and_bytes(int64_t blocks, int64_t bytes) {
  return json_pack("{s:I, s:I}", "blocks", (json_int_t)blocks, "bytes", (json_int_t)bytes);
}

static json_t *
reach(const struct leak *leak) {
  return leak->kind == LEAK_KIND_DIRECT ? blocks_and_bytes(leak->reach_blocks, leak->reach_bytes) : json_null();
}

static json_t *
leak_object(const struct leak *leak) {
  json_t *object = json_pack("{s:s, s:s, s:b, s:s, s:b, s:o, s:I, s:I}", "fingerprint", leak->fingerprint,
                             "kind", leak_kind_name(leak->kind), "cycle", leak->is_cycle,
                             "verdict", leak_verdict_name(leak->verdict), "is_new", leak->verdict == LEAK_VERDICT_NEW,
                             "suppressed_by", json_text(leak->suppressed_by), "blocks", (json_int_t)leak->blocks,
                             "bytes", (json_int_t)leak->bytes);
  json_object_set_new(object, "reach", reach(leak));
  json_object_set_new(object, "estimated", blocks_and_bytes(leak->estimated_blocks, leak->estimated_bytes));
  json_object_set_new(object, "by", json_text(leak->stack->by));
  json_object_set_new(object, "by_frame", by_frame(leak->stack));
  json_object_set_new(object, "stack", frames(leak->stack));
  json_object_set_new(object, "is_cut", json_boolean(leak->stack->is_cut));
  json_object_set_new(object, "threads", numbers(&leak->threads));
  json_object_set_new(object, "first", allocation(&leak->first));
  json_object_set_new(object, "last", allocation(&leak->last));
  json_object_set_new(object, "processes", processes(&leak->processes));
  return object;
}

static json_t *
leaks(const struct leak_report *report) {
  json_t *array = json_array();
  LIST_EACH(leak, &report->leaks)
    json_array_append_new(array, leak_object(*leak));
  return array;
}

/* ---- growth, processes, sums ---- */

static json_t *
growth_object(const struct growth *growth) {
  return json_pack("{s:s, s:f, s:I, s:I, s:I, s:s, s:b, s:o, s:o}", "fingerprint", growth->fingerprint,
                   "bytes_per_second", growth->bytes_per_second, "first_bytes", (json_int_t)growth->first_bytes,
                   "last_bytes", (json_int_t)growth->last_bytes, "checks", (json_int_t)growth->checks,
                   "by", growth->stack->by, "is_cut", growth->stack->is_cut, "stack", frames(growth->stack),
                   "processes", processes(&growth->processes));
}

static json_t *
growths(const struct leak_report *report) {
  json_t *array = json_array();
  LIST_EACH(growth, &report->growths)
    json_array_append_new(array, growth_object(growth));
  return array;
}

static json_t *
process_object(const struct process *process) {
  json_t *object = json_pack("{s:I, s:I, s:s, s:o, s:s, s:s, s:b, s:I, s:b, s:o}", "pid", (json_int_t)process->pid,
                             "ppid", (json_int_t)process->ppid, "exe", process->exe, "args", strings(&process->args),
                             "cwd", process->cwd, "cgc", process->cgc, "forked", process->is_forked,
                             "sample_bytes", (json_int_t)process->sample_bytes, "checked", process->is_checked,
                             "error", json_text(process->error));
  json_object_set_new(object, "live", blocks_and_bytes(process->live_blocks, process->live_bytes));
  json_object_set_new(object, "ignored", blocks_and_bytes(process->ignored_blocks, process->ignored_bytes));
  json_object_set_new(object, "unrecorded_stacks", json_integer(process->unrecorded_stacks));
  return object;
}

static json_t *
all_processes(const struct leak_report *report) {
  json_t *array = json_array();
  LIST_EACH(process, &report->processes)
    json_array_append_new(array, process_object(*process));
  return array;
}

static json_t *
suppressions(const struct leak_report *report) {
  json_t *array = json_array();
  LIST_EACH(use, &report->suppressions) {
    json_t *object = blocks_and_bytes(use->blocks, use->bytes);
    json_object_set_new(object, "pattern", json_text(use->pattern));
    json_array_append_new(array, object);
  }
  return array;
}

static json_t *
total(const struct leak_report *report, enum leak_verdict verdict) {
  struct leak_total sum = leak_report_total(report, LEAK_KIND_COUNT, verdict);
  return json_pack("{s:I, s:I, s:I}", "leaks", (json_int_t)sum.leaks, "blocks", (json_int_t)sum.blocks, "bytes",
                   (json_int_t)sum.bytes);
}

static json_t *
totals(const struct leak_report *report) {
  json_t *object = json_object();
  for (enum leak_verdict verdict = LEAK_VERDICT_NEW; verdict <= LEAK_VERDICT_UNSURE; verdict++)
    json_object_set_new(object, leak_verdict_name(verdict), total(report, verdict));
  return object;
}

void
format_json(FILE *file, const struct leak_report *report, const struct format_style *style) {
  (void)style;
  json_t *document = json_pack("{s:i, s:{s:s, s:s}, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "version", DOCUMENT_VERSION,
                               "tool", "name", "cgc", "version", PACKAGE_VERSION,
                               "command", strings(&report->command), "processes", all_processes(report),
                               "left_out", (json_int_t)report->left_out,
                               "leaks", leaks(report), "growth", growths(report),
                               "suppressions", suppressions(report), "totals", totals(report));
  json_dumpf(document, file, JSON_INDENT(2));
  fputc('\n', file);
  json_decref(document);
}
