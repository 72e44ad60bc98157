/* SPDX-License-Identifier: MIT */
/* The exec family: the new program gets the mask and the ignored signals that the old one sees. */
#include "front/interpose_signal.h"
#include "front/next.h"
#include "world/signal_action.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

extern char **environ;

static uint64_t
show_signals(void) {
  uint64_t mask = stop_signal_show_mask();
  signal_action_show_ignored(true);
  return mask;
}

/* The new program was not started. */
static int
hide_signals(uint64_t mask, int result) {
  signal_action_show_ignored(false);
  platform_restore_signals(mask);
  return result;
}

typedef int exec_function(const char *, char *const[], char *const[]);

static int
exec_by(void *function, const char *path, char *const arguments[], char *const environment[]) {
  uint64_t mask = show_signals();
  return hide_signals(mask, ((exec_function *)function)(path, arguments, environment));
}

CGC_EXPORT int
execve(const char *path, char *const arguments[], char *const environment[]) {
  static atom_word found;
  return exec_by(next_function(&found, "execve"), path, arguments, environment);
}

CGC_EXPORT int
execvpe(const char *file, char *const arguments[], char *const environment[]) {
  static atom_word found;
  return exec_by(next_function(&found, "execvpe"), file, arguments, environment);
}

CGC_EXPORT int
execv(const char *path, char *const arguments[]) {
  return execve(path, arguments, environ);
}

CGC_EXPORT int
execvp(const char *file, char *const arguments[]) {
  return execvpe(file, arguments, environ);
}

CGC_EXPORT int
fexecve(int fd, char *const arguments[], char *const environment[]) {
  static atom_word found;
  int (*next)(int, char *const[], char *const[]) =
    (int (*)(int, char *const[], char *const[]))next_function(&found, "fexecve");
  uint64_t mask = show_signals();
  return hide_signals(mask, next(fd, arguments, environment));
}

CGC_EXPORT int
execveat(int directory, const char *path, char *const arguments[], char *const environment[], int flags) {
  static atom_word found;
  int (*next)(int, const char *, char *const[], char *const[], int) =
    (int (*)(int, const char *, char *const[], char *const[], int))next_function(&found, "execveat");
  uint64_t mask = show_signals();
  return hide_signals(mask, next(directory, path, arguments, environment, flags));
}

/* ---- arguments in a list ---- */

/* The arguments and the NULL at their end. */
static size_t
count_arguments(const char *first, va_list rest) {
  size_t count = 1;
  for (const char *argument = first; argument; argument = va_arg(rest, const char *))
    count++;
  return count;
}

/* Returns what follows the NULL, as execle has it. */
static void
copy_arguments(char **to, const char *first, va_list *rest) {
  *to = (char *)first;
  while (*to)
    *++to = va_arg(*rest, char *);
}

/* On the stack, as libc does it: a vfork child may not allocate. */
#define LIST_ARGUMENTS(arguments, first, list)                                       \
  va_list list, counted;                                                             \
  va_start(list, first);                                                             \
  va_copy(counted, list);                                                            \
  char **arguments = __builtin_alloca(count_arguments(first, counted) * sizeof *arguments); \
  va_end(counted);                                                                   \
  copy_arguments(arguments, first, &list)

CGC_EXPORT int
execl(const char *path, const char *first, ...) {
  LIST_ARGUMENTS(arguments, first, list);
  va_end(list);
  return execve(path, arguments, environ);
}

CGC_EXPORT int
execlp(const char *file, const char *first, ...) {
  LIST_ARGUMENTS(arguments, first, list);
  va_end(list);
  return execvpe(file, arguments, environ);
}

CGC_EXPORT int
execle(const char *path, const char *first, ...) {
  LIST_ARGUMENTS(arguments, first, list);
  char *const *environment = va_arg(list, char *const *);
  va_end(list);
  return execve(path, arguments, environment);
}
