/* SPDX-License-Identifier: MIT */
#include "document.h"

#include "message.h"

#include <jansson.h>
#include <string.h>

static _Noreturn void
fail(const char *path, const char *what) {
  message_die(STATUS_TROUBLE, "%s: %s", path, what);
}

static const char *
string_of(json_t *object, const char *name) {
  const char *string = json_string_value(json_object_get(object, name));
  return string ? memory_copy(string, strlen(string)) : NULL;
}

static void
take_frames(json_t *frames, struct stack *stack) {
  size_t i;
  json_t *frame;
  json_array_foreach(frames, i, frame) {
    const char *path = string_of(frame, "module");
    struct module *module = path ? memory_take(sizeof *module) : NULL;
    if (module)
      *module = (struct module){.path = path, .build_id = ""};
    *LIST_ADD(&stack->frames) = (struct frame){.function = string_of(frame, "function"), .module = module};
  }
}

/* All that baselines know of a stack. */
static void
take_functions(json_t *functions, struct stack *stack) {
  size_t i;
  json_t *function;
  json_array_foreach(functions, i, function)
    if (json_is_string(function)) {
      const char *name = json_string_value(function);
      LIST_ADD(&stack->frames)->function = memory_copy(name, strlen(name));
    }
}

static enum leak_verdict
verdict_of(enum leak_kind kind, json_t *object) {
  if (kind > LEAK_KIND_INDIRECT)
    return LEAK_VERDICT_UNSURE;
  return json_is_string(json_object_get(object, "suppressed_by")) ? LEAK_VERDICT_SUPPRESSED : LEAK_VERDICT_NEW;
}

static void
take_leak(const char *path, json_t *object, struct leak_report *report) {
  struct leak *leak = memory_take(sizeof *leak);
  const char *kind = string_of(object, "kind");
  leak->fingerprint = string_of(object, "fingerprint");
  leak->stack = memory_take(sizeof *leak->stack);
  leak->stack->by = "malloc";
  if (!leak->fingerprint || !kind || !leak_kind_parse(kind, &leak->kind))
    fail(path, "a leak without fingerprint and kind");
  leak->verdict = verdict_of(leak->kind, object);
  leak->blocks = json_integer_value(json_object_get(object, "blocks"));
  leak->bytes = json_integer_value(json_object_get(object, "bytes"));
  take_frames(json_object_get(object, "stack"), leak->stack);
  take_functions(json_object_get(object, "functions"), leak->stack);
  *LIST_ADD(&report->leaks) = leak;
}

static void
take_process(json_t *object, struct leak_report *report) {
  struct process *process = memory_take(sizeof *process);
  process->pid = json_integer_value(json_object_get(object, "pid"));
  process->is_checked = json_is_true(json_object_get(object, "checked"));
  process->error = string_of(object, "error");
  *LIST_ADD(&report->processes) = process;
}

bool
document_try_read(const char *path, struct leak_report *report) {
  json_t *document = json_load_file(path, 0, NULL), *leaks = json_object_get(document, "leaks"), *leak, *process;
  size_t i;
  if (leaks && json_integer_value(json_object_get(document, "version")) != 1)
    fail(path, "a document of an unknown version");
  json_array_foreach(leaks, i, leak)
    take_leak(path, leak, report);
  json_array_foreach(json_object_get(document, "processes"), i, process)
    take_process(process, report);
  bool is_document = json_is_array(leaks);
  json_decref(document);
  return is_document;
}
