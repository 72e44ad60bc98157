/* SPDX-License-Identifier: MIT */
/* The ends of a process that run no handler: with mode=leak the last check is made before them. */
#include "front/leaks.h"
#include "front/next.h"

#include <stdlib.h>
#include <unistd.h>

typedef void exit_function(int status);

/* frame: of the wrapper; above it lies what its callers keep. */
_Noreturn static void
end_by(atom_word *found, const char *name, int status, const uintptr_t *frame) {
  int end_status = leaks_end(status, "_exit", (uintptr_t)(frame + 2));
  exit_function *next = (exit_function *)next_function(found, name);
  next(end_status);
  __builtin_unreachable();
}

CGC_EXPORT void
_exit(int status) {
  static atom_word found;
  end_by(&found, "_exit", status, __builtin_frame_address(0));
}

CGC_EXPORT void
_Exit(int status) {
  static atom_word found;
  end_by(&found, "_Exit", status, __builtin_frame_address(0));
}
