/* SPDX-License-Identifier: MIT */
#include "leak_text.h"

#include "message.h"
#include "stack_text.h"

#include <inttypes.h>
#include <stdlib.h>

const char *
leak_text_rule(enum leak_kind kind) {
  return memory_format("%s-leak", leak_kind_name(kind));
}

const char *
leak_text_function(const struct frame *frame) {
  if (frame->function)
    return frame->function;
  return memory_format("%s+0x%" PRIx64, frame->module ? path_base_name(frame->module->path) : "?", frame->offset);
}

const char *
leak_text_summary(const struct leak *leak, const struct frame *site) {
  const char *in = site ? memory_format(" in %s", leak_text_function(site)) : "";
  return memory_format("%s of %" PRId64 " byte(s) in %" PRId64 " object(s), allocated by %s%s",
                       leak_kind_title(leak->kind), leak->bytes, leak->blocks, leak->stack->by, in);
}

const char *
leak_text_stack(const struct stack *stack) {
  char *text = NULL;
  size_t length_bytes = 0;
  FILE *file = open_memstream(&text, &length_bytes);
  if (file)
    stack_text_print(file, stack);
  if (!file || fclose(file))
    message_die(STATUS_TROUBLE, "there is no memory");
  const char *copy = memory_copy(text, length_bytes - 1);
  free(text);
  return copy;
}
