/* SPDX-License-Identifier: MIT */
/*
 * Calls in which a thread does not touch blocks, and is not stopped: it is parked, and its stack scanned from where it
 * went in.
 */
#include "base/arch_x86_64.h"
#include "boehm/start.h"
#include "gc/runtime.h"
#include "world/park.h"

#include <gc/gc.h>

struct call {
  GC_fn_type function;
  void *data;
  void *result;
};

/* A parked thread that calls into the library has ended its parking; then there is nothing to end here. */
static void
call_parked(void *arg, uintptr_t stack_pointer) {
  struct call *call = arg;
  struct cgc_thread *parked = park_begin(stack_pointer);
  call->result = call->function(call->data);
  park_end(parked);
}

void *
GC_do_blocking(GC_fn_type function, void *data) {
  struct call call = {.function = function, .data = data};
  start_once();
  runtime_prepare();
  arch_call_spilled(call_parked, &call);
  return call.result;
}

/* Of a thread that is not parked, or not any more, it is just a call. */
void *
GC_call_with_gc_active(GC_fn_type function, void *data) {
  start_once();
  struct park_interrupted interrupted = park_interrupt();
  void *result = function(data);
  park_resume(&interrupted);
  return result;
}
