/* SPDX-License-Identifier: MIT */
#include "front/leaks.h"

#include "base/arch_x86_64.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/options.h"
#include "base/platform.h"
#include "front/recorded.h"
#include "gc/runtime.h"
#include "report/leak_record.h"
#include "report/leak_text.h"
#include "world/signal_action.h"
#include "world/stop_signal.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int __cxa_at_quick_exit(void (*function)(void *), void *library);

/* Waited for as a stoppable thread in which no handler of the program runs. */
static struct lock check_lock = LOCK_INITIALIZER(LOCK_RANK_CHECK);

/* Lock: check_lock. */
static bool has_ended;              /* the last check was made */

/* By the thread that asks for a check, or ends the process: there a wrapper may be called by what another has called. */
static bool has_told_suppressions, has_told_end;

/* ---- one check ---- */

static void
report_unchecked(int err) {
  char buffer[200];
  struct text line = text_in(buffer, sizeof buffer);
  text_add(&line, "cgc: leaks could not be looked for: ");
  text_add_error(&line, err);
  text_add(&line, "\n");
  log_write(&line);
}

static void
report(const struct leak_result *result, const char *reason, bool is_last) {
  if (leak_record_is_wanted())
    leak_record_check(result, reason, is_last);
  else if (result->err)
    report_unchecked(result->err);
  else
    leak_text_write(result);
}

/* dlsym may allocate: not where that may be interrupted. */
static void
tell_suppressions(void) {
  if (has_told_suppressions)
    return;
  const char *(*suppressions)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "__lsan_default_suppressions");
  has_told_suppressions = true;
  if (suppressions && leak_record_is_wanted())
    leak_record_suppressions(suppressions());
}

struct check {
  const char *reason;
  bool is_last;
  uintptr_t stack_pointer;   /* 0: the caller's */
  struct check_result result;
};

static void
check_locked(struct check *check, uintptr_t stack_pointer) {
  struct leak_result result;
  leak_check_run(option(OPTION_SITES), stack_pointer, &result);
  report(&result, check->reason, check->is_last);
  check->result = (struct check_result){result.err, (long)result.leaked.blocks};
  has_ended = check->is_last;
}

/* A thread that comes after the last check waits here until the process has ended, or knows nothing. */
static void
check_spilled(void *arg, uintptr_t stack_pointer) {
  struct check *check = arg;
  uint64_t shown = stop_signal_block_others();
  lock_acquire(&check_lock);
  if (!has_ended)
    check_locked(check, check->stack_pointer ? check->stack_pointer : stack_pointer);
  lock_release(&check_lock);
  stop_signal_unblock_others(shown);
}

/* What lies below the caller's frame is no root: our own frames stand where there were the program's. */
static struct check_result
check_now(const char *reason, bool is_last, uintptr_t stack_pointer) {
  struct check check = {reason, is_last, stack_pointer, {.err = EPERM}};
  arch_call_spilled(check_spilled, &check);
  return check.result;
}

static bool
is_turned_off(void) {
  int (*turned_off)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "__lsan_is_turned_off");
  return turned_off && turned_off();
}

struct check_result
leaks_check_requested(void) {
  if (!recorded_is_wanted())
    return (struct check_result){.err = EPERM};
  tell_suppressions();
  return check_now("request", false, 0);
}

void
leaks_check_interval(void) {
  check_now("interval", false, 0);
}

/* ---- the last check ---- */

static bool
has_leaks_at_end(const char *reason, uintptr_t stack_pointer) {
  if (is_turned_off())
    return false;
  tell_suppressions();
  struct check_result result = check_now(reason, true, stack_pointer);
  return !result.err && result.blocks;
}

static bool
is_checked_here(void) {
  return recorded_is_wanted() && !signal_action_is_vfork_child() && runtime_prepare();
}

int
leaks_end(int status, const char *how, uintptr_t stack_pointer) {
  int code = (int)option(OPTION_EXIT_CODE);
  if (!is_checked_here())
    return status;
  if (!has_ended && has_leaks_at_end(how, stack_pointer) && code)
    status = code;
  if (leak_record_is_wanted() && !has_told_end)
    leak_record_end(status);
  has_told_end = true;
  return status;
}

void
leaks_check_for_good(void) {
  int code = (int)option(OPTION_EXIT_CODE);
  if (is_checked_here() && !has_ended && has_leaks_at_end("request", 0) && code)
    _exit(code);
}

/* Of who has called exit, nothing is of use any more but what its callers keep.  Below lie libc's frames, with what
 * others have left there. */
static uintptr_t
stack_pointer_at(void (*function)(int)) {
  enum { CODE_BYTES_MAX = 64 };   /* a few instructions, and the call of what runs the handlers */
  return recorder_find_caller((uintptr_t)function, CODE_BYTES_MAX);
}

/* libc goes on with what is left to do in exit when that is called once more. */
static void
on_exit_of_program(int status, void *unused) {
  (void)unused;
  int end_status = leaks_end(status, "exit", stack_pointer_at(exit));
  if (end_status != status)
    exit(end_status);
}

/* The status is not known here, and cannot be changed otherwise. */
static void
on_quick_exit(void *unused) {
  (void)unused;
  int end_status = leaks_end(0, "quick_exit", stack_pointer_at(quick_exit));
  if (end_status)
    _exit(end_status);
}

/* ---- signals ---- */

static void
on_request(int signal) {
  int errno_before = errno;
  (void)signal;
  check_now("signal", false, 0);
  errno = errno_before;
}

/* The signal is sent once more, and ends the process now. */
static void
on_death(int signal) {
  check_now("signal", true, 0);
  platform_signal_action(signal, &(struct platform_action){0}, NULL);
  raise(signal);
}

static void
handle(int signal, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
  sigfillset(&action.sa_mask);
  if (sigaction(signal, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
    sigaction(signal, &action, NULL);
}

static void
handle_signals(void) {
  if (option(OPTION_LEAK_SIGNAL))
    handle((int)option(OPTION_LEAK_SIGNAL), on_request);
  if (!option(OPTION_LEAK_DEATH))
    return;
  handle(SIGTERM, on_death);
  handle(SIGINT, on_death);
  handle(SIGHUP, on_death);
}

/* ---- the process ---- */

static void
on_fork(void) {
  lock_reset(&check_lock);
  recorder_adopt_fork();
  has_ended = has_told_end = false;
  if (leak_record_is_wanted())
    leak_record_process(true);
}

void
leaks_note_exec(const char *path) {
  if (is_checked_here() && leak_record_is_wanted())
    leak_record_exec(path);
}

/* What is registered first runs last: after the program's own handlers and the destructors of its libraries, which
 * libc registers later. */
void
leaks_start(void) {
  if (!recorded_is_wanted())
    return;
  runtime_fork_listener = on_fork;
  if (leak_record_is_wanted())
    leak_record_process(false);
  on_exit(on_exit_of_program, NULL);
  __cxa_at_quick_exit(on_quick_exit, NULL);
  handle_signals();
}
