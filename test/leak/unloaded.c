/* SPDX-License-Identifier: MIT */
/*
 * Loads libraries that leak, one after the other, each where the one before was if the loader does so.
 *
 * usage: unloaded LIBRARY FUNCTION [LIBRARY FUNCTION]...
 */
#include "../hazards/hazard.h"

#include <dlfcn.h>

struct call {
  const char *library, *function;
  size_t bytes;
};

static void
load_and_leak(void *arg) {
  const struct call *call = arg;
  void *library = dlopen(call->library, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    FAIL("dlopen: %s", dlerror());
  void (*leak)(size_t) = (void (*)(size_t))dlsym(library, call->function);
  if (!leak)
    FAIL("dlsym: %s", dlerror());
  for (volatile int i = 0; i < 3; i++)   /* so that there is one call */
    leak(call->bytes);
  dlclose(library);
}

int
main(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    run_hidden(load_and_leak, &(struct call){argv[i], argv[i + 1], 100 * (size_t)(i + 1)});
    clear_stack();
  }
  return 0;
}
