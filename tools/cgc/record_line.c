/* SPDX-License-Identifier: MIT */
#include "record_line.h"

#include "message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* So many modules are believed; their ids count from 1. */
enum { MODULES_MAX = 1000000 };

/* ---- members ---- */

static void
note_problem(struct record_reader *reader, const char *what, const char *name) {
  if (!reader->problem)
    reader->problem = memory_format("%s \"%s\"", what, name);
}

static int64_t
number_or(struct record_reader *reader, json_t *object, const char *name, int64_t otherwise) {
  json_t *value = json_object_get(object, name);
  if (!value)
    return otherwise;
  if (!json_is_integer(value) || json_integer_value(value) < 0)
    note_problem(reader, "no number in member", name);
  return json_integer_value(value);
}

static int64_t
number(struct record_reader *reader, const char *name) {
  if (!json_object_get(reader->line, name))
    note_problem(reader, "no member", name);
  return number_or(reader, reader->line, name, 0);
}

static const char *
copy_string(json_t *string) {
  return memory_copy(json_string_value(string), json_string_length(string));
}

static const char *
string(struct record_reader *reader, const char *name) {
  json_t *value = json_object_get(reader->line, name);
  if (!json_is_string(value))
    note_problem(reader, "no string in member", name);
  return json_is_string(value) ? copy_string(value) : "";
}

static json_t *
array(struct record_reader *reader, const char *name) {
  json_t *value = json_object_get(reader->line, name);
  if (!json_is_array(value))
    note_problem(reader, "no array in member", name);
  return value;
}

static bool
flag(struct record_reader *reader, const char *name) {
  return json_is_true(json_object_get(reader->line, name));
}

/* ---- process, module, stack ---- */

static struct process *
add_image(struct record_reader *reader) {
  reader->image = memory_take(sizeof *reader->image);
  reader->image->process = memory_take(sizeof *reader->image->process);
  *LIST_ADD(&reader->record->images) = reader->image;
  return reader->image->process;
}

static void
take_process(struct record_reader *reader) {
  struct process *process = add_image(reader);
  size_t i;
  json_t *arg;
  if (number(reader, "version") != 1)
    note_problem(reader, "unknown", "version");
  process->pid = number(reader, "pid");
  process->ppid = number_or(reader, reader->line, "ppid", 0);
  process->exe = string(reader, "exe");
  process->cwd = string(reader, "cwd");
  process->cgc = string(reader, "cgc");
  process->is_forked = flag(reader, "forked");
  process->sample_bytes = number_or(reader, reader->line, "sample_bytes", 0);
  json_array_foreach(array(reader, "args"), i, arg)
    if (json_is_string(arg))
      *LIST_ADD(&process->args) = copy_string(arg);
}

static void
take_suppressions(struct record_reader *reader) {
  *LIST_ADD(&reader->record->suppressions) = string(reader, "text");
}

static struct module *
find_module(struct record *record, const char *path, const char *build_id) {
  struct module **slot = (struct module **)table_slot(&record->module_table, memory_format("%s\n%s", path, build_id));
  if (!*slot) {
    *slot = memory_take(sizeof **slot);
    **slot = (struct module){.path = path, .build_id = build_id};
    *LIST_ADD(&record->modules) = *slot;
  }
  return *slot;
}

static void
take_module(struct record_reader *reader) {
  struct image *image = reader->image;
  int64_t id = number(reader, "id");
  const char *path = string(reader, "path"), *build_id = string(reader, "build_id");
  uint64_t bias = strtoull(string(reader, "bias"), NULL, 16);
  if (id < 1 || id > MODULES_MAX)
    note_problem(reader, "no id in member", "id");
  if (reader->problem)
    return;
  while (image->modules.count < (size_t)id)
    *LIST_ADD(&image->modules) = (struct record_module){NULL, 0};
  image->modules.items[id - 1] = (struct record_module){find_module(reader->record, path, build_id), bias};
}

/* [module, offset], and how much before that is meant. */
static struct record_frame
frame_of(struct record_reader *reader, json_t *pair, const char *member, uint64_t before) {
  const struct image *image = reader->image;
  json_t *id = json_array_get(pair, 0), *value = json_array_get(pair, 1);
  if (!json_is_integer(id) || !(json_is_integer(value) || json_is_string(value)))
    note_problem(reader, "no frame in member", member);
  uint64_t offset = json_is_string(value) ? strtoull(json_string_value(value), NULL, 16)
                                          : (uint64_t)json_integer_value(value);
  offset -= offset < before ? offset : before;
  size_t index = (size_t)json_integer_value(id);
  if (index == 0)
    return (struct record_frame){NULL, offset, offset};
  if (index > image->modules.count || !image->modules.items[index - 1].module) {
    note_problem(reader, "unknown module in member", member);
    return (struct record_frame){NULL, offset, offset};
  }
  struct record_module module = image->modules.items[index - 1];
  return (struct record_frame){module.module, offset, offset + module.bias};
}

static void
take_stack(struct record_reader *reader) {
  struct record_stack *stack = memory_take(sizeof *stack);
  int64_t id = number(reader, "id");
  size_t i;
  json_t *pair, *by_frame = json_object_get(reader->line, "by_frame");
  stack->by = string(reader, "by");
  if (by_frame)
    stack->by_frame = frame_of(reader, by_frame, "by_frame", 0);
  stack->is_cut = flag(reader, "is_cut");
  json_array_foreach(array(reader, "frames"), i, pair)
    *LIST_ADD(&stack->frames) = frame_of(reader, pair, "frames", 1);
  *table_slot(&reader->image->stacks, memory_format("%" PRId64, id)) = stack;
}

