/* SPDX-License-Identifier: MIT */
#include "stack_text.h"

#include <inttypes.h>

static void
print_offset(FILE *file, const struct frame *frame) {
  const struct module *module = frame->module;
  fprintf(file, " (%s+0x%" PRIx64 ")", module->path, frame->offset);
  if (*module->build_id)
    fprintf(file, " (BuildId: %s)", module->build_id);
}

static void
print_place(FILE *file, const struct frame *frame) {
  const struct module *module = frame->module;
  if (frame->file) {
    fprintf(file, " %s:%u", frame->file, frame->line);
    if (frame->column)
      fprintf(file, ":%u", frame->column);
    return;
  }
  if (!module) {
    fputs(" (<unknown module>)", file);
    return;
  }
  print_offset(file, frame);
  if (module->problem)
    fprintf(file, " (%s)", module->problem);
}

/* Records of older libraries do not tell where the allocating function is. */
static void
print_allocating_function(FILE *file, const struct stack *stack) {
  const struct frame *frame = &stack->by_frame;
  fprintf(file, "    #0 0x%012" PRIx64 " in %s", frame->addr, stack->by);
  if (frame->module)
    print_offset(file, frame);
  else
    fputs(" (libcgc.so+0x0)", file);
  fputc('\n', file);
}

void
stack_text_print(FILE *file, const struct stack *stack) {
  unsigned number = 1;
  print_allocating_function(file, stack);
  LIST_EACH(frame, &stack->frames) {
    fprintf(file, "    #%u 0x%012" PRIx64 " ", number++, frame->addr);
    if (frame->function)
      fprintf(file, "in %s", frame->function);
    print_place(file, frame);
    fputc('\n', file);
  }
}
