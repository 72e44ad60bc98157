/* SPDX-License-Identifier: MIT */
#include "suppression.h"

#include "pattern.h"

#include <fnmatch.h>

/* ---- LeakSanitizer's patterns: anywhere in any frame ---- */

static bool
is_found_in(const char *pattern, const char *text) {
  return text && pattern_is_found(pattern, text);
}

static bool
is_found_in_frame(const char *pattern, const struct frame *frame) {
  return is_found_in(pattern, frame->function) || is_found_in(pattern, frame->file) ||
         is_found_in(pattern, frame->module ? frame->module->path : NULL);
}

bool
suppression_pattern_matches(const struct suppression *suppression, const struct leak *leak) {
  if (is_found_in(suppression->name, leak->stack->by))
    return true;
  LIST_EACH(frame, &leak->stack->frames)
    if (is_found_in_frame(suppression->name, frame))
      return true;
  return false;
}

/* ---- Valgrind's rules: a line per frame, from the innermost one on ---- */

static bool
glob_matches(const char *glob, const char *text) {
  return text && fnmatch(glob, text, FNM_NOESCAPE) == 0;
}

static bool
line_matches(const struct rule_line *line, const struct frame *frame) {
  switch (line->kind) {
  case RULE_LINE_FUNCTION:
    return glob_matches(line->glob, frame->raw_name) || glob_matches(line->glob, frame->function);
  case RULE_LINE_OBJECT: return glob_matches(line->glob, frame->module ? frame->module->path : NULL);
  case RULE_LINE_SOURCE:
    return glob_matches(line->glob, frame->file) ||
           (frame->file && glob_matches(line->glob, memory_format("%s:%u", path_base_name(frame->file), frame->line)));
  default: return true;
  }
}

static bool
lines_match(const struct rule_line *line, const struct rule_line *line_end, const struct frame *frame,
            const struct frame *frame_end) {
  for (; line < line_end; line++, frame++) {
    if (line->kind == RULE_LINE_ANY) {
      for (; frame <= frame_end; frame++)
        if (lines_match(line + 1, line_end, frame, frame_end))
          return true;
      return false;
    }
    if (frame == frame_end || !line_matches(line, frame))
      return false;
  }
  return true;
}

/* Valgrind takes the place of operator new as well, so its innermost frame may be our second one. */
bool
suppression_rule_matches(const struct suppression *suppression, const struct leak *leak) {
  static const struct module library = {.path = "libcgc.so", .build_id = ""};
  const struct rule_line *lines = suppression->lines.items, *lines_end = lines + suppression->lines.count;
  struct frames frames = {NULL, 0, 0};
  if (!suppression->is_of_kind[leak->kind])
    return false;
  *LIST_ADD(&frames) = (struct frame){.function = leak->stack->by, .raw_name = leak->stack->by, .module = &library};
  LIST_EACH(frame, &leak->stack->frames)
    *LIST_ADD(&frames) = *frame;
  const struct frame *frames_end = frames.items + frames.count;
  return lines_match(lines, lines_end, frames.items, frames_end) ||
         lines_match(lines, lines_end, frames.items + 1, frames_end);
}
