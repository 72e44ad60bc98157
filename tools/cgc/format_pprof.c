/* SPDX-License-Identifier: MIT */
/*
 * A profile as pprof reads it: profile.proto of github.com/google/pprof, compressed.  An address is the offset in the
 * module's file; calls that were inlined are lines of one location.
 */
#include "format.h"

#include "gzip.h"
#include "leak_text.h"
#include "proto.h"
#include "selection.h"
#include "utf_8.h"

#include <inttypes.h>

enum profile_field { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING, PROFILE_LOCATION, PROFILE_FUNCTION,
                     PROFILE_STRING, PROFILE_DEFAULT_SAMPLE_TYPE = 14 };
enum value_type_field { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT };
enum sample_field { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum label_field { LABEL_KEY = 1, LABEL_STRING };
enum mapping_field { MAPPING_ID = 1, MAPPING_LIMIT = 3, MAPPING_FILE = 5, MAPPING_BUILD_ID, MAPPING_HAS_FUNCTIONS,
                     MAPPING_HAS_FILES, MAPPING_HAS_LINES, MAPPING_HAS_INLINED };
enum location_field { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum line_field { LINE_FUNCTION = 1, LINE_LINE, LINE_COLUMN };
enum function_field { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_RAW_NAME, FUNCTION_FILE };

static const uint64_t address_limit = UINT64_C(1) << 47;

/* Things of which others refer to the id; by a key that names each. */
struct ids {
  struct table table;
  uint64_t     count;
};

struct profile {
  struct proto message, strings;
  struct ids   string_ids, mapping_ids, location_ids, function_ids;
};

/* added: the id if there was none for that key yet, else zero. */
static uint64_t
find_id(struct ids *ids, const char *key, uint64_t *added) {
  void **slot = table_slot(&ids->table, key);
  *added = 0;
  if (!*slot)
    *slot = (void *)(uintptr_t)(*added = ++ids->count);
  return (uintptr_t)*slot;
}

/* The empty string has number 0. */
static uint64_t
string_id(struct profile *profile, const char *string) {
  uint64_t added, id = find_id(&profile->string_ids, string = utf_8_text(string), &added);
  if (added)
    proto_add_string(&profile->strings, PROFILE_STRING, string);
  return id - 1;
}

/* ---- where ---- */

/* All is told that is known: pprof need not look for more in the file. */
static uint64_t
mapping_id(struct profile *profile, const struct module *module) {
  struct proto mapping = {NULL, 0, 0};
  uint64_t added, id = find_id(&profile->mapping_ids, memory_format("%s\n%s", module->path, module->build_id), &added);
  if (!added)
    return id;
  proto_add_number(&mapping, MAPPING_ID, id);
  proto_add_number(&mapping, MAPPING_LIMIT, address_limit);
  proto_add_number(&mapping, MAPPING_FILE, string_id(profile, module->path));
  proto_add_number(&mapping, MAPPING_BUILD_ID, string_id(profile, module->build_id));
  for (unsigned field = MAPPING_HAS_FUNCTIONS; field <= MAPPING_HAS_INLINED; field++)
    proto_add_number(&mapping, field, true);
  proto_add_message(&profile->message, PROFILE_MAPPING, &mapping);
  return id;
}

static uint64_t
function_id(struct profile *profile, const struct frame *frame) {
  const char *name = leak_text_function(frame), *raw_name = frame->raw_name ? frame->raw_name : name;
  const char *path = frame->file ? frame->file : "";
  struct proto function = {NULL, 0, 0};
  uint64_t added, id = find_id(&profile->function_ids, memory_format("%s\n%s", raw_name, path), &added);
  if (!added)
    return id;
  proto_add_number(&function, FUNCTION_ID, id);
  proto_add_number(&function, FUNCTION_NAME, string_id(profile, name));
  proto_add_number(&function, FUNCTION_RAW_NAME, string_id(profile, raw_name));
  proto_add_number(&function, FUNCTION_FILE, string_id(profile, path));
  proto_add_message(&profile->message, PROFILE_FUNCTION, &function);
  return id;
}

static void
add_line(struct profile *profile, struct proto *location, const struct frame *frame) {
  struct proto line = {NULL, 0, 0};
  proto_add_number(&line, LINE_FUNCTION, function_id(profile, frame));
  proto_add_number(&line, LINE_LINE, frame->line);
  proto_add_number(&line, LINE_COLUMN, frame->column);
  proto_add_message(location, LOCATION_LINE, &line);
}

/* Of a call and the functions that were inlined there, which are the frames before it. */
static uint64_t
location_id(struct profile *profile, const struct frame *first, const struct frame *last) {
  uint64_t mapping = last->module ? mapping_id(profile, last->module) : 0, added;
  struct proto location = {NULL, 0, 0};
  uint64_t id = find_id(&profile->location_ids, memory_format("%" PRIu64 " %" PRIx64, mapping, last->offset), &added);
  if (!added)
    return id;
  proto_add_number(&location, LOCATION_ID, id);
  proto_add_number(&location, LOCATION_MAPPING, mapping);
  proto_add_number(&location, LOCATION_ADDRESS, last->offset);
  for (const struct frame *frame = first; frame <= last; frame++)
    add_line(profile, &location, frame);
  proto_add_message(&profile->message, PROFILE_LOCATION, &location);
  return id;
}

static void
add_locations(struct profile *profile, struct proto *sample, const struct stack *stack) {
  const struct frame *first = stack->frames.items;
  LIST_EACH(frame, &stack->frames) {
    if (frame->is_inlined && frame + 1 < frame_end)
      continue;
    uint64_t id = location_id(profile, first, frame);
    proto_add_numbers(sample, SAMPLE_LOCATION, &id, 1);
    first = frame + 1;
  }
}

/* ---- what ---- */

static void
add_label(struct profile *profile, struct proto *sample, const char *key, const char *value) {
  struct proto label = {NULL, 0, 0};
  proto_add_number(&label, LABEL_KEY, string_id(profile, key));
  proto_add_number(&label, LABEL_STRING, string_id(profile, value));
  proto_add_message(sample, SAMPLE_LABEL, &label);
}

static void
add_sample(struct profile *profile, const struct leak *leak) {
  const uint64_t values[] = {(uint64_t)leak->blocks, (uint64_t)leak->bytes};
  struct proto sample = {NULL, 0, 0};
  add_locations(profile, &sample, leak->stack);
  proto_add_numbers(&sample, SAMPLE_VALUE, values, 2);
  add_label(profile, &sample, "kind", leak_kind_name(leak->kind));
  proto_add_message(&profile->message, PROFILE_SAMPLE, &sample);
}

static void
add_sample_type(struct profile *profile, const char *type, const char *unit) {
  struct proto value_type = {NULL, 0, 0};
  proto_add_number(&value_type, VALUE_TYPE_TYPE, string_id(profile, type));
  proto_add_number(&value_type, VALUE_TYPE_UNIT, string_id(profile, unit));
  proto_add_message(&profile->message, PROFILE_SAMPLE_TYPE, &value_type);
}

void
format_pprof(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct leaks leaks = selection_shown(report, style->is_shown);
  struct profile profile = {.message = {NULL, 0, 0}};
  string_id(&profile, "");
  add_sample_type(&profile, "leaked_objects", "count");
  add_sample_type(&profile, "leaked_space", "bytes");
  proto_add_number(&profile.message, PROFILE_DEFAULT_SAMPLE_TYPE, string_id(&profile, "leaked_space"));
  LIST_EACH(leak, &leaks)
    add_sample(&profile, *leak);
  struct gzip *gzip = gzip_begin(file);
  gzip_add(gzip, profile.message.items, profile.message.count);
  gzip_add(gzip, profile.strings.items, profile.strings.count);
  gzip_end(gzip);
}
