/* SPDX-License-Identifier: MIT */
/* The exec family: the new program gets the mask and the ignored signals that the old one sees, and no stop signal:
 * one that is pending would end it. */
#include "base/arch_x86_64.h"
#include "front/interpose_signal.h"
#include "front/leaks.h"
#include "front/next.h"
#include "world/park.h"
#include "world/signal_action.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

extern char **environ;

struct exec_call {
  int (*function)(const struct exec_call *call);
  int directory;
  const char *path;
  char *const *arguments;
  char *const *environment;
  int flags;
  int result;
};

static void
call_shown(struct exec_call *call) {
  uint64_t mask = stop_signal_show_mask();
  signal_action_show_ignored(true);
  call->result = call->function(call);
  signal_action_show_ignored(false);   /* the new program was not started */
  platform_restore_signals(mask);
}

/* Parked, the thread is sent no stop signal. */
static void
call_parked(void *arg, uintptr_t stack_pointer) {
  struct cgc_thread *thread = park_begin(stack_pointer);
  call_shown(arg);
  park_end(thread);
}

/* A vfork child has its parent's record, but gets none of the signals sent to it. */
static int
exec_by(struct exec_call *call) {
  leaks_note_exec(call->path);
  interpose_signal_start();
  if (signal_action_is_vfork_child())
    call_shown(call);
  else
    arch_call_spilled(call_parked, call);
  return call->result;
}

static int
call_execve(const struct exec_call *call) {
  static atom_word found;
  int (*next)(const char *, char *const[], char *const[]) =
    (int (*)(const char *, char *const[], char *const[]))next_function(&found, "execve");
  return next(call->path, call->arguments, call->environment);
}

static int
call_execvpe(const struct exec_call *call) {
  static atom_word found;
  int (*next)(const char *, char *const[], char *const[]) =
    (int (*)(const char *, char *const[], char *const[]))next_function(&found, "execvpe");
  return next(call->path, call->arguments, call->environment);
}

static int
call_fexecve(const struct exec_call *call) {
  static atom_word found;
  int (*next)(int, char *const[], char *const[]) =
    (int (*)(int, char *const[], char *const[]))next_function(&found, "fexecve");
  return next(call->directory, call->arguments, call->environment);
}

static int
call_execveat(const struct exec_call *call) {
  static atom_word found;
  int (*next)(int, const char *, char *const[], char *const[], int) =
    (int (*)(int, const char *, char *const[], char *const[], int))next_function(&found, "execveat");
  return next(call->directory, call->path, call->arguments, call->environment, call->flags);
}

CGC_EXPORT int
execve(const char *path, char *const arguments[], char *const environment[]) {
  return exec_by(&(struct exec_call){call_execve, 0, path, arguments, environment, 0, 0});
}

CGC_EXPORT int
execvpe(const char *file, char *const arguments[], char *const environment[]) {
  return exec_by(&(struct exec_call){call_execvpe, 0, file, arguments, environment, 0, 0});
}

CGC_EXPORT int
fexecve(int fd, char *const arguments[], char *const environment[]) {
  return exec_by(&(struct exec_call){call_fexecve, fd, NULL, arguments, environment, 0, 0});
}

CGC_EXPORT int
execveat(int directory, const char *path, char *const arguments[], char *const environment[], int flags) {
  return exec_by(&(struct exec_call){call_execveat, directory, path, arguments, environment, flags, 0});
}

CGC_EXPORT int
execv(const char *path, char *const arguments[]) {
  return execve(path, arguments, environ);
}

CGC_EXPORT int
execvp(const char *file, char *const arguments[]) {
  return execvpe(file, arguments, environ);
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
