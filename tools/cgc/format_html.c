/* SPDX-License-Identifier: MIT */
/* A page of its own: html/ shows the data that is written into it here, as JSON. */
#include "format.h"

#include "file_text.h"
#include "html_page.h"
#include "json_text.h"
#include "leak_text.h"
#include "source_root.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

/* Leaks share frames, so these are written once and referred to by number. */
struct page {
  const char  *root;
  json_t      *frames;
  struct table numbers;
};

/* ---- frames ---- */

static json_t *
frame_object(const struct page *page, const struct frame *frame) {
  const char *relative = frame->file ? source_root_relative(page->root, frame->file) : NULL;
  json_t *object = json_pack("{s:o, s:b, s:b}", "function", json_text(leak_text_function(frame)), "runtime",
                             frame_is_runtime(frame), "inlined", frame->is_inlined);
  if (frame->module)
    json_object_set_new(object, "module", json_text(frame->module->path));
  json_object_set_new(object, "offset", json_sprintf("0x%" PRIx64, frame->offset));
  if (!frame->file)
    return object;
  json_object_set_new(object, "file", json_text(relative ? relative : frame->file));
  json_object_set_new(object, "line", json_integer(frame->line));
  json_object_set_new(object, "source", json_text(file_text_line(frame->file, frame->line)));
  return object;
}

/* By what a reader can tell apart. */
static const char *
key_of(const struct frame *frame) {
  const char *module = frame->module ? frame->module->path : "";
  if (frame->file)
    return memory_format("%s\n%s\n%u\n%s", leak_text_function(frame), frame->file, frame->line, module);
  return memory_format("%s\n%s\n%" PRIx64, leak_text_function(frame), module, frame->offset);
}

static json_t *
frame_number(struct page *page, const struct frame *frame) {
  void **slot = table_slot(&page->numbers, key_of(frame));
  if (!*slot) {
    json_array_append_new(page->frames, frame_object(page, frame));
    *slot = (void *)(uintptr_t)json_array_size(page->frames);
  }
  return json_integer((json_int_t)(uintptr_t)*slot - 1);
}

/* ---- leaks and processes ---- */

static json_t *
leak_object(struct page *page, const struct leak *leak) {
  const struct frame *site = source_root_site(page->root, leak->stack);
  json_t *stack = json_array();
  LIST_EACH(frame, &leak->stack->frames)
    json_array_append_new(stack, frame_number(page, frame));
  return json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "kind", leak_kind_name(leak->kind), "verdict",
                   leak_verdict_name(leak->verdict), "fingerprint", leak->fingerprint, "blocks",
                   (json_int_t)leak->blocks, "bytes", (json_int_t)leak->bytes, "is_cycle", leak->is_cycle, "by",
                   json_text(leak->stack->by), "suppressed_by", json_text(leak->suppressed_by), "site",
                   site ? frame_number(page, site) : json_null(), "stack", stack);
}

static json_t *
processes(const struct leak_report *report) {
  json_t *array = json_array();
  LIST_EACH(each, &report->processes) {
    const struct process *process = *each;
    json_array_append_new(array, json_pack("{s:I, s:o, s:b, s:o}", "pid", (json_int_t)process->pid, "exe",
                                           json_text(process->exe), "checked", process->is_checked, "error",
                                           json_text(process->error)));
  }
  return array;
}

static json_t *
data_of(struct page *page, const struct leak_report *report) {
  json_t *command = json_array(), *leaks = json_array();
  LIST_EACH(word, &report->command)
    json_array_append_new(command, json_text(*word));
  LIST_EACH(leak, &report->leaks)
    json_array_append_new(leaks, leak_object(page, *leak));
  return json_pack("{s:o, s:o, s:o, s:o}", "command", command, "processes", processes(report), "leaks", leaks, "frames",
                   page->frames);
}

/* ---- the page ---- */

/* Nothing in it may end the element of the page that it is in. */
static void
write_data(FILE *file, json_t *data) {
  char *text = json_dumps(data, JSON_COMPACT);
  for (const char *c = text; *c; c++)
    if (*c == '<')
      fputs("\\u003c", file);
    else
      fputc(*c, file);
  fputc('\n', file);
  free(text);
}

void
format_html(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct page page = {.root = style->source_root, .frames = json_array()};
  json_t *data = data_of(&page, report);
  fputs(html_page_before_data, file);
  write_data(file, data);
  fputs(html_page_after_data, file);
  json_decref(data);
}
