/* SPDX-License-Identifier: MIT */
/* What starts a program by way of libc: it inherits the kernel's mask, which is made what the program sees for as
 * long as the call lasts.  With the stop signal blocked the thread cannot be asked to stop, but it need not be: it is
 * parked, or waits in the kernel for its child. */
#include "front/interpose_park.h"
#include "front/interpose_signal.h"
#include "front/next.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t
show_mask(void) {
  interpose_signal_start();
  return stop_signal_show_mask();
}

CGC_EXPORT int
posix_spawn(pid_t *id, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
            char *const arguments[], char *const environment[]) {
  uint64_t mask = show_mask();
  int err = interpose_parked_posix_spawn(id, path, actions, attributes, arguments, environment);
  platform_restore_signals(mask);
  return err;
}

CGC_EXPORT int
posix_spawnp(pid_t *id, const char *file, const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
  uint64_t mask = show_mask();
  int err = interpose_parked_posix_spawnp(id, file, actions, attributes, arguments, environment);
  platform_restore_signals(mask);
  return err;
}

CGC_EXPORT int
system(const char *command) {
  uint64_t mask = show_mask();
  int status = interpose_parked_system(command);
  platform_restore_signals(mask);
  return status;
}

typedef FILE *popen_function(const char *command, const char *mode);

/* Not parked: it allocates the stream. */
CGC_EXPORT FILE *
popen(const char *command, const char *mode) {
  static atom_word found;
  popen_function *next = (popen_function *)next_function(&found, "popen");
  uint64_t mask = show_mask();
  FILE *stream = next(command, mode);
  platform_restore_signals(mask);
  return stream;
}
