/* SPDX-License-Identifier: MIT */
/* The ends of a process that run no handler: with mode=leak the last check is made before them. */
#include "front/leaks.h"
#include "front/next.h"

#include <stdlib.h>
#include <unistd.h>

typedef void exit_function(int status);

_Noreturn static void
end_by(atom_word *found, const char *name, int status) {
  int end_status = leaks_end(status, "_exit");
  exit_function *next = (exit_function *)next_function(found, name);
  next(end_status);
  __builtin_unreachable();
}

CGC_EXPORT void
_exit(int status) {
  static atom_word found;
  end_by(&found, "_exit", status);
}

CGC_EXPORT void
_Exit(int status) {
  static atom_word found;
  end_by(&found, "_Exit", status);
}
