/* SPDX-License-Identifier: MIT */
/* Finalizers of blocks with a header: registered for the block, called with what the program knows of it. */
#include "boehm/debug_header.h"
#include "boehm/messages.h"

#include <gc/gc.h>

struct closure {
  GC_finalization_proc function;
  void *data;
};

static void
call_with_body(void *block, void *data) {
  const struct closure *closure = data;
  closure->function((struct debug_header *)block + 1, closure->data);
}

typedef void register_function(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **);

/* What is told of the one before is as the program gave it. */
static void
unwrap(GC_finalization_proc function, void *data, GC_finalization_proc *old_function, void **old_data) {
  const struct closure *closure = function == call_with_body ? data : NULL;
  if (old_function)
    *old_function = closure ? closure->function : function;
  if (old_data)
    *old_data = closure ? closure->data : data;
}

static void
register_for(register_function *register_it, void *body, GC_finalization_proc function, void *data,
             GC_finalization_proc *old_function, void **old_data) {
  char *block = GC_base(body);
  GC_finalization_proc before = NULL;
  void *before_data = NULL;
  if (!block) {
    unwrap(NULL, NULL, old_function, old_data);
    return;
  }
  if ((char *)body - block != sizeof(struct debug_header))
    messages_warn("GC_debug_register_finalizer called with non-base-pointer %#lx", (uintptr_t)body);
  struct closure *closure = function ? GC_malloc(sizeof *closure) : NULL;
  if (function && !closure)
    return;
  if (closure)
    *closure = (struct closure){function, data};
  register_it(block, function ? call_with_body : NULL, closure, &before, &before_data);
  unwrap(before, before_data, old_function, old_data);
}

void
GC_debug_register_finalizer(void *body, GC_finalization_proc function, void *data, GC_finalization_proc *old_function,
                            void **old_data) {
  register_for(GC_register_finalizer, body, function, data, old_function, old_data);
}

void
GC_debug_register_finalizer_ignore_self(void *body, GC_finalization_proc function, void *data,
                                        GC_finalization_proc *old_function, void **old_data) {
  register_for(GC_register_finalizer_ignore_self, body, function, data, old_function, old_data);
}

void
GC_debug_register_finalizer_no_order(void *body, GC_finalization_proc function, void *data,
                                     GC_finalization_proc *old_function, void **old_data) {
  register_for(GC_register_finalizer_no_order, body, function, data, old_function, old_data);
}

void
GC_debug_register_finalizer_unreachable(void *body, GC_finalization_proc function, void *data,
                                        GC_finalization_proc *old_function, void **old_data) {
  register_for(GC_register_finalizer_unreachable, body, function, data, old_function, old_data);
}
