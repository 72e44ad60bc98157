/* SPDX-License-Identifier: MIT */
#include "gc/client.h"

static bool
always(bool is_asked_for) {
  (void)is_asked_for;
  return true;
}

static bool
never(void) {
  return false;
}

static void
no_block(struct marker *marker, const struct cgc_span *span, uintptr_t addr) {
  (void)marker, (void)span, (void)addr;
}

static bool
no_program(const struct cgc_span *span) {
  (void)span;
  return false;
}

static void
no_marks(struct marker *marker) {
  (void)marker;
}

static void
no_span(struct cgc_span *span) {
  (void)span;
}

static void
nothing(void) {
}

struct gc_client gc_client = {
  .may_collect = always,
  .begin = nothing,
  .needs_stop = never,
  .scan_block = no_block,
  .wants_program = no_program,
  .push_roots_stw = no_marks,
  .conclude_stw = no_marks,
  .adopt_span = no_span,
  .adopt_fork = nothing,
};
