/* SPDX-License-Identifier: MIT */
#include "sarif_location.h"

#include "json_text.h"
#include "leak_text.h"
#include "source_root.h"

#include <string.h>

enum { FLOW_LOCATIONS_MAX = 1000 };   /* GitHub takes ten times as many and shows these */

/* ---- files ---- */

static bool
is_letter_or_digit(unsigned char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/* RFC 3986: all but the unreserved characters and slashes as %XX. */
static const char *
uri_path(const char *path) {
  static const char kept[] = "-._~/", digits[] = "0123456789ABCDEF";
  char *uri = memory_take(strlen(path) * 3 + 1), *end = uri;
  for (const unsigned char *byte = (const unsigned char *)path; *byte; byte++) {
    if (is_letter_or_digit(*byte) || strchr(kept, *byte)) {
      *end++ = (char)*byte;
      continue;
    }
    *end++ = '%';
    *end++ = digits[*byte >> 4];
    *end++ = digits[*byte & 15];
  }
  return uri;
}

const char *
sarif_directory_uri(const char *path) {
  const char *normal = source_root_normal(path);
  return memory_format("file://%s%s", uri_path(normal), strcmp(normal, "/") ? "/" : "");
}

json_t *
sarif_artifact(const char *root, const char *path) {
  const char *relative = source_root_relative(root, path);
  if (relative)
    return json_pack("{s:s, s:s}", "uri", uri_path(relative), "uriBaseId", SARIF_ROOT_ID);
  return json_pack("{s:s}", "uri", memory_format("file://%s", uri_path(source_root_normal(path))));
}

/* ---- frames ---- */

static json_t *
region(const struct frame *frame) {
  json_t *region = json_pack("{s:i}", "startLine", (int)frame->line);
  if (frame->column > 0)
    json_object_set_new(region, "startColumn", json_integer(frame->column));
  return region;
}

/* A relative path that is not in the tree leads nowhere. */
static bool
has_file(const char *root, const struct frame *frame) {
  return frame && frame->file && (*frame->file == '/' || source_root_relative(root, frame->file));
}

static json_t *
physical(const char *root, const struct frame *frame) {
  bool is_in_file = has_file(root, frame);
  const char *path = is_in_file ? frame->file : frame && frame->module ? frame->module->path : root;
  json_t *object = json_pack("{s:o}", "artifactLocation", sarif_artifact(root, path));
  if (is_in_file && frame->line > 0)
    json_object_set_new(object, "region", region(frame));
  return object;
}

json_t *
sarif_location(const char *root, const struct frame *frame) {
  json_t *location = json_pack("{s:o}", "physicalLocation", physical(root, frame));
  if (frame)
    json_object_set_new(location, "logicalLocations",
                        json_pack("[{s:o, s:s}]", "fullyQualifiedName", json_text(leak_text_function(frame)),
                                  "kind", "function"));
  return location;
}

/* ---- stacks ---- */

static json_t *
step(const char *root, const struct frame *frame) {
  json_t *location = sarif_location(root, frame);
  json_object_set_new(location, "message", json_pack("{s:o}", "text", json_text(leak_text_function(frame))));
  return json_pack("{s:o}", "location", location);
}

static json_t *
stack_frame(const char *root, const struct frame *frame) {
  json_t *object = step(root, frame);
  if (frame->module)
    json_object_set_new(object, "module", json_text(path_base_name(frame->module->path)));
  return object;
}

json_t *
sarif_stacks(const char *root, const struct stack *stack) {
  json_t *frames = json_array();
  LIST_EACH(frame, &stack->frames)
    json_array_append_new(frames, stack_frame(root, frame));
  return json_pack("[{s:{s:o}, s:o}]", "message", "text",
                   json_text(memory_format("Allocated by %s, called from:", stack->by)), "frames", frames);
}

/* The outermost call comes first; what is too much of a deep stack is left out there. */
json_t *
sarif_code_flows(const char *root, const struct stack *stack) {
  json_t *steps = json_array();
  LIST_EACH(frame, &stack->frames)
    if (has_file(root, frame) && json_array_size(steps) < FLOW_LOCATIONS_MAX)
      json_array_insert_new(steps, 0, step(root, frame));
  if (json_array_size(steps) > 0)
    return json_pack("[{s:[{s:o}]}]", "threadFlows", "locations", steps);
  json_decref(steps);
  return NULL;
}
