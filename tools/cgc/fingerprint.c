/* SPDX-License-Identifier: MIT */
#include "fingerprint.h"

#include "table.h"

#include <inttypes.h>
#include <string.h>

enum { FRAMES_MAX = 5 };

/* Copies are named work.constprop.0, work.part.3, work.isra.1.cold, ... */
static const char *
name_of_original(const char *function) {
  static const char *const suffixes[] = {".constprop.", ".part.", ".isra.", ".cold", ".lto_priv.", ".llvm."};
  size_t length_bytes = strlen(function);
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    const char *suffix = strstr(function, suffixes[i]);
    if (suffix && (size_t)(suffix - function) < length_bytes)
      length_bytes = (size_t)(suffix - function);
  }
  return memory_copy(function, length_bytes);
}

static const char *
name_of(const struct frame *frame) {
  if (frame->function)
    return name_of_original(frame->function);
  return frame->module ? path_base_name(frame->module->path) : "";
}

const char *
fingerprint_make(const char *kind, const struct stack *stack) {
  uint64_t hash = table_hash(TABLE_HASH_START, kind);
  unsigned used = 0;
  LIST_EACH(frame, &stack->frames) {
    if (used == FRAMES_MAX)
      break;
    if (frame_is_runtime(frame))
      continue;
    hash = table_hash(hash, name_of(frame));
    used++;
  }
  return memory_format("%016" PRIx64, hash);
}
