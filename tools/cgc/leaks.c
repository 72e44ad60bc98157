/* SPDX-License-Identifier: MIT */
#include "leaks.h"

#include <string.h>

static const struct {
  const char *name, *title;
} kinds[LEAK_KIND_COUNT] = {
  [LEAK_KIND_DIRECT] = {"direct", "Direct leak"},
  [LEAK_KIND_INDIRECT] = {"indirect", "Indirect leak"},
  [LEAK_KIND_POSSIBLE] = {"possible", "Possible leak"},
  [LEAK_KIND_DOUBTFUL] = {"doubtful", "Doubtful leak"},
};

const char *
leak_kind_name(enum leak_kind kind) {
  return kinds[kind].name;
}

const char *
leak_kind_title(enum leak_kind kind) {
  return kinds[kind].title;
}

bool
leak_kind_parse(const char *name, enum leak_kind *kind) {
  for (unsigned i = 0; i < LEAK_KIND_COUNT; i++)
    if (strcmp(name, kinds[i].name) == 0) {
      *kind = (enum leak_kind)i;
      return true;
    }
  return false;
}

const char *
leak_verdict_name(enum leak_verdict verdict) {
  static const char *const names[] = {
    [LEAK_VERDICT_NEW] = "new",     [LEAK_VERDICT_SUPPRESSED] = "suppressed", [LEAK_VERDICT_KNOWN] = "known",
    [LEAK_VERDICT_SMALL] = "small", [LEAK_VERDICT_UNSURE] = "unsure",
  };
  return names[verdict];
}

struct leak_total
leak_report_total(const struct leak_report *report, enum leak_kind kind, enum leak_verdict verdict) {
  struct leak_total total = {0, 0, 0};
  LIST_EACH(each, &report->leaks) {
    const struct leak *leak = *each;
    if (leak->verdict != verdict || (kind != LEAK_KIND_COUNT && leak->kind != kind))
      continue;
    total.leaks++;
    total.blocks += leak->blocks;
    total.bytes += leak->bytes;
  }
  return total;
}

const char *
path_base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static bool
begins_with(const char *string, const char *start) {
  return strncmp(string, start, strlen(start)) == 0;
}

bool
module_is_library(const struct module *module) {
  return begins_with(path_base_name(module->path), "libcgc.so");
}

bool
frame_is_runtime(const struct frame *frame) {
  static const char *const modules[] = {"libcgc.so", "libc.so.", "libc-", "ld-linux", "libpthread",
                                        "libstdc++.so", "libc++.so", "libc++abi.so"};
  for (size_t i = 0; frame->module && i < sizeof modules / sizeof *modules; i++)
    if (begins_with(path_base_name(frame->module->path), modules[i]))
      return true;
  return frame->function && begins_with(frame->function, "operator new");
}

const struct frame *
stack_site(const struct stack *stack) {
  LIST_EACH(frame, &stack->frames)
    if (!frame_is_runtime(frame))
      return frame;
  return NULL;
}