/* ---- leak, site, check ---- */

static struct record_stack *
stack_of(struct record_reader *reader, int64_t id) {
  struct record_stack *stack = record_find_stack(reader->image, id);
  if (id != 0 && !stack)
    note_problem(reader, "unknown stack in member", "stack");
  return stack;
}

static struct allocation
allocation_of(struct record_reader *reader, const char *name) {
  json_t *object = json_object_get(reader->line, name);
  return (struct allocation){number_or(reader, object, "thread", 0), number_or(reader, object, "sequence", 0),
                             number_or(reader, object, "age_ms", 0)};
}

static void
take_leak(struct record_reader *reader) {
  struct record_leak *added = LIST_ADD(&reader->image->leaks_of_next);
  struct leak *leak = &added->leak;
  size_t i;
  json_t *thread, *owner;
  if (!leak_kind_parse(string(reader, "kind"), &leak->kind))
    note_problem(reader, "unknown", "kind");
  added->stack = stack_of(reader, number(reader, "stack"));
  leak->is_cycle = flag(reader, "cycle");
  leak->blocks = number(reader, "blocks");
  leak->bytes = number(reader, "bytes");
  leak->reach_blocks = number_or(reader, reader->line, "reach_blocks", leak->blocks);
  leak->reach_bytes = number_or(reader, reader->line, "reach_bytes", leak->bytes);
  leak->estimated_blocks = number_or(reader, reader->line, "estimated_blocks", leak->blocks);
  leak->estimated_bytes = number_or(reader, reader->line, "estimated_bytes", leak->bytes);
  leak->first = allocation_of(reader, "first");
  leak->last = allocation_of(reader, "last");
  json_array_foreach(json_object_get(reader->line, "threads"), i, thread)
    *LIST_ADD(&leak->threads) = json_integer_value(thread);
  json_array_foreach(json_object_get(reader->line, "owners"), i, owner)
    *LIST_ADD(&added->owners) = json_integer_value(owner);
}

static void
take_site(struct record_reader *reader) {
  *LIST_ADD(&reader->image->sites) =
    (struct record_site){number(reader, "check"), number(reader, "stack"), number(reader, "bytes")};
}

static void
take_good_check(struct record_reader *reader) {
  struct image *image = reader->image;
  struct process *process = image->process;
  *LIST_ADD(&image->checks) = (struct record_check){number(reader, "number"), number(reader, "time_ns")};
  process->is_checked = true;
  process->error = NULL;
  process->live_blocks = number_or(reader, reader->line, "live_blocks", 0);
  process->live_bytes = number_or(reader, reader->line, "live_bytes", 0);
  process->ignored_blocks = number_or(reader, reader->line, "ignored_blocks", 0);
  process->ignored_bytes = number_or(reader, reader->line, "ignored_bytes", 0);
  process->unrecorded_stacks = number_or(reader, reader->line, "unrecorded_stacks", 0);
  image->leaks = image->leaks_of_next;
}

/* Earlier checks have seen the same leaks, so those of the last one that was made are kept. */
static void
take_check(struct record_reader *reader) {
  struct image *image = reader->image;
  json_t *error = json_object_get(reader->line, "error");
  if (json_is_string(error)) {
    image->process->is_checked = false;
    image->process->error = copy_string(error);
  } else if (json_is_null(error)) {
    take_good_check(reader);
  } else {
    note_problem(reader, "no string or null in member", "error");
  }
  image->leaks_of_next = (struct record_leaks){NULL, 0, 0};
}

static void
take_exec(struct record_reader *reader) {
  reader->image->exec_path = string(reader, "path");
}

/* ---- lines ---- */

static const struct {
  const char *type;
  void (*take)(struct record_reader *reader);
} line_types[] = {
  {"process", take_process}, {"suppressions", take_suppressions}, {"module", take_module}, {"stack", take_stack},
  {"leak", take_leak},       {"site", take_site},                 {"check", take_check},   {"exec", take_exec},
};

static void
take_object(struct record_reader *reader) {
  const char *type = string(reader, "type");
  bool begins_image = strcmp(type, "process") == 0;
  if (!reader->image && !begins_image)
    note_problem(reader, "no process line before type", type);
  if (reader->problem)
    return;
  if (!begins_image)
    reader->image->exec_path = NULL;
  for (size_t i = 0; i < sizeof line_types / sizeof *line_types; i++)
    if (strcmp(type, line_types[i].type) == 0)
      line_types[i].take(reader);
}

void
record_add_unchecked(struct record_reader *reader, const char *exe, int64_t pid, const char *error) {
  *add_image(reader) = (struct process){.exe = exe, .cwd = "", .cgc = "", .pid = pid, .error = error};
}

static void
note_unreadable(struct record_reader *reader) {
  message("%s:%zu: this line cannot be read: %s", reader->path, reader->line_number, reader->problem);
  if (!reader->image)
    record_add_unchecked(reader, "", 0, NULL);
  if (!reader->image->unreadable)   /* lines that refer to the first one may follow */
    reader->image->unreadable = memory_format("line %zu of %s cannot be read", reader->line_number, reader->path);
}

void
record_take_line(struct record_reader *reader, const char *line, size_t length_bytes) {
  json_error_t error;
  reader->line_number++;
  reader->problem = NULL;
  reader->line = json_loadb(line, length_bytes, 0, &error);
  if (json_is_object(reader->line))
    take_object(reader);
  else
    reader->problem = reader->line ? "no object" : memory_format("%s", error.text);
  json_decref(reader->line);
  if (reader->problem)
    note_unreadable(reader);
}
