/* SPDX-License-Identifier: MIT */
/* The interface's functions to register finalizers. */
#include "boehm/finalizers.h"
#include "boehm/start.h"

static void
set(void *block, GC_finalization_proc function, void *data, GC_finalization_proc *old_function, void **old_data,
    enum finalizer_order order) {
  struct finalizer before = {NULL, NULL};
  start_once();
  bool is_set = GC_find_leak || finalizers_set(block, (struct finalizer){function, data}, order, &before);
  if (!is_set && GC_oom_fn(sizeof before))
    finalizers_set(block, (struct finalizer){function, data}, order, &before);
  if (old_function)
    *old_function = before.function;
  if (old_data)
    *old_data = before.data;
}

void
GC_register_finalizer(void *block, GC_finalization_proc function, void *data, GC_finalization_proc *old_function,
                      void **old_data) {
  set(block, function, data, old_function, old_data, FINALIZER_TOPOLOGICAL);
}

void
GC_register_finalizer_ignore_self(void *block, GC_finalization_proc function, void *data,
                                  GC_finalization_proc *old_function, void **old_data) {
  set(block, function, data, old_function, old_data, FINALIZER_IGNORE_SELF);
}

void
GC_register_finalizer_no_order(void *block, GC_finalization_proc function, void *data,
                               GC_finalization_proc *old_function, void **old_data) {
  set(block, function, data, old_function, old_data, FINALIZER_NO_ORDER);
}

void
GC_register_finalizer_unreachable(void *block, GC_finalization_proc function, void *data,
                                  GC_finalization_proc *old_function, void **old_data) {
  set(block, function, data, old_function, old_data, FINALIZER_UNREACHABLE);
}
