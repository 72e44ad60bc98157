/* SPDX-License-Identifier: MIT */
/* Stacks as flamegraph.pl and its like read them: "outermost;...;innermost bytes". */
#include "format.h"

#include "leak_text.h"
#include "selection.h"

#include <inttypes.h>

static void
print_name(FILE *file, const char *name) {
  for (; *name; name++)
    fputc(*name == ';' ? ':' : *name == '\n' ? ' ' : *name, file);
}

static void
print_leak(FILE *file, const struct leak *leak) {
  const struct frames *frames = &leak->stack->frames;
  for (size_t i = frames->count; i > 0; i--) {
    print_name(file, leak_text_function(&frames->items[i - 1]));
    fputc(';', file);
  }
  print_name(file, leak->stack->by);
  fprintf(file, " %" PRId64 "\n", leak->bytes);
}

void
format_folded(FILE *file, const struct leak_report *report, const struct format_style *style) {
  struct leaks leaks = selection_shown(report, style->is_shown);
  LIST_EACH(leak, &leaks)
    print_leak(file, *leak);
}
