/* SPDX-License-Identifier: MIT */
#include "boehm/describe.h"

#include "boehm/alloc.h"
#include "boehm/kinds.h"

#include <string.h>

static GC_describe_type_fn describers[KIND_MAX];

void
GC_register_describe_type_fn(int kind, GC_describe_type_fn function) {
  if (kind >= 0 && kind < KIND_MAX)
    describers[kind] = function;
}

void
describe_block(const void *block, char *text) {
  static const char *const names[KIND_FIRST_MADE] = {"atomic", "composite", "uncollectable", "atomic uncollectable"};
  const struct cgc_span *span = alloc_span_of(block);
  unsigned kind = span ? kinds_of_block(span, block) : KIND_NORMAL;
  text[GC_TYPE_DESCR_LEN] = 0;
  if (describers[kind])
    describers[kind]((void *)block, text);
  else
    strcpy(text, kind < KIND_FIRST_MADE ? names[kind] : "described");
}
